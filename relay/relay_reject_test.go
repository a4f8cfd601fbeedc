package relay

import (
	"testing"
	"testing/synctest"
	"time"
)

// An Access-Reject is relayed immediately, like every reply: only the server delays it, to slow
// guessing down (draft-ietf-radext-deprecating-radius §8.3). It is relayed as an
// Access-Reject.
// Rules: P69, P72
func TestRejectIsRelayedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		b.net.setServe(func(s []byte) [][]byte { return [][]byte{respond(s, 3, mac, text(18, "no"))} })
		q := makeRequest(1, 7, 1, nemo)
		began := time.Now()
		b.send(conn, q)
		a := one(t, "the client got at once", p.got())
		checkAnswer(t, q, a, 3)
		if joined(a, 18) != "no" {
			t.Errorf("Reply-Message is %q, expected the server's", joined(a, 18))
		}
		if p.flushes != 1 {
			t.Errorf("the connection was flushed %d times, expected once", p.flushes)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("the reject was there after %v, expected that no time passes", took)
		}
		b.wantFates("access/relayed=1")
	})
}
