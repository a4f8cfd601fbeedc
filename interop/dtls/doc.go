// Package dtls tests package dtlsfront against DTLS clients that others wrote: OpenSSL's
// s_client, and radsecproxy, which receives UDP from a NAS and has the front as its home server
// over DTLS, on good paths and on one that loses, doubles and reorders.
//
//	front_test.go    a front that answers as a RADIUS server
//	path_test.go     a path with faults
//	clients_test.go  the clients
//
// The tests need Debian's packages that the Makefile's deps installs.
package dtls
