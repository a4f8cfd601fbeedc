//go:build linux

package world

import (
	"testing"
	"time"

	"radsec-gw/interop/testbed"
)

// A server with a source gets its requests from there. While no interface has the address,
// the log says so, and requests wait; they are sent when it appears.
//
// Fault O10.
// Rules: ID6, ID8
func TestSource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.server("10.0.0.10", nil)
	g := w.start(setup{rest: backend("udp", "10.0.0.10", `source = "10.0.0.7"`) + route("*", to("udp"))})
	c := w.dial()
	e := c.login("waits@test")
	const hint = "no interface of this machine has source of the [[server]], 10.0.0.7"
	if !testbed.Eventually(10*time.Second, func() bool { return g.Output().Count(hint, "server=udp") > 0 }) {
		t.Errorf("the log does not say that there is no such address:\n%s", g.Output().Last(25))
	}
	w.address(w.gateway, "eth0", "10.0.0.7/24")
	if !e.within(patience) {
		t.Errorf("a request that waited for the address: %v, expected Access-Accept", e)
	}
	for _, r := range s.requests() {
		if r.from.Addr().String() != "10.0.0.7" {
			t.Errorf("a request came from %v, expected 10.0.0.7", r.from)
		}
	}
	lines := func() int {
		return g.Output().Count("requests to the server have this source address", "server=udp", "source=10.0.0.7")
	}
	testbed.Eventually(patience, func() bool { return lines() > 0 }) // the log is written behind the reply
	if n := lines(); n != 1 {
		t.Errorf("%d log lines name the source address, expected one", n)
	}
}
