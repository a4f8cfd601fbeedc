package gateway

import "testing"

// A route without servers refuses its requests, where another route would take them: "*"
// gets neither what it names exactly nor what its pattern matches.
func TestRouteWithoutServersRefuses(t *testing.T) {
	g := startGateway(t, answering(t))
	g.rewrite(`realms = ["example.org"]`, `realms = ["*"]`)
	g.rewrite("[metrics]", "[[route]]\nrealms = [\"blocked.example\", \"~\\\\.test$\"]\npackets = [\"access\", \"accounting\", \"coa\"]\nservers = []\n[metrics]")
	g.reload()
	c := g.connect("plain")
	for _, user := range []string{"nemo@blocked.example", "nemo@a.test"} {
		q := rawRequest(1, 7, nameOf(user))
		c.write(q)
		c.believe(q, c.read(), 3)
	}
	coa := rawRequest(43, 8, nameOf("nemo@a.test"))
	c.write(coa)
	c.believe(coa, c.read(), 45)
	c.write(rawRequest(4, 9, nameOf("nemo@a.test"))) // accounting: silence
	g.connect("plain").good()
	g.await("plain/access/no_route=2 plain/access/relayed=1 plain/accounting/no_route=1 plain/coa/no_route=1", func(now map[string]float64) string { return fatesSince(nil, now) })
	g.awaitLog("has no servers, so it is refused")
	s := statusOf(t, g.gw)
	if !s.Ready || s.Routes[1].State != routeRefuses || len(s.Problems) > 0 {
		t.Errorf("ready %v (%v), routes %+v, problems %+v; expected ready, and a route that refuses", s.Ready, s.Reasons, s.Routes, s.Problems)
	}
}
