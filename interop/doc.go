// Package interop tests the gateway against programs that others wrote.
//
// A bed is built once for the package (bed_test.go), each leg with a secret of its own:
//
//	radclient, eapol_test --UDP--> radsecproxy ----\
//	radclient, eapol_test --UDP--> FreeRADIUS ------\
//	radclient, eapol_test --UDP--> libradcli --------+--TLS--> radsec-gw serve --UDP--> FreeRADIUS
//	package probe -----------------------------------/
//	openssl s_client -------------------------------/
//	testdata/reversenas.py -------------------------/
//
// FreeRADIUS at the end is the RADIUS server, and the NAS of CoA and Disconnect; hostapd is another NAS,
// which receives CoA and Disconnect over UDP. What is in front of the gateway, and what cannot go
// through it:
//
//	radsecproxy 1.9.2   no CoA, no Disconnect, no signed accounting (limits_test.go); hides only
//	                    Microsoft's send and receive keys again
//	FreeRADIUS 3.2.1    CoA only where a policy names a Home-Server-Pool; fragment_size = 8192 for EAP;
//	                    over TLS 1.3 it blocks from a connection's first request to its answer
//	libradcli 1.2.11    a library: testdata/radcli.c is a program of it; no CoA, signs EAP only
//	radclient 3.2.1, eapol_test 2.10
//	                    UDP only
//
// None of them takes CoA down the connection that it has opened: testdata/reversenas.py does, a NAS
// that is written from the documents alone, in Python and with its standard library only.
//
// The tests need Debian's packages that the Makefile's deps installs; they fail, and never skip, where
// one is missing.
//
// FreeRADIUS and its radclient send CoA and Disconnect to one of a thousand access points, which have a
// connection each (reversecoa_freeradius_test.go). FreeRADIUS 3.2.1 sends what its post-auth section
// originates before the Access-Accept: there it has to name the NAS, for nobody knows the session yet.
//
// There are no fixed waits: every wait is for a line in a program's output, for a counter or for an
// answer, and has a deadline.
//
//	go test ./interop                       the gateway of this tree
//	go test ./interop -args -binary FILE    another build of it
package interop
