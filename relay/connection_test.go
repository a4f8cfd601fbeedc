package relay

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// What a link borrows for a burst it gives back, and the next burst begins with nothing.
func TestBurstIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		bursts, batches := map[*burst]bool{}, map[*udpback.Batch]bool{}
		for i := range 40 {
			work := conn.acquireBurst()
			bursts[work], batches[work.batch] = true, true
			if len(work.queue) != 0 || slices.ContainsFunc(work.queue[:cap(work.queue)], func(req *request) bool { return req != nil }) || work.rules != nil || work.answered || work.view.Packet != nil {
				t.Fatalf("burst %d begins with what an earlier one has left", i)
			}
			b.send(conn, makeRequest(12, byte(i), i, mac))
			if conn.burst != nil {
				t.Fatal("the link is idle and has a burst, expected none")
			}
		}
		if len(bursts) == 40 || len(batches) == 40 {
			t.Errorf("40 bursts made %d bursts and %d batches, expected fewer", len(bursts), len(batches))
		}
		if p.flushes != 40 || len(p.got()) != 40 {
			t.Errorf("40 answers were flushed %d times, expected each once", p.flushes)
		}
		b.send(conn, makeRequest(1, 1, 1, user("nemo@example.org")))
		if p.flushes != 40 {
			t.Error("the connection was flushed, and nothing had been sent on it")
		}
	})
}

// A burst has a time of its own: a request is not older than its packet.
func TestEachBurstHasItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, _ := b.open()
		for i := range 10 {
			pass(time.Second)
			b.send(conn, makeRequest(1, byte(i), i, user("nemo@example.org")))
			if req := conn.recent[wire.KindAccess][i].flight; b.back.Now() != req.arrived {
				t.Fatalf("request %d came at %v, expected %v", i, req.arrived, b.back.Now())
			}
		}
	})
}

// More packets than the digests of one burst hold are carried on in order, each once.
// Rules: P29
func TestLongBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		const n = 3*wire.MaxDigests + 5
		for i := range n {
			if err := b.put(conn, makeRequest(12, byte(i), i, mac)); err != nil {
				t.Fatal(err)
			}
			if waiting := len(conn.burst.queue); waiting != (i+1)%wire.MaxDigests {
				t.Fatalf("of %d packets %d wait for their digests, expected %d", i+1, waiting, (i+1)%wire.MaxDigests)
			}
		}
		conn.Flush()
		got := p.got()
		if len(got) != n {
			t.Fatalf("%d answers, expected %d", len(got), n)
		}
		for i, a := range got {
			if a[1] != byte(i) {
				t.Fatalf("answer %d has Identifier %d, expected %d", i, a[1], byte(i))
			}
		}
	})
}

// Rules and policies take effect with the next request, on open connections too.
// Rules: P74
func TestSetClientAndRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		b.send(conn, makeRequest(1, 1, 1, user("nemo@example.org")))
		none(t, "the client got", p.got())
		other := *b.rules
		other.OnUnroutable = Silent
		b.relay.SetRules(&other)
		b.send(conn, makeRequest(1, 2, 2, user("nemo@elsewhere.example")))
		none(t, "under new rules the client got", p.got())
		strictest := *b.client
		strictest.Allowed = [wire.NumKinds]bool{}
		b.known.Reconfigure(&strictest)
		b.send(conn, makeRequest(1, 3, 3, user("nemo@example.org")))
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

// What follows a packet that costs the connection has one fate, however much it is, and
// whoever asks is told why nothing more is taken.
// Rules: P5
func TestAllBehindABadPacketIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		bad := makeRequest(12, 1, 1, mac)
		bad[30] ^= 1
		b.put(conn, bad)
		var err error
		for i := 1; i < wire.MaxDigests && err == nil; i++ {
			err = b.put(conn, makeRequest(12, byte(i), i, mac))
		}
		if !errors.Is(err, wire.ErrMessageAuthenticator) || b.packets != wire.MaxDigests {
			t.Errorf("after %d packets: %v, expected the refusal of the first with the last that fits", b.packets, err)
		}
		for range 2 { // while there is a burst, and without one
			if err := conn.Flush(); !errors.Is(err, wire.ErrMessageAuthenticator) {
				t.Errorf("Flush: %v, expected the refusal", err)
			}
		}
		none(t, "the client got", p.got())
		b.wantFates(fmt.Sprintf("status/bad_message_authenticator=1 status/client_gone=%d", wire.MaxDigests-1))
	})
}

// Rules: P100
func TestPeerThatDoesNotTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict, onUnreachable: Reject, onUnroutable: Reject,
			server: udpback.ServerConfig{Schedule: udpback.Schedule{Initial: time.Second, Count: 1, Duration: 2 * time.Second}}})
		conn, p := b.open()
		p.deaf, p.ended = true, metrics.ClosedNotReading
		b.net.setServe(func(s []byte) [][]byte {
			if joined(s, 1) == "silent@example.org" {
				return nil
			}
			return [][]byte{respond(s, 2, mac)}
		})
		b.send(conn, makeRequest(1, 1, 1, user("nemo@example.org")))
		b.send(conn, makeRequest(1, 1, 1, user("nemo@example.org"))) // the kept answer is not taken either
		b.send(conn, makeRequest(1, 2, 1, user("nemo@elsewhere.example")))
		b.send(conn, makeRequest(12, 3, 1, mac))
		b.send(conn, makeRequest(1, 4, 1, user("silent@example.org")))
		pass(5 * time.Second)
		b.wantFates("access/client_not_reading=4 status/client_not_reading=1")
	})
}

// Requests of a connection that ends count by why it ends: those that are
// answered when it takes no answer any more, and those that are not answered.
func TestFatesOfAConnectionThatEnds(t *testing.T) {
	for reason, want := range map[metrics.Reason]string{
		metrics.ClosedShutdown:   "access/shutdown=2 status/shutdown=1",
		metrics.ClosedBroken:     "access/client_gone=2 status/client_gone=1", // a reset
		metrics.ClosedByPeer:     "access/client_gone=2 status/client_gone=1",
		metrics.ClosedNotReading: "access/client_gone=1 access/client_not_reading=1 status/client_not_reading=1",
		metrics.ClosedExpired:    "access/client_gone=2 status/client_gone=1",
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, settings{policy: strict})
			conn, p := b.open()
			b.net.setServe(func(s []byte) [][]byte {
				if joined(s, 1) == "silent@example.org" {
					return nil
				}
				return [][]byte{respond(s, 2, mac)}
			})
			b.send(conn, makeRequest(1, 1, 1, user("silent@example.org")))
			p.deaf, p.ended = true, reason
			b.send(conn, makeRequest(1, 2, 1, user("nemo@example.org")))
			b.send(conn, makeRequest(12, 3, 1, mac))
			synctest.Wait()
			conn.Closed()
			if got := b.fates(); got != want {
				t.Errorf("a connection that ends by %v leaves %s, want %s", reason, got, want)
			}
		})
	}
}

// Rules: P6
func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict, onUnreachable: Reject})
		conn, p := b.open()
		for i, code := range []radius.Code{1, 4, 40, 43} {
			b.send(conn, makeRequest(code, byte(i), 1, user("nemo@example.org")))
		}
		b.server.Close()
		none(t, "the client got", p.got())
		b.wantFates("access/shutdown=1 accounting/shutdown=1 coa/shutdown=1 disconnect/shutdown=1")
	})
}
