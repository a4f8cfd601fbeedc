//go:build linux

package world

import (
	"context"
	"os"
	"strings"
	"testing"

	"radsec-gw/interop/testbed"
)

// The addresses of RadSec and of the metrics, and the request log, change at a reload
// (L5): the new addresses are listened on, the old ones no more, and a connection that
// is open goes on.
func TestReloadMovesTheListeners(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.server("10.0.0.10", nil)
	g := w.start(setup{rest: backend("server", "10.0.0.10") + route("*", to("server")) + "[log]\nrequests = false\n"})
	c := w.dial()
	text, err := os.ReadFile(w.path("radsec-gw.toml"))
	w.must(err)
	w.write("radsec-gw.toml", strings.NewReplacer(":2083", ":2085", ":9713", ":9715", "requests = false", "requests = true").Replace(string(text)))
	g.Reload()
	if e := c.login("open@test"); !e.within(patience) {
		t.Errorf("a login on the connection that was open: %v", e)
	}
	for _, row := range []struct {
		address string
		listens bool
	}{{"127.0.0.1:2085", true}, {"127.0.0.1:9715", true}, {"127.0.0.1:2083", false}, {"127.0.0.1:9713", false}} {
		var err error
		right := testbed.Eventually(patience, func() bool {
			conn, dialErr := w.gateway.dial(context.Background(), "tcp", row.address)
			if err = dialErr; err == nil {
				conn.Close()
			}
			return (err == nil) == row.listens
		})
		if !right {
			t.Errorf("%s after the reload: %v, expected that it listens: %v", row.address, err, row.listens)
		}
	}
	if !g.Output().Await(patience, func(text string) bool { return strings.Contains(text, "fate=relayed") }) {
		t.Error("no line of the request log, which the reload has switched on")
	}
}
