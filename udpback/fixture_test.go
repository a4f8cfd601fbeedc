package udpback

import (
	"io"
	"log/slog"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// fixture is a Backend on a fake network, with servers of one port each kind.
type fixture struct {
	backend *Backend
	reg     *prometheus.Registry
	net     *network
}

func newFixture(t *testing.T) *fixture {
	reg := prometheus.NewRegistry()
	n := newNetwork(t)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	return &fixture{backend: newBackend(metrics.New(reg), log, n.dial, n.lookup), reg: reg, net: n}
}

func (f *fixture) server(t *testing.T, name string, change func(*ServerConfig)) *Server {
	t.Helper()
	secret, err := wire.NewServerSecret([]byte(secretText))
	if err != nil {
		t.Fatal(err)
	}
	c := ServerConfig{Name: name, Address: ipOf(name).String(), AuthPort: 1812, AcctPort: 1813, CoAPort: 3799, Secret: secret}
	if change != nil {
		change(&c)
	}
	return f.backend.NewServer(c)
}

func (f *fixture) group(t *testing.T, balance Balance, servers ...*Server) *Group {
	t.Helper()
	g, err := f.backend.NewGroup(GroupConfig{Balance: balance}, servers...)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// start starts each owner's exchange in one batch.
func (f *fixture) start(t *testing.T, g *Group, owners ...*owner) {
	t.Helper()
	b := f.backend.AcquireBatch()
	for _, o := range owners {
		if err := g.Start(&o.Exchange, b); err != nil {
			t.Fatalf("Start: %v", err)
		}
	}
	b.Flush()
	f.backend.ReleaseBatch(b)
}

// count reads a counter or gauge by its name and labels, given as "name value" pairs.
func (f *fixture) count(t *testing.T, name string, labels ...string) float64 {
	t.Helper()
	families, err := f.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	total := 0.0 // also of a series that does not exist yet
	for _, fam := range families {
		if fam.GetName() != name {
			continue
		}
		for _, m := range fam.GetMetric() {
			have := map[string]string{}
			for _, l := range m.GetLabel() {
				have[l.GetName()] = l.GetValue()
			}
			match := true
			for i := 0; i < len(labels); i += 2 {
				match = match && have[labels[i]] == labels[i+1]
			}
			if match {
				total += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return total
}
