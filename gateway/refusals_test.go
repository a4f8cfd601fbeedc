package gateway

import (
	"testing"

	"radsec-gw/metrics"
)

// The counters that are watched are always the same: one that falls to 0 because its server is
// gone is there with 0, so that what is counted next is a change.
func TestWatchedCountersAreAlwaysThere(t *testing.T) {
	g := startUnwatched(t)
	counts, name := newRefusalCounts(g.gw), "reply "+metrics.ReplyMalformed.String()
	counters := func() (n uint64, known bool) {
		n, known = counts.all()[name]
		return n, known
	}
	if n, known := counters(); !known || n != 0 {
		t.Errorf("before anything was refused expected %s to be 0, got %d (there: %v)", name, n, known)
	}
	g.gw.metrics.Server("gone", metrics.PortAuth).CountReply(metrics.ReplyMalformed)
	if n, _ := counters(); n != 1 {
		t.Errorf("expected 1 %s, got %d", name, n)
	}
	g.gw.metrics.KeepServers(func(name string, _ metrics.Port) bool { return name != "gone" })
	if n, known := counters(); !known || n != 0 {
		t.Errorf("when its server is gone expected %s to be 0, got %d (there: %v)", name, n, known)
	}
	if list := statusOf(t, g.gw).Refusals; len(list) != 0 {
		t.Errorf("expected nothing to be listed that was never refused, got %+v", list)
	}
}
