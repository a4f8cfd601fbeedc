package relay

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"testing/synctest"

	"layeh.com/radius"

	"radsec-gw/wire"
)

// More than 256 requests of a kind may be in flight on one connection. Their replies arrive in
// any order, and each answer has its Token.
// Rules: P122, P123, P130
func TestManyInFlight11(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open11()
		asks := map[uint32][]byte{}
		for i := range uint32(600) {
			token := 0xffffff00 + i // wraps around
			asks[token] = makeRequest11(1, token, nemo, integer(5, token))
			if err := b.put(conn, asks[token]); err != nil {
				t.Fatal(err)
			}
		}
		conn.Flush()
		synctest.Wait()
		if n := conn.Outstanding(); n != 600 {
			t.Fatalf("%d requests are outstanding, expected 600", n)
		}
		seen := b.net.seen()
		slices.Reverse(seen)
		for _, s := range seen {
			s.from.in <- respond(s.octets, 2, mac, attr{25, values(s.octets, 5)[0]})
		}
		synctest.Wait()
		for _, a := range p.got() {
			token := binary.BigEndian.Uint32(a[4:])
			checkAnswer11(t, asks[token], a, 2)
			if got := values(a, 25)[0]; binary.BigEndian.Uint32(got) != token {
				t.Errorf("Token %#x got the reply to %x", token, got)
			}
			delete(asks, token)
		}
		if len(asks) != 0 || conn.Outstanding() != 0 {
			t.Errorf("%d requests have no answer, %d count as outstanding", len(asks), conn.Outstanding())
		}
		b.wantFates("access/relayed=600")
	})
}

// The same packet again is dropped while it is in flight, whatever its reserved octets are; a
// Token can be used again after its answer; and each connection has its own Tokens.
// Rules: P59, P124
func TestTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open11()
		other, _ := b.open11()
		q := makeRequest11(1, 7, nemo)
		again := bytes.Clone(q)
		again[1], again[19] = 1, 2
		b.send(conn, q)
		b.send(conn, again)
		b.send(other, makeRequest11(1, 7, user("nora@example.org")))
		seen := b.net.seen()
		if len(seen) != 2 {
			t.Fatalf("the servers got %d requests, expected one of each connection", len(seen))
		}
		seen[0].from.in <- respond(seen[0].octets, 2, mac)
		synctest.Wait()
		checkAnswer11(t, q, one(t, "the client got", p.got()), 2)
		b.send(conn, q) // a new request: nothing says that it is not
		b.oneSeen()
		b.stop()
		b.wantFates("access/client_gone=2 access/duplicate_dropped=1 access/relayed=1")
	})
}

// Another packet with the Token of one that is unanswered closes the connection, even with
// another code (RFC 9765 §4.2.2).
// Rules: P124
func TestTokenReused(t *testing.T) {
	for _, second := range [][]byte{
		makeRequest11(1, 7, user("nora@example.org")),
		makeRequest11(4, 7, nemo),
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, settings{policy: strict})
			conn, p := b.open11()
			b.send(conn, makeRequest11(1, 7, nemo))
			if err := b.send(conn, second); err == nil {
				t.Error("the connection stays open")
			}
			none(t, "the client got", p.got())
			b.stop()
			kind := wire.KindOf(wire.Code(second[0])).String()
			b.wantFates(map[string]string{
				"access":     "access/client_gone=1 access/token_reused=1",
				"accounting": "access/client_gone=1 accounting/token_reused=1",
			}[kind])
		})
	}
}

// A connection has at most maxTokens requests in flight: the next is refused immediately.
// Rules: P96, P100, P124
func TestTooManyInFlight11(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open11()
		for i := range uint32(maxTokens) {
			b.put(conn, makeRequest11(4, i, nemo))
		}
		b.send(conn, makeRequest11(12, 1<<20))
		if n := conn.Outstanding(); n != maxTokens || len(p.got()) != 1 {
			t.Fatalf("%d requests are outstanding, expected %d, and Status-Server answered", n, maxTokens)
		}
		for _, row := range []struct {
			code radius.Code
			want expectation
		}{{1, expectation{52, 505}}, {4, expectation{52, 505}}, {43, expectation{45, 506}}} {
			q := makeRequest11(row.code, 1<<21, nemo, proxyState("x"))
			b.send(conn, q)
			checkOwn11(t, q, p.got(), row.want)
		}
		b.stop()
		b.wantFates("access/too_many_outstanding=1 accounting/client_gone=4096 accounting/too_many_outstanding=1 coa/too_many_outstanding=1 status/status_answered=1")
	})
}
