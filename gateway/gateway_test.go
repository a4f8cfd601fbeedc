package gateway

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"

	"radsec-gw/bench/process"
	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/logs"
)

// Ping does not return while a lock is held that everything else needs.
//
// Fault W12.
func TestPingNeedsTheLocks(t *testing.T) {
	g := startGateway(t, answering(t))
	responded := make(chan struct{})
	g.gw.reloading.Lock()
	go func() {
		g.gw.Ping()
		close(responded)
	}()
	select {
	case <-responded:
		t.Error("expected no response while the lock is held, got one")
	case <-time.After(100 * time.Millisecond):
	}
	g.gw.reloading.Unlock()
	<-responded
}

// The line about the start has the address of metrics, or that they are not served if the
// configuration has none.
func TestStartLineHasTheMetricsAddress(t *testing.T) {
	for address, want := range map[string]string{"": `metrics="not served"`, "127.0.0.1:0": "metrics=127.0.0.1:"} {
		_, file := gatewaytest.Dir(t, gatewaytest.ConfigAt("127.0.0.1:0", 1812, address))
		p := planOf(t, file)
		var out process.Output
		ctx, cancel := context.WithCancel(t.Context())
		lines := logs.New(&out, p.LogConfig())
		gw, err := Start(ctx, p, Options{Log: slog.New(lines)})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if err := gw.Wait(); err != nil {
			t.Error(err)
		}
		lines.Close()
		if !strings.Contains(out.String(), "msg=serving") || !strings.Contains(out.String(), want) {
			t.Errorf("the address %q: expected %s in the line about the start, got\n%s", address, want, out.String())
		}
	}
}

// Draining waits for a request in flight, refuses new connections, and ends without an
// error.
func TestDrainFinishesWhatIsInFlight(t *testing.T) {
	release, arrived := make(chan struct{}), make(chan struct{}, 10)
	slow := gatewaytest.Serve(t, func(w radius.ResponseWriter, r *radius.Request) {
		arrived <- struct{}{}
		<-release
		gatewaytest.Accept(w, r)
	})
	g := startGateway(t, [3]int{slow, slow, slow})
	idle, c := g.connect("plain"), g.connect("plain")
	q := rawRequest(1, 1, emptyMAC, nameOf("first@example.org"))
	c.write(q)
	<-arrived
	if g.gw.Draining() {
		t.Error("Draining reports true before Drain")
	}
	g.gw.Drain()
	if !g.gw.Draining() {
		t.Error("Draining reports false after Drain")
	}
	if idle.read() != nil {
		t.Error("expected an idle connection closed, it is open")
	}
	if conn, err := net.DialTimeout("tcp", g.gw.Addr().String(), gatewaytest.Patience); err == nil {
		conn.Close()
		t.Error("expected a new connection refused, it is accepted")
	}
	g.scrape() // HTTP is still served
	close(release)
	a := c.read()
	if a == nil {
		t.Fatal("expected the answer, the connection is closed")
	}
	c.believe(q, a, 2)
	if c.read() != nil {
		t.Error("expected the connection closed after the answer, it is open")
	}
	ctx, cancel := context.WithTimeout(context.Background(), gatewaytest.Patience)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- g.gw.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-ctx.Done():
		t.Error("the gateway does not end")
	}
}
