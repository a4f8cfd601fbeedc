package relay

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/wire"

	"radsec-gw/udpback"
)

// A duplicate of a request in flight is dropped. After the answer it gets the same answer for
// five seconds; then it is a new request.
// Rules: P54, P61, P62
func TestDuplicates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		q := makeRequest(1, 5, 1, nemo, proxyState("p"), mac)
		repeats := func(when string, want bool) {
			t.Helper()
			if got := conn.Repeats(bytes.Clone(q)); got != want {
				t.Errorf("%s the request repeats one: %t, expected %t", when, got, want)
			}
		}
		repeats("before it is sent", false)
		b.send(conn, q)
		repeats("in flight", true)
		b.send(conn, q)
		if conn.Repeats(makeRequest(1, 5, 2, nemo, proxyState("p"), mac)) || conn.Repeats([]byte{2, 5}) {
			t.Error("another packet with its Identifier repeats it")
		}
		seen := b.net.seen()
		if len(seen) != 1 {
			t.Fatalf("the server got %d datagrams, expected the duplicate dropped", len(seen))
		}
		none(t, "before the reply the client got", p.got())
		b.wantFates("access/duplicate_dropped=1")

		seen[0].from.in <- respond(seen[0].octets, 2, mac, text(18, "hello"))
		synctest.Wait()
		first := one(t, "the client got", p.got())
		checkAnswer(t, q, first, 2)

		pass(4900 * time.Millisecond)
		b.send(conn, q)
		again := one(t, "for the duplicate the client got", p.got())
		if !bytes.Equal(first, again) {
			t.Errorf("the duplicate's answer differs\nfirst %x\nagain %x", first, again)
		}
		if seen := b.net.seen(); len(seen) != 0 {
			t.Errorf("the server got %d more datagrams, expected none", len(seen))
		}
		b.wantFates("access/duplicate_answered=1 access/duplicate_dropped=1 access/relayed=1")

		repeats("after it was answered", true)
		pass(200 * time.Millisecond)
		repeats("after five seconds", false)
		b.send(conn, q)
		s := b.oneSeen()
		checkRequest(t, s)
		none(t, "after five seconds the client got", p.got())
	})
}

// Over DTLS, where a client sends again what was lost, an answer is kept for 30 seconds.
// Rules: P61, DT8
func TestDuplicatesOverDTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		b.net.setServe(func(s []byte) [][]byte { return [][]byte{respond(s, 5)} })
		conn, p := b.openFrom(Origin{DTLS: true})
		q := makeRequest(4, 5, 0, nemo, text(44, "session"))
		b.send(conn, q)
		first := one(t, "the client got", p.got())
		b.oneSeen()
		pass(30*time.Second - time.Millisecond)
		b.send(conn, q)
		if again := one(t, "the client got", p.got()); !bytes.Equal(again, first) {
			t.Errorf("after nearly 30 seconds the answer is %x, expected %x", again, first)
		}
		b.wantFates("accounting/duplicate_answered=1 accounting/relayed=1")
		pass(time.Millisecond)
		b.send(conn, q)
		b.oneSeen()
		b.wantFates("accounting/duplicate_answered=1 accounting/relayed=2")
	})
}

// The same for accounting: the server's own answer is repeated.
// Rules: P61, P71
func TestDuplicateAccounting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		b.net.setServe(func(s []byte) [][]byte { return [][]byte{respond(s, 5)} })
		q := makeRequest(4, 5, 0, nemo, text(44, "session"))
		for range 3 {
			b.send(conn, q)
			checkAnswer(t, q, one(t, "the client got", p.got()), 5)
		}
		b.oneSeen()
		b.wantFates("accounting/duplicate_answered=2 accounting/relayed=1")
	})
}

// A packet that does not verify affects neither the request in flight nor the kept answer (RFC
// 5080 §2.2.2).
// Rules: P62
func TestBadPacketLeavesTheHistoryAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		q := makeRequest(1, 5, 1, nemo, mac)
		bad := makeRequest(1, 5, 9, user("evil@example.org"), mac)
		bad[len(bad)-1] ^= 1
		b.send(conn, q)
		if b.send(conn, bad) == nil {
			t.Error("a wrong Message-Authenticator does not close the connection")
		}
		conn.closeErr = nil // to see what is kept, although the connection must be closed
		seen := b.net.seen()
		seen[0].from.in <- respond(seen[0].octets, 2, mac)
		synctest.Wait()
		first := one(t, "the client got", p.got())
		b.send(conn, bad)
		conn.closeErr = nil
		b.send(conn, q)
		if again := one(t, "the client got", p.got()); !bytes.Equal(first, again) {
			t.Error("the kept answer was lost to a packet that does not verify")
		}
		b.wantFates("access/bad_message_authenticator=2 access/duplicate_answered=1 access/relayed=1")
	})
}

// Packets after one that must close the connection are not relayed, those before it are (RFC
// 6613 §2.6.4).
// Rules: P5
func TestNothingAfterABadPacketIsRelayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, _ := b.open()
		bad := makeRequest(1, 2, 2, nemo, mac)
		bad[len(bad)-1] ^= 1
		for _, q := range [][]byte{makeRequest(1, 1, 1, nemo, mac), bad, makeRequest(1, 3, 3, nemo, mac)} {
			if err := b.put(conn, q); err != nil {
				t.Fatalf("the burst was not over: %v", err)
			}
		}
		if err := conn.Flush(); !errors.Is(err, wire.ErrMessageAuthenticator) {
			t.Errorf("Flush: %v, expected the refusal of the second packet", err)
		}
		if err := conn.Packet(makeRequest(1, 4, 4, nemo, mac)); !errors.Is(err, wire.ErrMessageAuthenticator) {
			t.Errorf("a later packet: %v, expected the same refusal", err)
		}
		if n := len(b.net.seen()); n != 1 {
			t.Errorf("the server got %d requests, expected the first", n)
		}
		conn.Closed()
		b.wantFates("access/bad_message_authenticator=1 access/client_gone=2")
	})
}

// Some clients send their second EAP round with the Identifier and Request Authenticator of
// the first: it is another request because its contents differ.
// Rules: P60, P61
func TestSameIdentifierAndAuthenticatorOtherContents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		b.net.setServe(func(s []byte) [][]byte {
			return [][]byte{respond(s, 11, mac, text(24, joined(s, 79)), eap(1))}
		})
		for _, round := range []string{"round one", "round two"} {
			q := makeRequest(1, 0, 1, nemo, text(79, round), mac)
			b.send(conn, q)
			a := one(t, "the client got", p.got())
			checkAnswer(t, q, a, 11)
			if joined(a, 24) != round {
				t.Errorf("%s was answered with %q", round, joined(a, 24))
			}
		}
		if n := len(b.net.seen()); n != 2 {
			t.Errorf("the server got %d datagrams, expected both rounds", n)
		}
		b.wantFates("access/relayed=2")
	})
}

// A request whose Identifier the client uses again is superseded: it is not resent and its
// reply is dropped; the new one is answered.
// Rules: P26, P54, P60
func TestSuperseded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		old := makeRequest(1, 5, 1, user("old@example.org"))
		q := makeRequest(1, 5, 2, user("new@example.org"))
		b.put(conn, old) // in one burst: the old one is still in the batch
		b.send(conn, q)
		seen := b.net.seen()
		if len(seen) != 2 {
			t.Fatalf("the server got %d datagrams, expected both", len(seen))
		}
		if seen[0].octets[1] == seen[1].octets[1] {
			t.Error("both have one Identifier at the server, where the first is not answered yet")
		}
		b.wantFates("access/superseded=1")
		pass(2500 * time.Millisecond)
		resent := b.net.seen()
		if len(resent) != 1 || !bytes.Equal(resent[0].octets, seen[1].octets) {
			t.Errorf("expected only the new request to be resent, octet by octet; got %d", len(resent))
		}
		seen[0].from.in <- respond(seen[0].octets, 2, mac)
		synctest.Wait()
		none(t, "after the reply to the old request the client got", p.got())
		seen[1].from.in <- respond(seen[1].octets, 3, mac)
		synctest.Wait()
		checkAnswer(t, q, one(t, "the client got", p.got()), 3)
		b.wantFates("access/relayed=1 access/superseded=1")
		b.wantResults("accepted=1 unmatched=1")
	})
}

// Three in one burst under one Identifier: each has its own fate.
// Rules: P60
func TestSupersededTwiceInOneBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		b.net.setServe(func(s []byte) [][]byte { return [][]byte{respond(s, 3, mac)} })
		for i := range 3 {
			b.put(conn, makeRequest(1, 5, i, nemo))
		}
		b.send(conn, makeRequest(1, 5, 2, nemo))
		p.got()
		b.stop()
		if n := int(b.sum("radsec_gw_requests_total")); n != 4 {
			t.Errorf("%d fates, expected 4: %s", n, b.fates())
		}
	})
}

// After the connection has ended nothing is resent, replies are dropped, kept answers are
// removed, and no Identifier is lost.
// Rules: P26, P59, P63, C7
func TestClientGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		b.net.setServe(func(s []byte) [][]byte {
			if s[0] == 4 {
				return [][]byte{respond(s, 5)}
			}
			return nil
		})
		b.send(conn, makeRequest(4, 1, 0, nemo))
		q := makeRequest(1, 1, 1, nemo)
		b.send(conn, q)
		b.put(conn, makeRequest(1, 2, 2, nemo)) // still in the batch
		p.got()
		conn.Closed()
		synctest.Wait()
		b.wantFates("access/client_gone=2 accounting/relayed=1")
		seen := b.net.seen()
		if n := b.relay.kept.Load(); n != 0 {
			t.Errorf("%d octets of answers are kept for a connection that is gone", n)
		}
		pass(20 * time.Second)
		if n := len(b.net.seen()); n != 0 {
			t.Errorf("%d resends for a client that is gone, expected none", n)
		}
		seen[1].from.in <- respond(seen[1].octets, 2, mac)
		synctest.Wait()
		none(t, "after its end the connection got", p.got())
		pass(time.Minute)
		if n := b.sum("radsec_gw_server_outstanding_requests"); n != 0 {
			t.Errorf("%v Identifiers are taken long after the schedule, expected none", n)
		}
		// What the client sends again on a new connection is a new request.
		l2, p2 := b.open()
		b.net.setServe(func(s []byte) [][]byte { return [][]byte{respond(s, 2, mac)} })
		b.send(l2, q)
		checkAnswer(t, q, one(t, "the client got", p2.got()), 2)
		b.wantFates("access/client_gone=2 access/relayed=1 accounting/relayed=1")
	})
}

// Two connections of one client share nothing.
// Rules: P29, P61, P63, P111
func TestConnectionsAreSeparate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		l1, p1 := b.open()
		l2, p2 := b.open()
		q := makeRequest(1, 5, 1, nemo)
		b.send(l1, q)
		b.send(l2, q)
		seen := b.net.seen()
		if len(seen) != 2 {
			t.Fatalf("the server got %d datagrams, expected both", len(seen))
		}
		seen[1].from.in <- respond(seen[1].octets, 2, mac)
		synctest.Wait()
		none(t, "the first connection got", p1.got())
		checkAnswer(t, q, one(t, "the second connection got", p2.got()), 2)
		seen[0].from.in <- respond(seen[0].octets, 3, mac)
		synctest.Wait()
		checkAnswer(t, q, one(t, "the first connection got", p1.got()), 3)
		none(t, "the second connection got", p2.got())
		b.wantFates("access/relayed=2")
	})
}

// A request that failed without an answer is relayed when the client repeats it.
// Rules: P61
func TestRepeatedAfterSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict, onUnreachable: Silent,
			server: udpback.ServerConfig{Schedule: udpback.Schedule{Initial: time.Second, Count: 1, Duration: 2 * time.Second}}})
		conn, p := b.open()
		q := makeRequest(1, 5, 1, nemo)
		b.send(conn, q)
		pass(5 * time.Second)
		none(t, "the client got", p.got())
		b.net.setServe(func(s []byte) [][]byte { return [][]byte{respond(s, 2, mac)} })
		b.send(conn, q)
		checkAnswer(t, q, one(t, "the client got", p.got()), 2)
		b.wantFates("access/relayed=1 access/server_silent=1")
	})
}
