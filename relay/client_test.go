package relay

import (
	"testing"
	"testing/synctest"

	"radsec-gw/wire"
)

// Rules and policies take effect with the next request, on open connections too.
// Rules: P74
func TestReconfigureAndSetRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		b.send(conn, makeRequest(1, 1, 1, nemo))
		none(t, "the client got", p.got())
		other := *b.rules
		other.OnUnroutable = Silent
		b.relay.SetRules(&other)
		b.send(conn, makeRequest(1, 2, 2, user("nemo@elsewhere.example")))
		none(t, "under new rules the client got", p.got())
		strictest := *b.client
		strictest.Allowed = [wire.NumKinds]bool{}
		b.known.Reconfigure(&strictest)
		b.send(conn, makeRequest(1, 3, 3, nemo))
		if n := conn.Outstanding(); n != 1 {
			t.Errorf("%d requests are outstanding, expected the first", n)
		}
		b.stop()
		b.wantFates("access/client_gone=1 access/no_route=1 access/not_allowed=1")
		if n := conn.Outstanding(); n != 0 {
			t.Errorf("%d requests are outstanding on a connection that is gone", n)
		}
	})
}
