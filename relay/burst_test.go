package relay

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// What a connection acquires for a burst it releases, and the next burst begins empty.
func TestBurstIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, settings{policy: strict})
		conn, p := b.open()
		bursts, batches := map[*burst]bool{}, map[*udpback.Batch]bool{}
		for i := range 40 {
			work := conn.acquireBurst()
			bursts[work], batches[work.batch] = true, true
			if len(work.queue) != 0 || slices.ContainsFunc(work.queue[:cap(work.queue)], func(req *request) bool { return req != nil }) || work.rules != nil || work.answered || work.view.Packet != nil {
				t.Fatalf("burst %d is not empty at its start", i)
			}
			b.send(conn, makeRequest(12, byte(i), i, mac))
			if conn.burst != nil {
				t.Fatal("the connection is idle and has a burst, expected none")
			}
		}
		if len(bursts) == 40 || len(batches) == 40 {
			t.Errorf("40 bursts made %d bursts and %d batches, expected fewer", len(bursts), len(batches))
		}
		if p.flushes != 40 || len(p.got()) != 40 {
			t.Errorf("40 answers were flushed %d times, expected each once", p.flushes)
		}
		b.send(conn, makeRequest(1, 1, 1, nemo))
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
			b.send(conn, makeRequest(1, byte(i), i, nemo))
			if req := conn.recent[wire.KindAccess][i].flight; b.back.Now() != req.arrived {
				t.Fatalf("request %d arrived at %v, expected %v", i, req.arrived, b.back.Now())
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
