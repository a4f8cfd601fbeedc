//go:build linux && !race && !lockorder

package dtlsfront_test

import (
	"runtime"
	"testing"
	"time"

	"radsec-gw/dtlsfront"
)

// A packet and its answer allocate nothing, over a socket and through all of the front.
// Rules: DT3
func TestPacketAllocatesNothing(t *testing.T) {
	f := start(t)
	b := f.bare(t)
	e := f.session()
	e.quiet.Store(true)
	p := packet(1, 200)
	b.conn.SetReadDeadline(time.Now().Add(patience))
	round := func(n int) {
		for range n {
			b.send(t, f, p, 8)
			b.receive(t, 8)
		}
	}
	round(100)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	round(1000)
	runtime.ReadMemStats(&after)
	if n := float64(after.Mallocs-before.Mallocs) / 8000; n > 0.1 { // pools are emptied by the collector
		t.Errorf("%.2f allocations for a packet and its answer, expected none", n)
	}
	if n := f.server.Count(dtlsfront.RecordForged); n != 0 {
		t.Errorf("%d records are forged", n)
	}
}
