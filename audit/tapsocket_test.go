package audit

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"radsec-gw/metrics"
)

// A tap that is attached goes on after its socket was closed, as a reload that
// moves the socket does; its end is the hub's.
//
// Fault L5.
func TestTapsOutliveTheirSocket(t *testing.T) {
	h, _ := newHub(t, nil, func(c *Config) { c.Requests = false })
	path := filepath.Join(t.TempDir(), "tap.sock")
	l, err := ListenTap(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.ServeTaps(ctx, l)
	}()
	_, lines := look(t, path, "{}")
	l.Close()
	if _, err := net.Dial("unix", path); err == nil {
		t.Error("the closed socket takes connections")
	}
	h.Arrived(&Event{Client: "campus"})
	if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, "campus") {
		t.Errorf("the tap was shown %q, %v", line, err)
	}
	select {
	case <-ended:
		t.Error("the taps have ended with their socket")
	default:
	}
	cancel()
	<-ended
}

// starved is a listener for a process that has no descriptor left for a while.
type starved struct {
	net.Listener
	fails int
}

func (s *starved) Accept() (net.Conn, error) {
	if s.fails--; s.fails >= 0 {
		return nil, fmt.Errorf("accept: %w", syscall.EMFILE)
	}
	return nil, net.ErrClosed
}
func (s *starved) Close() error { return nil }

// A lack of descriptors does not end the taps; it is counted.
func TestTapsSurviveALackOfDescriptors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewRegistry()
		h := &Hub{metrics: metrics.New(reg)}
		start := time.Now()
		h.ServeTaps(t.Context(), &starved{fails: 20})
		if took := time.Since(start); took < 10*time.Second || took > 20*time.Second {
			t.Errorf("20 failures took %v, want about a second each", took)
		}
		const want = "# HELP radsec_gw_accept_failures_total Connections that could not be accepted, most often because the process had no descriptor left.\n" +
			"# TYPE radsec_gw_accept_failures_total counter\n" +
			"radsec_gw_accept_failures_total{listener=\"http\"} 0\nradsec_gw_accept_failures_total{listener=\"radsec\"} 0\nradsec_gw_accept_failures_total{listener=\"tap\"} 20\n"
		if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "radsec_gw_accept_failures_total"); err != nil {
			t.Error(err)
		}
	})
}
