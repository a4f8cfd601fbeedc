//go:build linux

package world

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"radsec-gw/interop/testbed"
)

// What still waits for its server when a second SIGTERM ends everything has the
// fate shutdown: its client has not disconnected (L4).
func TestSecondSIGTERMIsAShutdown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.server("10.0.0.10", func(request) reply { return reply{silent: true} })
	g := w.start(setup{rest: backend("silent", "10.0.0.10") + route("*", to("silent")) + "[log]\nrequests = true\n"})
	c := w.dial()
	const waiting = 5
	for range waiting {
		c.login("waits@test")
	}
	if !testbed.Eventually(patience, func() bool { return s.fresh() == waiting }) {
		t.Fatalf("the server was sent %d requests of %d", s.fresh(), waiting)
	}
	g.Signal(syscall.SIGTERM)
	if !g.Output().Await(patience, func(text string) bool { return strings.Contains(text, "msg=draining") }) {
		t.Fatalf("it does not drain after SIGTERM; the log:\n%s", g.Output().Last(25))
	}
	took := g.terminate(5 * time.Second)
	if n := g.Output().Count("fate=shutdown", "user="); n != waiting {
		t.Errorf("%d of %d waiting requests have the fate shutdown, %d client_gone; the log:\n%s", n, waiting, g.Output().Count("fate=client_gone"), g.Output().Last(25))
	}
	t.Logf("ended %v after the second SIGTERM", round(took))
}
