//go:build !race && !lockorder

package audit

import (
	"io"
	"log/slog"
	"sync/atomic"
	"testing"

	"layeh.com/radius"
)

// A line does not allocate, nor does an event without a listener.
func TestLinesDoNotAllocate(t *testing.T) {
	for _, show := range []Show{Hash, Full, Cut} {
		h, end := newHub(t, io.Discard, func(c *Config) { c.User, c.Station = show, show })
		e := login(t, "bob@example.org", radius.CodeAccessAccept)
		if n := testing.AllocsPerRun(1000, func() { h.Ended(e) }); n != 0 {
			t.Errorf("way %d: a line allocates %v times, want 0", show, n)
		}
		end()
	}
	var nobody *Hub
	if nobody.Listening() || nobody.Watching() {
		t.Error("a nil hub listens")
	}
}

// The steps do not allocate at level debug, and cost one load below it.
//
// Fault O5.
func TestDebugDoesNotAllocate(t *testing.T) {
	var level atomic.Int64
	level.Store(int64(slog.LevelDebug))
	h, _ := newHub(t, io.Discard, func(c *Config) { c.Level = func() slog.Level { return slog.Level(level.Load()) } })
	e := login(t, "bob@example.org", radius.CodeAccessAccept)
	e.Number, e.Route = 12, "example.org"
	all := steps(e)
	coa := reversed(t)
	all = append(all, sent(coa, false)...)
	answered(coa)
	if n := testing.AllocsPerRun(1000, func() {
		h.Arrived(e)
		for _, s := range all {
			h.Step(s)
		}
		h.Ended(e)
		h.Arrived(coa)
		h.Ended(coa)
	}); n != 0 {
		t.Errorf("the lines of a request allocate %v times, expected 0", n)
	}
}
