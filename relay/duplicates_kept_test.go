package relay

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/wire"
)

// wantKept fails the test unless answers are kept, or none is.
func (b *bed) wantKept(when string, want bool) {
	b.t.Helper()
	if n := b.relay.kept.Load(); n > 0 != want || n < 0 {
		b.t.Errorf("%s: %d octets of answers are kept, expected some: %v", when, n, want)
	}
}

// An answer is kept for five seconds and then removed: the first one immediately, those after
// it a little later. Requests in flight are not removed.
// Rules: P61
func TestKeptAnswersExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		b.net.setServe(func(s []byte) [][]byte {
			if joined(s, 1) == "slow@example.org" {
				return nil
			}
			return accept(s)
		})
		conn, p := b.open()
		slow := makeRequest(1, 9, 9, user("slow@example.org"))
		b.send(conn, slow)
		s := b.net.seen()[0]
		for round := range 2 { // the timer is started again each time
			b.send(conn, makeRequest(4, 1, 0, nemo, integer(55, uint32(round))))
			b.wantKept("after the answer", true)
			pass(keepAnswers - time.Nanosecond)
			b.wantKept("shortly before its time", true)
			pass(time.Nanosecond)
			b.wantKept("at its time", false)
			pass(time.Second)
		}
		accounting := func() (n int) { // requests that the server has got; the slow one comes again and again
			for _, d := range b.net.seen() {
				if d.octets[0] == 4 {
					n++
				}
			}
			return n
		}
		first, second := makeRequest(1, 1, 1, nemo), makeRequest(4, 2, 0, nemo)
		b.send(conn, first)
		pass(3 * time.Second)
		b.send(conn, second)
		p.got()
		b.net.seen()
		pass(keepAnswers - time.Nanosecond) // the first is forgotten, the second is not
		b.send(conn, second)
		one(t, "a duplicate just before the end of its time got", p.got())
		if n := accounting(); n != 0 {
			t.Errorf("the server got %d datagrams for a duplicate, expected none", n)
		}
		pass(time.Nanosecond)
		b.send(conn, second)
		if n := accounting(); n != 1 {
			t.Errorf("when its time is over the server got %d datagrams, expected a new request", n)
		}
		one(t, "which was answered", p.got())
		pass(2*keepAnswers - 3*time.Second)
		b.wantKept("long after", false)
		s.from.in <- respond(s.octets, 2, mac)
		synctest.Wait()
		checkAnswer(t, slow, one(t, "the answer that took longer", p.got()), 2)
	})
}

// The kept answer to an Identifier's earlier request is removed by the next request.
// Rules: P60
func TestKeptAnswerIsRemovedWithItsIdentifier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		b.net.setServe(func(s []byte) [][]byte { return accept(s) })
		conn, _ := b.open()
		b.send(conn, makeRequest(1, 1, 1, nemo))
		b.wantKept("after the answer", true)
		b.net.setServe(nil)
		b.send(conn, makeRequest(1, 1, 2, nemo))
		b.wantKept("when the Identifier has come again", false)
	})
}

// If maxKept octets are kept, no more answers are: a duplicate is then dropped, and not
// relayed twice.
// Rules: P61, P100
func TestKeptAnswersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		b.net.setServe(func(s []byte) [][]byte { return accept(s) })
		conn, p := b.open()
		for i, row := range []struct {
			kept  int64 // octets, on all connections
			again int   // answers to a duplicate
		}{{maxKept - 1, 1}, {maxKept, 0}} {
			others := row.kept - b.relay.kept.Load()
			b.relay.kept.Add(others)
			q := makeRequest(1, byte(i), i, nemo)
			b.send(conn, q)
			b.relay.kept.Add(-others)
			one(t, "the client got", p.got())
			b.send(conn, q)
			if n := len(p.got()); n != row.again {
				t.Errorf("with %d octets kept, a duplicate got %d answers, expected %d", row.kept, n, row.again)
			}
		}
		if n := len(b.net.seen()); n != 2 {
			t.Errorf("the server got %d requests, expected each once", n)
		}
		b.wantFates("access/duplicate_answered=1 access/duplicate_dropped=1 access/relayed=2")
	})
}

// The memory of kept answers is reused, whether they have expired, their Identifier was used
// again or their connection has ended.
func TestKeptAnswersAreRecycled(t *testing.T) {
	const rounds = 40
	for name, do := range map[string]func(b *bed, conn *Connection, i int){
		"expired":            func(b *bed, conn *Connection, i int) { pass(keepAnswers) },
		"superseded":         func(b *bed, conn *Connection, i int) {},
		"connection is over": func(b *bed, conn *Connection, i int) { conn.Closed() },
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, settings{policy: strict})
			long := fill(200, 3000)
			b.net.setServe(func(s []byte) [][]byte { return accept(s, long...) })
			var conn *Connection
			_, buffers := b.reuse(rounds, func(i int) {
				if conn == nil || name == "connection is over" {
					conn, _ = b.open()
				}
				b.send(conn, makeRequest(4, 1, 0, nemo, integer(55, uint32(i))))
				b.wantKept("after the answer", true)
				do(b, conn, i)
			})
			if buffers >= rounds {
				t.Errorf("%s: %d buffers were made for %d answers, expected fewer", name, buffers, rounds)
			}
		})
	}
}

// A request that is superseded is no longer outstanding, even if its first transmission is
// still in the batch.
// Rules: P60
func TestSupersededAreNotOutstanding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		for i := range 5 {
			b.put(conn, makeRequest(1, 1, i, nemo))
		}
		conn.Flush()
		synctest.Wait()
		if n := conn.Outstanding(); n != 1 {
			t.Errorf("%d requests are outstanding, expected the last", n)
		}
		b.wantFates("access/superseded=4")
		seen := b.net.seen()
		pass(2500 * time.Millisecond)
		if again := b.net.seen(); len(seen) != 5 || len(again) != 1 || !bytes.Equal(again[0].octets, seen[4].octets) {
			t.Errorf("%d datagrams, and %d later; expected five, and the last again", len(seen), len(again))
		}
		for _, s := range seen {
			s.from.in <- respond(s.octets, 2, mac)
		}
		synctest.Wait()
		one(t, "the client got", p.got())
		if n := conn.Outstanding(); n != 0 || conn.recent[wire.KindAccess][1].flight != nil {
			t.Errorf("%d requests are outstanding, expected none", n)
		}
	})
}

// The gateway's own answer to a CoA that failed is kept for five seconds only: the NAS has not
// answered it, so the same request may be a new try within its window.
// Rules: P61, P91, P94
func TestFailedCoAIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		b.rules.Timestamps.Window = 5 * time.Minute
		b.net.setServe(func([]byte) [][]byte { return [][]byte{nil} })
		conn, p := b.open()
		q := makeRequest(43, 1, 0, nemo)
		b.send(conn, q)
		checkOwn(t, q, p.got(), expectation{45, 406})
		b.net.seen()
		if p.flushes != 1 {
			t.Errorf("the connection was flushed %d times after the NAK, expected once", p.flushes)
		}
		pass(keepAnswers)
		b.send(conn, q)
		checkOwn(t, q, p.got(), expectation{45, 406})
		if n := len(b.net.seen()); n != 1 {
			t.Errorf("the NAS got %d requests, expected a new try", n)
		}
	})
}

// Later answers do not delay the removal of earlier ones.
// Rules: P61
func TestKeptAnswersExpireOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		b.net.setServe(func(s []byte) [][]byte { return accept(s) })
		conn, _ := b.open()
		each := int64(0)
		for i, want := range []int64{1, 2, 2, 3, 3} { // every five seconds, while there are any, those are forgotten whose time is over
			b.send(conn, makeRequest(4, byte(i), 0, nemo))
			if i == 0 {
				each = b.relay.kept.Load()
			}
			if n := b.relay.kept.Load(); n != want*each {
				t.Errorf("after answer %d %d octets are kept, expected %d of %d each", i, n, want, each)
			}
			pass(3 * time.Second)
		}
	})
}

// The kept answer that a duplicate gets is flushed like a new one, not left to the next.
// Rules: P59
func TestKeptAnswerIsFlushed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		b.net.setServe(func(s []byte) [][]byte { return accept(s) })
		conn, p := b.open()
		q := makeRequest(1, 1, 1, nemo)
		b.send(conn, q)
		one(t, "the client got", p.got())
		before := p.flushes
		b.send(conn, q)
		one(t, "for the duplicate the client got", p.got())
		if n := p.flushes - before; n != 1 {
			t.Errorf("the connection was flushed %d times for the duplicate, expected once", n)
		}
	})
}

// A reply to a request that was superseded leaves nothing to flush.
// Rules: P59
func TestLateReplyFlushesNothing(t *testing.T) {
	for _, v11 := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, settings{policy: strict})
			conn, p := b.open()
			var req *request
			if v11 {
				conn, p = b.open11()
				b.send(conn, makeRequest11(1, 1, nemo))
				req = conn.inFlight11[1]
			} else {
				b.send(conn, makeRequest(1, 1, 1, nemo))
				req = conn.recent[wire.KindAccess][1].flight
			}
			req.Handler = &closing{req}
			s := b.net.seen()
			s[0].from.in <- respond(s[0].octets, 2, mac)
			synctest.Wait()
			none(t, "the client got", p.got())
			if p.flushes != 0 {
				t.Errorf("the connection was flushed %d times, expected never", p.flushes)
			}
			b.wantFates("access/client_gone=1")
		})
	}
}
