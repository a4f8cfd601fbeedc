package interop

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"radsec-gw/bench/scrape"
	"radsec-gw/probe"
)

// Every Access-Request is counted with exactly one fate, and what went to the server is counted too.
func TestFatesAreCounted(t *testing.T) {
	const (
		relayed = `radsec_gw_requests_total{client="interop",fate="relayed",kind="access"}`
		forged  = `radsec_gw_requests_total{client="interop",fate="bad_message_authenticator",kind="access"}`
	)
	before := shared.counters(t)
	shared.probe(probe.Config{Kind: probe.Access, User: "bob", Password: userPassword})
	shared.probe(probe.Config{Kind: probe.Access, User: "bob", Password: wrongPassword})
	shared.probe(probe.Config{Kind: probe.Access, User: "bob", Password: userPassword, Secret: "another-secret"})
	after := shared.counters(t)
	for series := range after {
		want := map[string]float64{relayed: 2, forged: 1}[series]
		if strings.HasPrefix(series, "radsec_gw_requests_total{") && strings.Contains(series, `kind="access"`) && after[series]-before[series] != want {
			t.Errorf("%s grew by %v, want %v", series, after[series]-before[series], want)
		}
	}
	if _, ok := after[relayed]; !ok {
		t.Errorf("there is no %s", relayed)
	}
}

// counters reads the gateway's metrics.
func (b *bed) counters(t *testing.T) scrape.Metrics {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	m, err := scrape.Get(ctx, fmt.Sprintf("http://127.0.0.1:%d/metrics", b.ports.metrics))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// awaitGrowth waits until a number that only grows is above before.
func awaitGrowth(t *testing.T, name string, before float64, read func() float64) {
	t.Helper()
	for deadline := time.Now().Add(patience); read() <= before; {
		if time.Now().After(deadline) {
			t.Errorf("%s did not grow above %v within %v", name, before, patience)
			return
		}
	}
}
