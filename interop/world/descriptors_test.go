package world

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// Idle connections fill what descriptors there are (W13): connections are refused
// then, and nothing else fails.
func TestDescriptorsRunOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.server("10.0.0.10", nil)
	w.server("10.0.0.11", nil)
	g := w.start(setup{limits: "--nofile=64",
		rest: backend("used", "10.0.0.10") + route("used.test", to("used")) +
			backend("unused", "10.0.0.11", "suspect_after = 1") + route("unused.test", to("unused"))})
	established := w.dial()
	if e := established.login("u@used.test"); !e.within(patience) {
		t.Fatalf("before: %v", e)
	}

	ctx, stop := context.WithCancel(t.Context())
	var crowd sync.WaitGroup
	for i := range 120 {
		crowd.Go(func() { w.occupy(ctx, i%2 == 0) })
	}
	defer crowd.Wait()
	defer stop()
	time.Sleep(2 * time.Second) // all of them have tried
	lines, warnings := g.log.count(""), g.log.count("level=WARN")+g.log.count("level=ERROR")

	const d = 10 * time.Second
	var used, unused exchanges
	var pages [2]int
	for range 20 {
		used = append(used, established.login("u@used.test"))
		unused = append(unused, established.login("u@unused.test"))
		for i, path := range []string{"/healthz", "/metrics"} {
			if status, _, took := g.get(path, 2*time.Second); status == http.StatusOK && took < time.Second {
				pages[i]++
			}
		}
		time.Sleep(d / 20)
	}
	m := g.metrics()
	lines, warnings = g.log.count("")-lines, g.log.count("level=WARN")+g.log.count("level=ERROR")-warnings
	inUse, atOther := used.wait(patience), unused.wait(patience)
	t.Logf("64 descriptors, 120 connections: logins at a server in use: %v", inUse)
	t.Logf("at a server not used before: %v", atOther)
	t.Logf("/healthz %d of 20, /metrics %d of 20; log lines in %v: %d, of which warnings and errors %d", pages[0], pages[1], d, lines, warnings)
	for name, sum := range map[string]summary{"in use": inUse, "not used before": atOther} {
		if !sum.all() || sum.quantile(0.5) > 100*time.Millisecond {
			t.Errorf("logins at a server %s: %v, expected all granted, half of them within 100ms", name, sum)
		}
	}
	for i, path := range []string{"/healthz", "/metrics"} {
		if pages[i] < 20 {
			t.Errorf("%s could be reached %d times of 20 while descriptors are short", path, pages[i])
		}
	}
	// One a minute, and what connections are accepted and closed in between.
	if warnings > 5 {
		t.Errorf("%d warnings and errors were logged in %v, expected a few a minute", warnings, d)
	}
	for _, server := range []string{"used", "unused"} {
		if m.sum("radsec_gw_server_state", `server="`+server+`"`, `state="down"`)+m.sum("radsec_gw_server_state", `server="`+server+`"`, `state="suspect"`) > 0 {
			t.Errorf("server %s is suspect or down, expected a lack of descriptors to say nothing of a server", server)
		}
	}
	refused := m.sum("radsec_gw_tls_handshakes_total", `result="too_many"`) + m.sum("radsec_gw_connections_refused_total")
	t.Logf("connections refused, as counted: %.0f", refused)
	if refused == 0 {
		t.Error("no refused connection is counted")
	}
	if n := m.sum("process_open_fds"); n > 64 {
		t.Errorf("%.0f descriptors are open, expected at most 64", n)
	}
}

// occupy keeps a connection to the gateway open until ctx ends, and opens another
// when it is closed. With silent it is TCP only, otherwise a client's that sends nothing.
func (w *world) occupy(ctx context.Context, silent bool) {
	for ctx.Err() == nil {
		raw, err := w.gateway.dial(ctx, "tcp", "127.0.0.1:2083")
		if err == nil {
			w.hold(ctx, raw, silent)
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (w *world) hold(ctx context.Context, raw net.Conn, silent bool) {
	defer raw.Close()
	defer context.AfterFunc(ctx, func() { raw.Close() })()
	conn := raw
	if !silent {
		client, err := tlsClient(ctx, raw)
		if err != nil {
			return
		}
		conn = client
	}
	_, _ = conn.Read(make([]byte, 1)) // until it is closed
}
