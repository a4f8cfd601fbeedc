package relay

import (
	"fmt"
	"testing"
	"testing/synctest"
)

// A connection has 256 Identifiers of a code, including 0. It has at most as many requests in
// flight, because one that uses an Identifier again supersedes the earlier one (RFC 6613
// §2.6.5, RFC 5080 §2.2.2).
// Rules: P27, P60
func TestNoMoreThan256OfACodeAreInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		for i := range 300 {
			b.put(conn, makeRequest(1, byte(i), i, nemo, text(18, fmt.Sprint(i))))
		}
		conn.Flush()
		synctest.Wait()
		none(t, "the client got", p.got())
		if n := conn.Outstanding(); n != 256 {
			t.Errorf("%d requests are in flight, expected 256", n)
		}
		b.wantFates("access/superseded=44")
		for _, s := range b.net.seen() {
			s.from.in <- respond(s.octets, 2, mac, text(18, joined(s.octets, 18)))
		}
		synctest.Wait()
		answers := map[byte]string{}
		for _, a := range p.got() {
			answers[a[1]] += joined(a, 18)
		}
		for i := 44; i < 300; i++ { // 0 to 43 were used twice: the later request counts
			if got := answers[byte(i)]; got != fmt.Sprint(i) {
				t.Errorf("Identifier %d: answered %q, expected the answer to request %d only", byte(i), got, i)
			}
		}
		b.wantFates("access/relayed=256 access/superseded=44")
	})
}

// Two requests that have only the Identifier and Proxy-State in common are not duplicates:
// Proxy-State does not identify a request (RFC 2865 §5.33).
// Rules: P33
func TestProxyStateDoesNotMakeADuplicate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		b.net.setServe(func(s []byte) [][]byte { return [][]byte{respond(s, 2, mac, text(18, joined(s, 1)))} })
		for i, name := range []string{"nemo@example.org", "dory@example.org"} {
			q := makeRequest(1, 9, i, user(name), proxyState("the same"))
			b.send(conn, q)
			a := one(t, "the client got", p.got())
			checkAnswer(t, q, a, 2)
			if joined(a, 18) != name {
				t.Errorf("%s got the answer to %s", name, joined(a, 18))
			}
		}
		b.wantFates("access/relayed=2")
	})
}

// If an answer is not kept, because the limit is reached, a duplicate of its request is
// dropped: it is not relayed a second time (RFC 5080 §2.2.2).
// Rules: P61
func TestDuplicateWhoseAnswerIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		b.net.setServe(func(s []byte) [][]byte { return [][]byte{respond(s, 2, mac)} })
		b.relay.kept.Add(maxKept)
		q := makeRequest(1, 9, 1, nemo)
		b.send(conn, q)
		checkAnswer(t, q, one(t, "the client got", p.got()), 2)
		b.send(conn, q)
		none(t, "the client got for the duplicate", p.got())
		if n := len(b.net.seen()); n != 1 {
			t.Errorf("the server got %d requests, expected one", n)
		}
		b.relay.kept.Add(-maxKept)
		b.wantFates("access/duplicate_dropped=1 access/relayed=1")
	})
}
