//go:build linux

package world

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"radsec-gw/interop/testbed"
	"radsec-gw/udpback"
)

// Two clients swap their sources, then one gets a pool and back, while their requests wait for
// a server that is slow: each request, and each time that it is sent again, comes from the
// address that its client had when it arrived, and each is answered. At rest nothing is left.
// Rules: ID6, ID8, P57
func TestSourcesSwapAtReload(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const one, two, prefix = "10.0.0.7", "10.0.0.8", "10.0.0.24/30"
	pool := udpback.PoolAddress(netip.MustParsePrefix(prefix), []byte("dns client")).String()
	for _, a := range []string{one, two, "10.0.0.24", "10.0.0.25", "10.0.0.26", "10.0.0.27"} {
		w.address(w.gateway, "eth0", a+"/24")
	}
	server := w.server("10.0.0.10", func(r request) reply {
		return reply{after: 100 * time.Millisecond, silent: !r.again && strings.HasPrefix(r.user, "slow")}
	})
	configure := func(first, second string) setup {
		clients := fmt.Sprintf("[[client]]\nname = \"first\"\nnetworks = [\"127.0.9.1\"]\n%s\n\n[[client]]\nname = \"second\"\nnetworks = [\"127.0.9.2\"]\n%s\n", first, second)
		return setup{clients: clients, only: true, rest: backend("radius", "10.0.0.10") + route("*", to("radius"))}
	}
	source, inPool := func(a string) string { return "source = \"" + a + "\"" }, "source_pool = \""+prefix+"\""
	g := w.start(configure(source(one), source(two)))
	clients := []*client{w.dialFrom("127.0.9.1"), w.dialFrom("127.0.9.2")}
	all := []*exchange{}
	send := func(step int, from ...string) {
		for i, c := range clients {
			for _, pace := range []string{"slow", "fast"} {
				for n := range 20 {
					all = append(all, c.login(fmt.Sprintf("%s-%s-%d-%d-%d@example.org", pace, from[i], i, step, n)))
				}
			}
		}
		if !testbed.Eventually(patience, func() bool { return server.fresh() == len(all) }) {
			t.Errorf("%d of %d requests have come to the server", server.fresh(), len(all))
		}
	}
	send(0, one, two)
	for step, next := range []struct {
		first, second string
		from          []string
	}{
		{source(two), source(one), []string{two, one}},
		{inPool, source(two), []string{pool, two}},
		{source(two), inPool, []string{two, pool}},
		{source(one), "", []string{one, gatewayAddress}},
		{"", source(one), []string{gatewayAddress, one}},
	} {
		w.configure(configure(next.first, next.second))
		g.Reload()
		send(step+1, next.from...)
	}
	for _, e := range all {
		if !e.within(patience) {
			t.Errorf("%v, expected an Access-Accept", e)
		}
	}
	for _, r := range server.requests() {
		if want := strings.Split(r.user, "-"); r.user != "" && r.from.Addr().Unmap() != netip.MustParseAddr(want[1]) {
			t.Errorf("%s came from %v (again: %t), expected %s", r.user, r.from, r.again, want[1])
		}
	}
	if !testbed.Eventually(patience, func() bool { return g.Metrics().Sum("radsec_gw_server_outstanding_requests") == 0 }) {
		t.Error("Identifiers are in use after the last answer")
	}
}
