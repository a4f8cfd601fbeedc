//go:build !race && !lockorder

package audit

import (
	"io"
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
