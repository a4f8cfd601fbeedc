package gateway

import (
	"slices"
	"testing"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/web"
	"radsec-gw/web/status"
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

// What the spool has acknowledged is not refused, and what it could not store is.
func TestSpooledIsNotRefused(t *testing.T) {
	var fates [metrics.NumFates]uint64
	fates[metrics.FateSpooled], fates[metrics.FateSpoolFailed] = 3, 2
	got := slices.DeleteFunc(refusalList([metrics.NumHandshakes]uint64{}, fates, nil), func(r status.Refusal) bool { return r.Count == 0 })
	if want := []status.Refusal{{What: "request", Reason: "spool_failed", Count: 2}}; !slices.Equal(got, want) {
		t.Errorf("got %+v, expected %+v", got, want)
	}
}

// Dropped replies are a problem since they began this time, and not since the first ever.
func TestDroppedRepliesSinceTheyBegan(t *testing.T) {
	g := startUnwatched(t)
	now := time.Now()
	c := web.Changes{First: now.Add(-24 * time.Hour), Began: now.Add(-time.Minute), Last: now}
	servers := []metrics.ServerCounts{{}}
	servers[0].Replies[metrics.ReplyMalformed] = 7
	s := &status.Snapshot{Time: now}
	(&assembler{g: g.gw}).addRefusals(s, nil, servers, nil, func(string) web.Changes { return c })
	s.FindProblems()
	i := slices.IndexFunc(s.Problems, func(p status.Problem) bool { return p.Kind == "replies_dropped" })
	if i < 0 || s.Problems[i].Since == nil || !s.Problems[i].Since.Equal(c.Began) || !s.Refusals[0].FirstAt.Equal(c.First) {
		t.Errorf("expected dropped replies since %v, and the first of all at %v, got %+v and %+v", c.Began, c.First, s.Problems, s.Refusals)
	}
}
