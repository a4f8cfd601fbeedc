//go:build linux

package world

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"radsec-gw/bench/process"
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
	complaints := func() int {  // warnings, errors, and lines that are not the log's
		text := g.Printed()
		count := func(words ...string) int { return process.CountLines(text, words...) }
		return count("level=WARN") + count("level=ERROR") + count() - count("level=")
	}
	before := complaints()

	var used, unused exchanges
	var pages [2]int
	for range 20 { // for ten seconds
		used = append(used, established.login("u@used.test"))
		unused = append(unused, established.login("u@unused.test"))
		for i, path := range []string{"/healthz", "/metrics"} {
			if status, _, _ := g.Get(path, 2*time.Second); status == http.StatusOK {
				pages[i]++
			}
		}
		time.Sleep(500 * time.Millisecond)
	}
	logged := complaints() - before
	for name, all := range map[string]exchanges{"in use": used, "not used before": unused} {
		sum := all.wait(patience)
		t.Logf("64 descriptors, 120 connections: logins at a server %s: %v", name, sum)
		if !sum.all() || sum.max() > firstTry {
			t.Errorf("logins at a server %s: %v, expected all granted, to their first transmission", name, sum)
		}
	}
	t.Logf("/healthz %d of 20, /metrics %d of 20; warnings, errors and lines without a level in 10 s: %d", pages[0], pages[1], logged)
	for i, path := range []string{"/healthz", "/metrics"} {
		if pages[i] < 20 {
			t.Errorf("%s could be reached %d times of 20 while descriptors are short", path, pages[i])
		}
	}
	// Each cause once a minute.
	if logged > 5 {
		t.Errorf("%d warnings, errors and lines without a level were logged in 10 s, expected a few a minute", logged)
	}
	g.checkDescriptors(t)
}

// checkDescriptors checks what the metrics say while descriptors are short.
func (g *gateway) checkDescriptors(t *testing.T) {
	t.Helper()
	m := g.Metrics()
	for _, state := range []string{"suspect", "down", "failing"} {
		if m.Sum("radsec_gw_server_state", `state="`+state+`"`) > 0 {
			t.Errorf("a server is %s, expected a lack of descriptors to say nothing of a server", state)
		}
	}
	refused := m.Sum("radsec_gw_tls_handshakes_total", `result="too_many"`) + m.Sum("radsec_gw_tls_handshakes_total", `result="no_descriptor"`)
	t.Logf("connections refused, as counted: %.0f; descriptors open: %.0f", refused, m.Sum("process_open_fds"))
	if refused == 0 {
		t.Error("no refused connection is counted")
	}
	if n := m.Sum("process_open_fds"); n > 64 {
		t.Errorf("%.0f descriptors are open, expected at most 64", n)
	}
}

// occupy keeps a connection to the gateway open until ctx ends, and opens another
// when it is closed. With silent it is TCP only, otherwise a client's that sends nothing.
func (w *world) occupy(ctx context.Context, silent bool) {
	for ctx.Err() == nil {
		raw, err := w.gateway.dial(ctx, "tcp", "127.0.0.1:2083")
		if err == nil {
			w.keepOpen(ctx, raw, silent)
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (w *world) keepOpen(ctx context.Context, raw net.Conn, silent bool) {
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
