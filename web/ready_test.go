package web

import (
	"reflect"
	"strconv"
	"strings"
	"testing"

	"radsec-gw/metrics"
	"radsec-gw/web/status"
)

// A server whose addresses count separately has the best of their states, whatever that of its
// own ports is.
func TestStatusOfServers(t *testing.T) {
	up, suspect, failing, down := metrics.StateUp, metrics.StateSuspect, metrics.StateFailing, metrics.StateDown
	type port struct {
		name  string
		state metrics.State
		heard bool
	}
	for _, x := range []struct {
		name  string
		ports []port // as metrics.Servers gives them, by name
		want  portState
	}{
		{"one address", []port{{"pool", failing, true}}, portState{best: failing, serves: true, decided: true}},
		{"name not looked up yet", []port{{"pool", down, false}}, portState{best: down, serves: false, decided: true}},
		{"not heard of yet", []port{{"pool", up, false}}, portState{best: up, serves: false, decided: false}},
		{"silent at first", []port{{"pool", suspect, false}}, portState{best: suspect, serves: false, decided: false}},
		{"expanded", []port{{"pool@10.0.0.1", down, true}, {"pool@10.0.0.2", suspect, true}, {"pool@2001:db8::1", failing, true}}, portState{best: suspect, serves: true, decided: true}},
		{"expanded, one not heard of", []port{{"pool@10.0.0.1", up, false}, {"pool@10.0.0.2", failing, true}}, portState{best: up, serves: true, decided: false}},
		{"expanded a moment ago", []port{{"pool", up, true}, {"pool@10.0.0.1", down, true}, {"pool@10.0.0.2", down, false}}, portState{best: down, serves: false, decided: true}},
		{"own port after its addresses", []port{{"pool@10.0.0.1", failing, true}, {"pool", up, true}}, portState{best: failing, serves: true, decided: true}},
		{"another server with an @", []port{{"pool", down, true}, {"pool@dc1", up, true}}, portState{best: down, serves: false, decided: true}},
	} {
		var counts []metrics.ServerCounts
		for _, p := range x.ports {
			counts = append(counts, metrics.ServerCounts{Name: p.name, Port: "auth", State: p.state, Proven: p.heard})
		}
		got, known := statusOf(counts)[endpoint{"pool", "auth"}]
		if !known || got != x.want {
			t.Errorf("%s: the server is %+v (known: %v), expected %+v", x.name, got, known, x.want)
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
		first.SetProven(true)
		second.SetProven(true)
		first.SetState(x.first)
		second.SetState(x.second)
		if got := b.server.readiness(); got.Ready != x.ready {
			t.Errorf("with %v and %v: ready %v (%q), expected %v", x.first, x.second, got.Ready, got.Reasons, x.ready)
		}
	}
}

// ready is a server whose readiness is tested: "dead" and "alive" are two routes.
func ready(t *testing.T, change func(*Config)) (b *bed, port func(name string, port metrics.Port, state metrics.State, heard bool)) {
	b = newBed(t, func(c *Config) {
		c.Routes = func() []Route {
			return []Route{
				{Realms: []string{"alive"}, Packets: []string{"access", "accounting"}, Servers: []string{"a"}, Label: "alive"},
				{Realms: []string{"dead"}, Packets: []string{"access"}, Servers: []string{"b", "c"}, Label: "dead"},
			}
		}
		if change != nil {
			change(c)
		}
	})
	port = func(name string, port metrics.Port, state metrics.State, heard bool) {
		s := b.m.Server(name, port)
		s.SetState(state)
		s.SetProven(heard)
	}
	port("a", metrics.PortAuth, metrics.StateUp, true)
	port("a", metrics.PortAcct, metrics.StateUp, true)
	port("b", metrics.PortAuth, metrics.StateUp, true)
	port("c", metrics.PortAuth, metrics.StateDown, false)
	return b, port
}

// One realm without a server does not take the gateway out of service, unless ready_when is
// "all"; a route with ready = false never does. Each is named, with why.
//
// Fault O1.
func TestReadyWhen(t *testing.T) {
	const dead = "route dead: no server is up for auth (b: down, c: down)"
	for _, x := range []struct {
		name              string
		all               bool
		ignored           string
		down              []endpoint
		ready             bool
		reasons, unserved string
	}{
		{"any, all served", false, "", nil, true, "", ""},
		{"any, one served", false, "", []endpoint{{"b", "auth"}}, true, "", dead},
		{"any, a kind of one served", false, "", []endpoint{{"b", "auth"}, {"a", "auth"}}, true, "", "route alive: no server is up for auth (a: down)|" + dead},
		{"any, none served", false, "", []endpoint{{"b", "auth"}, {"a", "auth"}, {"a", "acct"}}, false,
			"route alive: no server is up for auth (a: down)|route alive: no server is up for acct (a: down)|" + dead, ""},
		{"any, one served that does not count", false, "alive", []endpoint{{"b", "auth"}}, false, dead, ""},
		{"all, one served", true, "", []endpoint{{"b", "auth"}}, false, dead, ""},
		{"all, a kind not served", true, "", []endpoint{{"a", "acct"}}, false, "route alive: no server is up for acct (a: down)", ""},
		{"all, one not served that does not count", true, "dead", []endpoint{{"b", "auth"}}, true, "", ""},
	} {
		b, port := ready(t, func(c *Config) {
			c.AllRoutes = x.all
			routes := c.Routes()
			for i := range routes {
				routes[i].Ignored = routes[i].Label == x.ignored
			}
			c.Routes = func() []Route { return routes }
		})
		for _, e := range x.down {
			port(e.server, e.port, metrics.StateDown, true)
		}
		got := b.server.readiness()
		if got.Ready != x.ready || strings.Join(got.Reasons, "|") != x.reasons || strings.Join(got.Unserved, "|") != x.unserved {
			t.Errorf("%s: got %+v, expected ready %v, reasons %q, unserved %q", x.name, got, x.ready, x.reasons, x.unserved)
		}
	}
}

// A port that is never checked counts as up for ever, so it does not make a route served that
// has others, such as CoA beside access. A route that has no checked ports is served by them,
// and a kind by a standby without checks.
//
// Fault O2.
func TestUncheckedPortsAreNoEvidence(t *testing.T) {
	const noAuth = "route * (default): no server is up for auth (a: down)"
	up, down := metrics.StateUp, metrics.StateDown
	for _, x := range []struct {
		name              string
		packets           []string
		servers           []string
		all               bool
		auth              metrics.State // of a
		ready             bool
		reasons, unserved string
		served            bool // in the metrics
	}{
		{"CoA beside dead access", []string{"access", "coa"}, []string{"a"}, false, down, false, noAuth, "", false},
		{"disconnect beside dead access, all", []string{"access", "disconnect"}, []string{"a"}, true, down, false, noAuth, "", false},
		{"CoA beside access", []string{"access", "coa"}, []string{"a"}, false, up, true, "", "", true},
		{"CoA beside access, all", []string{"access", "coa"}, []string{"a"}, true, up, true, "", "", true},
		{"nothing but CoA", []string{"coa", "disconnect"}, []string{"a"}, false, down, true, "", "", true},
		{"accounting without checks beside dead access", []string{"access", "accounting"}, []string{"a"}, false, down, false, noAuth, "", false},
		{"nothing but a server without checks", []string{"access", "coa"}, []string{"b"}, false, down, true, "", "", true},
		{"a standby without checks", []string{"access"}, []string{"a", "b"}, false, down, true, "", "", true},
	} {
		b := newBed(t, func(c *Config) {
			c.AllRoutes = x.all
			unchecked := map[string][]metrics.Port{"a": {metrics.PortAcct, metrics.PortCoA}, "b": {metrics.PortAuth, metrics.PortAcct, metrics.PortCoA}}
			c.Routes = func() []Route {
				return []Route{{Realms: []string{"*"}, Packets: x.packets, Servers: x.servers, Label: "*", Unchecked: unchecked}}
			}
		})
		for _, name := range []string{"a", "b"} {
			for _, port := range metrics.Ports {
				s := b.m.Server(name, port)
				s.SetProven(true) // as udpback does for ports that are never checked
				s.SetState(up)
			}
		}
		b.m.Server("a", metrics.PortAuth).SetState(x.auth)
		got := b.server.readiness()
		if got.Ready != x.ready || strings.Join(got.Reasons, "|") != x.reasons || strings.Join(got.Unserved, "|") != x.unserved {
			t.Errorf("%s: got %+v, expected ready %v, reasons %q, unserved %q", x.name, got, x.ready, x.reasons, x.unserved)
		}
		if got := b.server.RouteStates(); got[0].Ready != x.served {
			t.Errorf("%s: the metrics say that the route is ready: %v, expected %v", x.name, got[0].Ready, x.served)
		}
	}
}

// After a start the gateway is not ready while it is not known whether a port answers: a
// wrong secret shows only when some checks are lost. Once it was ready, another server that
// is added, and not known yet, does not end that.
func TestNotReadyBeforeEachPortIsDecided(t *testing.T) {
	b, port := ready(t, nil)
	for _, step := range []struct {
		says   string
		state  metrics.State
		heard  bool
		ready  bool
		reason string
	}{
		{"assumed to be up", metrics.StateUp, false, false, "server b has not answered for auth yet, and is not down"},
		{"a check is lost", metrics.StateSuspect, false, false, "server b has not answered for auth yet, and is not down"},
		{"found down", metrics.StateDown, false, true, ""},
		{"later, at another address", metrics.StateUp, false, true, ""},
		{"it answers", metrics.StateUp, true, true, ""},
	} {
		port("b", metrics.PortAuth, step.state, step.heard)
		if got := b.server.readiness(); got.Ready != step.ready || strings.Join(got.Reasons, "|") != step.reason {
			t.Errorf("%s: got %+v, expected ready %v and the reason %q", step.says, got, step.ready, step.reason)
		}
	}
}

// What /readyz answers is bounded, however many routes have no server.
func TestReadinessIsBounded(t *testing.T) {
	routes := make([]Route, 10_000)
	for i := range routes {
		routes[i] = Route{Realms: []string{strings.Repeat("x", 300), "y", "z", "more"}, Packets: []string{"access"}, Servers: make([]string, 64), Label: strconv.Itoa(i)}
	}
	b := newBed(t, func(c *Config) { c.Routes = func() []Route { return routes } })
	_, body, _ := b.ask("GET", "/readyz", "")
	if len(body) > 10_000 || !strings.Contains(body, "and 9980 more") {
		t.Errorf("/readyz answers %d bytes, expected at most 10,000 that say how many more there are", len(body))
	}
}

// /readyz names a route as the status page does, and escapes what cannot be printed.
func TestRoutesAreCalledTheSame(t *testing.T) {
	r := Route{Realms: []string{"*", "", "a", "b", "c"}}
	if got, want := r.title(), (&status.Route{Realms: []string{"* (default)", "(no realm)", "a", "b", "c"}}).Name(); got != want || got != "* (default), (no realm), a and 2 more" {
		t.Errorf("the route is called %q, and %q on the status page; expected the same", got, want)
	}
	if got := (&Route{Realms: []string{"a\x1b[2Jb"}}).title(); got != `a\x1b[2Jb` {
		t.Errorf("a realm with a control character is called %q, expected it to be escaped", got)
	}
}

// The metrics have each route, and whether all of its kinds are served.
func TestRouteStates(t *testing.T) {
	b, port := ready(t, nil)
	port("a", metrics.PortAcct, metrics.StateDown, true)
	want := []metrics.RouteState{{Name: "alive", Ready: false}, {Name: "dead", Ready: true}}
	if got := b.server.RouteStates(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, expected %v", got, want)
	}
}
