// Package interop tests the gateway against programs that others wrote.
//
// A bed is built once for the package (bed_test.go), each leg with a secret of its own:
//
//	radclient, eapol_test --UDP--> radsecproxy --TLS--> radsec-gw serve --UDP--> FreeRADIUS
//	radsec-gw probe       -----------------------TLS------^
//
// radsecproxy is the RadSec client here. Version 1.9.2 forwards neither CoA nor Disconnect, so these
// are sent by the probe. The tests need Debian's freeradius, freeradius-utils, radsecproxy, eapoltest
// and openssl; they fail, and never skip, where one is missing: make deps installs them.
//
// There are no fixed waits: every wait is for a line in a program's output or for an answer, and has a
// deadline.
package interop
