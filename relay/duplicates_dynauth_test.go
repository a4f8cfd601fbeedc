package relay

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"
)

// A CoA or Disconnect acts once: its duplicate is not relayed, neither while it is in flight
// nor after its answer. That is sent again unchanged, including its Proxy-State.
// Rules: P30, P61, P86
func TestDuplicateCoA(t *testing.T) {
	for code, reply := range map[radius.Code]radius.Code{43: 44, 40: 42} {
		for _, window := range []time.Duration{0, 5 * time.Minute} {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: strict})
				b.rules.Timestamps.Window = window
				conn, p := b.open()
				q := makeRequest(code, 5, 0, nemo, proxyState("one"), text(44, "session"), proxyState("two"))
				b.put(conn, q)
				b.put(conn, q) // in one burst
				b.send(conn, q)
				seen := b.net.seen()
				if len(seen) != 1 {
					t.Fatalf("the NAS got %d requests, expected the duplicates dropped", len(seen))
				}
				none(t, "before the answer the client got", p.got())
				seen[0].from.in <- respond(seen[0].octets, reply, integer(101, 503), mac)
				synctest.Wait()
				first := one(t, "the client got", p.got())
				checkAnswer(t, q, first, reply)
				for range 3 {
					pass(time.Second)
					b.send(conn, q)
					if again := one(t, "for the duplicate the client got", p.got()); !bytes.Equal(first, again) {
						t.Errorf("the duplicate's answer differs\nfirst %x\nagain %x", first, again)
					}
				}
				if n := len(b.net.seen()); n != 0 {
					t.Errorf("the NAS got %d more requests, expected none", n)
				}
				other := makeRequest(code, 5, 0, nemo, text(44, "another session"))
				b.send(conn, other) // the same Identifier, and another request
				b.oneSeen()
			})
		}
	}
}

// Accounting is not stored: after its client's connection has ended it is not sent again,
// neither to its server nor to the next, whatever the server's state.
// Rules: P59, C7
func TestAccountingOfAClientThatHasGone(t *testing.T) {
	for _, second := range []string{"", serverText} {
		for _, v11 := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, settings{policy: strict, secondSecret: second})
				conn, p := b.open()
				q := makeRequest(4, 1, 0, nemo, text(44, "session"))
				if v11 {
					conn, p = b.open11()
					q = makeRequest11(4, 1, nemo, text(44, "session"))
				}
				b.send(conn, q)
				pass(3 * time.Second)
				seen := b.net.seen()
				if len(seen) != 2 {
					t.Fatalf("the server got %d transmissions in 3 s, expected two: it is accounting that is resent", len(seen))
				}
				conn.Closed()
				pass(time.Minute)
				if n := len(b.net.seen()); n != 0 {
					t.Errorf("the servers got %d more transmissions for a client that has gone, expected none", n)
				}
				seen[0].from.in <- respond(seen[0].octets, 5)
				synctest.Wait()
				none(t, "after its end the connection got", p.got())
				b.wantFates("accounting/client_gone=1")
			})
		}
	}
}
