package relay

import (
	"testing"
	"testing/synctest"

	"layeh.com/radius"
)

// The realm of a User-Name is looked up without the case of ASCII letters, and User-Name
// reaches the server octet by octet (RFC 7542 §3), with either version of RADIUS.
// Rules: P137, P139
func TestRealmIsReadAndNotChanged(t *testing.T) {
	for _, name := range []string{"Nemo@EXAMPLE.Org", "NEMO@other.example@Example.org", "@eXample.org", "N\xc4mo\x00@EXAMPLE.ORG"} {
		for _, v11 := range []bool{false, true} {
			for _, code := range []radius.Code{1, 4} {
				synctest.Test(t, func(t *testing.T) {
					b := newBed(t, settings{policy: strict})
					conn, _ := b.open()
					q := makeRequest(code, 9, 1, user(name))
					if v11 {
						conn, _ = b.open11()
						q = makeRequest11(code, 9, user(name))
					}
					b.send(conn, q)
					if got := joined(b.oneSeen(), 1); got != name {
						t.Errorf("the server reads User-Name %q, expected %q", got, name)
					}
				})
			}
		}
	}
}
