package gateway

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"radsec-gw/audit"
	"radsec-gw/bench/peers"
	"radsec-gw/bench/process"
	"radsec-gw/gateway/gatewaytest"
)

// A reload moves the RadSec address, the HTTP address and the socket for taps: connections
// and taps stay, and the old addresses are free.
//
// Fault L5.
func TestReloadMovesTheSockets(t *testing.T) {
	g := startGateway(t, answering(t))
	dir := filepath.Dir(g.gw.current.Load().Config.Path)
	g.rewrite("[metrics]", "[tap]\nsocket = \"first.sock\"\n[metrics]")
	g.reload()
	c := g.connect("plain")
	c.good()
	shown, _ := tapOf(t, filepath.Join(dir, "first.sock"), audit.Filter{})
	gatewaytest.Await(t, shown, "showing everything")
	oldRadSec, oldHTTP := g.gw.Addr().String(), g.gw.MetricsAddr().String()
	newRadSec, newHTTP := gatewaytest.UnusedAddress(t), gatewaytest.UnusedAddress(t)
	g.rewrite(`address = ["127.0.0.1:0"]`, fmt.Sprintf("address = [%q]", newRadSec))
	g.rewrite(`address = "127.0.0.1:0"`, fmt.Sprintf("address = %q", newHTTP))
	g.rewrite("first.sock", "second.sock")
	g.reload()

	if g.gw.Addr().String() != newRadSec || g.gw.MetricsAddr().String() != newHTTP {
		t.Errorf("expected the addresses %s and %s after the reload, got %v and %v", newRadSec, newHTTP, g.gw.Addr(), g.gw.MetricsAddr())
	}
	c.good()
	g.connect("plain").good()
	g.scrape()
	gatewaytest.Await(t, shown, "good@example.org")
	if peers.Listening(oldRadSec) {
		t.Errorf("%s is still listened on", oldRadSec)
	}
	deadline, tick := time.After(gatewaytest.Patience), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for peers.Listening(oldHTTP) { // a goroutine closes it
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s is still listened on", oldHTTP)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "first.sock")); err == nil {
		t.Error("the old socket for taps still exists")
	}
	if s, err := net.Dial("unix", filepath.Join(dir, "second.sock")); err != nil {
		t.Error(err)
	} else {
		s.Close()
	}
	if strings.Contains(g.log.String(), "next start") {
		t.Errorf("expected nothing about a new start, got\n%s", g.log.String())
	}
}

// A reload whose sockets cannot all be opened is refused as a whole: nothing of it is put in
// use, and it closes what it has opened.
//
// Fault L5.
func TestReloadWithoutItsSocketsIsRefused(t *testing.T) {
	g := startGateway(t, answering(t))
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	radsec, web := g.gw.Addr().String(), g.gw.MetricsAddr().String()
	good, err := os.ReadFile(g.gw.current.Load().Config.Path)
	if err != nil {
		t.Fatal(err)
	}
	free := gatewaytest.UnusedAddress(t)
	for _, row := range []struct{ name, radsec, web, want string }{
		{"a RadSec address of another program", taken.Addr().String(), "127.0.0.1:0", "ss -ltnp"},
		{"an HTTP address of another program", free, taken.Addr().String(), `names it; "" switches metrics off`},
		{"the RadSec port for HTTP", free, "0.0.0.0" + radsec[strings.LastIndex(radsec, ":"):], "this gateway itself listens on that port until the reload is done"},
	} {
		g.put("gw.toml", good)
		g.rewrite(`address = ["127.0.0.1:0"]`, fmt.Sprintf("address = [%q]", row.radsec))
		g.rewrite(`address = "127.0.0.1:0"`, fmt.Sprintf("address = %q", row.web))
		g.rewrite("name = \"plain\"\n", "name = \"other\"\n")
		if err := g.gw.Reload(); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: expected an error with %q, got %v", row.name, row.want, err)
		}
		if peers.Listening(free) {
			t.Errorf("%s: the new RadSec address is still open", row.name)
		}
		if g.gw.Addr().String() != radsec || g.gw.MetricsAddr().String() != web {
			t.Errorf("%s: expected the addresses %s and %s, got %v and %v", row.name, radsec, web, g.gw.Addr(), g.gw.MetricsAddr())
		}
		g.connect("plain").good()
		if now := g.scrape(); now[`radsec_gw_tls_client_connections{client="other"}`] != 0 {
			t.Errorf("%s: the client of the refused configuration has series", row.name)
		}
	}
}

// Listeners of Options are used instead of [listen].address: a change of that has no effect,
// which is logged; other changes have their effect.
//
// Fault L5.
func TestReloadKeepsSocketsThatWereGiven(t *testing.T) {
	given, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, file := gatewaytest.Dir(t, gatewaytest.Config(1812))
	p := planOf(t, file)
	var log process.Output
	ctx, cancel := context.WithCancel(context.Background())
	g, err := Start(ctx, p, Options{Log: slog.New(slog.NewTextHandler(&log, nil)), Listeners: []net.Listener{given}})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	other := gatewaytest.UnusedAddress(t)
	gatewaytest.WriteFile(t, file, []byte(strings.Replace(gatewaytest.Config(1812), `address = ["127.0.0.1:0"]`, fmt.Sprintf("address = [%q]\nidle_timeout = \"1h\"", other), 1)))
	if err := g.Reload(); err != nil {
		t.Error(err)
	}
	if g.Addr().String() != given.Addr().String() || peers.Listening(other) {
		t.Errorf("expected the socket that it was given, %v, got %v", given.Addr(), g.Addr())
	}
	if got := g.listen().Config().IdleTimeout; got != time.Hour {
		t.Errorf("expected the idle_timeout of the configuration, got %v", got)
	}
	if !strings.Contains(log.String(), "listen.address has changed and has no effect: systemd passed the sockets") {
		t.Errorf("expected that the address has no effect, got\n%s", log.String())
	}
	cancel()
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

// The status page, readiness and metrics are served while a reload replaces the parts.
//
// Fault W15.
func TestPagesDoNotWaitForAReload(t *testing.T) {
	g := startGateway(t, answering(t))
	g.gw.turn <- struct{}{}
	g.gw.reloading.Lock()
	for _, path := range []string{"/", "/readyz", "/metrics"} {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * time.Second}
		r, err := client.Get("http://" + g.gw.MetricsAddr().String() + path)
		if err != nil {
			t.Errorf("GET %s: %v", path, err)
			continue
		}
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
		if r.StatusCode != 200 {
			t.Errorf("GET %s: %d, want 200", path, r.StatusCode)
		}
	}
	g.gw.reloading.Unlock()
	<-g.gw.turn
}
