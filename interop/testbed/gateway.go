package testbed

import (
	"context"
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"

	"radsec-gw/bench/process"
	"radsec-gw/bench/scrape"
)

// Gateway is a running radsec-gw serve.
type Gateway struct {
	*process.Process
	T testing.TB

	// How its pages are reached.
	HTTP    http.Client
	Address string // of [metrics]
}

// NewGateway returns the Gateway of a process that was started. It is killed when the test ends, and
// its log is shown when the test has failed.
func NewGateway(t testing.TB, p *process.Process) *Gateway {
	t.Cleanup(func() {
		p.Kill()
		if log := p.Output().Last(40); t.Failed() && log != "" {
			t.Logf("the gateway's log:\n%s", log)
		}
	})
	return &Gateway{Process: p, T: t, HTTP: http.Client{Timeout: Patience}}
}

// Says waits for a line of the log with all the words, and fails the test when there is
// none.
func (g *Gateway) Says(words ...string) {
	g.T.Helper()
	if !g.Output().Await(Patience, func(text string) bool { return process.CountLines(text, words...) > 0 }) {
		g.T.Errorf("the log has no line with all of %q", words)
	}
}

// Reload asks for the configuration to be loaded again, and returns how long it took until
// the new one was in use.
func (g *Gateway) Reload() time.Duration {
	g.T.Helper()
	return g.reload("msg=reloaded", "what=configuration")
}

// RefusedReload is Reload with a configuration that the gateway refuses.
func (g *Gateway) RefusedReload() {
	g.T.Helper()
	g.reload("reload refused", "what=configuration")
}

func (g *Gateway) reload(line ...string) time.Duration {
	g.T.Helper()
	before := g.Output().Count(line...)
	from := time.Now()
	g.Signal(syscall.SIGHUP)
	if !g.Output().Await(Patience, func(text string) bool { return process.CountLines(text, line...) > before }) {
		g.T.Fatalf("the log has no line with all of %q within %v of SIGHUP", line, Patience)
	}
	return time.Since(from)
}

// Get asks for a page, and returns its status, 0 when there is no answer, its text, and the
// time it took.
func (g *Gateway) Get(path string, within time.Duration) (status int, text string, took time.Duration) {
	from := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.Address+path, nil)
	if err != nil {
		g.T.Fatal(err)
	}
	response, err := g.HTTP.Do(request)
	if err != nil {
		return 0, err.Error(), time.Since(from)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error(), time.Since(from)
	}
	return response.StatusCode, string(body), time.Since(from)
}

// Metrics reads /metrics.
func (g *Gateway) Metrics() scrape.Metrics {
	g.T.Helper()
	status, text, _ := g.Get("/metrics", Patience)
	if status != http.StatusOK {
		g.T.Fatalf("/metrics: status %d: %s", status, text)
	}
	return scrape.Parse(text)
}
