package tlsfront

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/sessions"
)

// Drain accepts no more connections, closes idle ones, and continues to serve the others
// until nothing is outstanding.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l, opened := startCounting(t, func(*Config) {})
		idle, _ := f.dialPipe(l)
		quiet := <-opened
		c, _ := f.dialPipe(l)
		busy := <-opened
		go io.Copy(io.Discard, idle)
		go c.Write(packet(20, 1))
		<-busy.packets

		drained := make(chan struct{})
		start := time.Now()
		go func() {
			defer close(drained)
			f.server.Drain(context.Background(), sessions.GatewayStops)
		}()
		<-quiet.closed
		if d := time.Since(start); d > 100*time.Millisecond {
			t.Errorf("the idle connection is closed after %v", d)
		}
		if _, open := <-l.done; open {
			t.Error("the listener is open still")
		}
		pass(5 * time.Second)
		go c.Write(packet(20, 2)) // comes late, and is served
		<-busy.packets
		got := make(chan []byte, 1)
		go func() {
			all, err := io.ReadAll(c)
			if err != nil {
				t.Errorf("the busy client sees %v, want close_notify", err)
			}
			got <- all
		}()
		busy.open.Add(-1)
		pass(time.Second)
		select {
		case <-busy.closed:
			t.Fatal("closed although a request is outstanding")
		default:
		}
		busy.session.Send(packet(20, 3))
		busy.open.Add(-1)
		<-busy.closed
		if all := <-got; len(all) != 20 {
			t.Errorf("the busy client got %d octets, want its answer of 20", len(all))
		}
		<-drained
		f.wantMetric(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="shutdown"}`, 2)
	})
}

// Drain ends when its context ends, whatever is outstanding.
func TestDrainIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l, opened := startCounting(t, func(*Config) {})
		c, _ := f.dialPipe(l)
		h := <-opened
		h.open.Add(1)
		go io.Copy(io.Discard, c)
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		start := time.Now()
		f.server.Drain(ctx, sessions.GatewayStops)
		if d := time.Since(start); d < 30*time.Second || d > 31*time.Second {
			t.Errorf("draining takes %v, want 30 s", d)
		}
		f.stop()
		<-h.closed
	})
}
