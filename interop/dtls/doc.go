// Package dtls tests the built gateway over RADIUS/DTLS with programs that others wrote at both
// ends: FreeRADIUS is the server, and the clients are radsecproxy, which receives UDP from
// radclient and eapol_test, OpenSSL's s_client, GnuTLS, and radsec-gw probe.
//
//	bed_test.go          FreeRADIUS, a gateway for each test, certificates
//	path_test.go         a path that loses, doubles and reorders datagrams
//	radsecproxy_test.go  what a NAS does, through radsecproxy; the path; a reboot
//	openssl_test.go      s_client
//	psk_test.go          a pre-shared key, with s_client, a client made of GnuTLS, and the probe
//	probe_test.go        the commands, and reverse CoA down to one of them
//	limits_test.go       limits, revocation, the end of the gateway
//
// The tests need Debian's packages that the Makefile's deps installs.
package dtls
