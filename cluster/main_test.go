package cluster

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"radsec-gw/cluster/natstest"
	"radsec-gw/metrics"
)

func TestMain(m *testing.M) {
	natstest.Serve()
	goleak.VerifyTestMain(m)
}

// patience bounds what a test waits for.
const patience = 30 * time.Second

// quick are shorter times than the default ones.
var quick = times{dial: time.Second, ping: 100 * time.Millisecond, pings: 2, write: time.Second, wait: 20 * time.Millisecond, spread: 30 * time.Millisecond, watched: 20 * time.Millisecond, denied: 100 * time.Millisecond}

// log collects log lines.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// counts returns how many lines have a text.
func (l *log) counts(text string) int { return strings.Count(l.String(), text) }

// connect opens a connection with short times until the test ends.
func connect(t *testing.T, cfg Config) (*Conn, *log) {
	t.Helper()
	l := new(log)
	cfg.Log = slog.New(slog.NewTextHandler(l, nil))
	if cfg.Metrics == nil {
		cfg.Metrics = newMetrics()
	}
	c := open(cfg, quick)
	t.Cleanup(func() { closeAll(t, c) })
	return c, l
}

func newMetrics() *metrics.Cluster { return metrics.New(prometheus.NewRegistry()).Cluster() }

// closeAll closes what can be closed, and fails if that takes long.
func closeAll(t *testing.T, all ...interface{ Close(context.Context) }) {
	t.Helper()
	for _, one := range all {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		one.Close(ctx)
		if ctx.Err() != nil {
			t.Errorf("closing takes longer than %v", patience)
		}
		cancel()
	}
}

// await waits until the connection is made, or lost.
func await(t *testing.T, c *Conn, connected bool) {
	t.Helper()
	until(t, map[bool]string{true: "connected", false: "disconnected"}[connected], func() bool { return c.Connected() == connected })
}

// until waits until something is so.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("expected %s within %v", what, patience)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// put writes a file of a test.
func put(t *testing.T, dir, name string, content []byte) (path string) {
	t.Helper()
	path = filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
