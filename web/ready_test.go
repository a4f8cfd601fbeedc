package web

import (
	"testing"

	"radsec-gw/metrics"
)

// A server whose addresses count separately has the best of their states, whatever that of its
// own ports is.
func TestBestStates(t *testing.T) {
	up, suspect, failing, down := metrics.StateUp, metrics.StateSuspect, metrics.StateFailing, metrics.StateDown
	type port struct {
		name  string
		state metrics.State
	}
	for _, x := range []struct {
		name  string
		ports []port // as metrics.Servers gives them, by name
		want  metrics.State
	}{
		{"one address", []port{{"pool", failing}}, failing},
		{"name not looked up yet", []port{{"pool", down}}, down},
		{"expanded", []port{{"pool@10.0.0.1", down}, {"pool@10.0.0.2", suspect}, {"pool@2001:db8::1", failing}}, suspect},
		{"expanded a moment ago", []port{{"pool", up}, {"pool@10.0.0.1", down}, {"pool@10.0.0.2", down}}, down},
		{"own port after its addresses", []port{{"pool@10.0.0.1", failing}, {"pool", up}}, failing},
		{"another server with an @", []port{{"pool", down}, {"pool@dc1", up}}, down},
	} {
		var counts []metrics.ServerCounts
		for _, p := range x.ports {
			counts = append(counts, metrics.ServerCounts{Name: p.name, Port: "auth", State: p.state})
		}
		got, known := bestStates(counts)[endpoint{"pool", "auth"}]
		if !known || got != x.want {
			t.Errorf("%s: the server is %v (known: %v), expected %v", x.name, got, known, x.want)
		}
	}
}

// A server that is failing is ready, one without a good address is not.
func TestReadinessOfExpandedServers(t *testing.T) {
	b := newBed(t, func(c *Config) {
		c.Routes = func() []Route {
			return []Route{{Realms: []string{"*"}, Packets: []string{"access"}, Servers: []string{"pool"}}}
		}
	})
	first, second := b.m.Server("pool@10.0.0.1", "auth"), b.m.Server("pool@10.0.0.2", "auth")
	for _, x := range []struct {
		first, second metrics.State
		ready         bool
	}{
		{metrics.StateUp, metrics.StateDown, true},
		{metrics.StateDown, metrics.StateFailing, true},
		{metrics.StateDown, metrics.StateDown, false},
	} {
		first.SetState(x.first)
		second.SetState(x.second)
		if got := b.server.readiness(); got.Ready != x.ready {
			t.Errorf("with %v and %v: ready %v (%q), expected %v", x.first, x.second, got.Ready, got.Reasons, x.ready)
		}
	}
}
