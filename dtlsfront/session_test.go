package dtlsfront_test

import (
	"testing"
)

// A client with a certificate gets a session, in which each packet is answered, up to the
// longest, in records of their own.
// Rules: DT2, DT3, DT4
func TestPacketsBothWays(t *testing.T) {
	f := start(t)
	c := f.dial(nil)
	for id, length := range []int{20, 100, 1500, 4096} {
		ask(t, c, packet(byte(id), length))
	}
	e := f.session()
	if leaf, version := e.session.Security(); leaf == nil || leaf.Subject.CommonName != "campus" || version != "DTLS 1.2" {
		t.Errorf("the session has the certificate %v and %s, expected campus and DTLS 1.2", leaf, version)
	}
}
