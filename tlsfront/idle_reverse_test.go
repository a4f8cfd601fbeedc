package tlsfront

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/sessions"
)

// A connection is not idle while a request that was sent down it is unanswered, and an idle
// one stays open as long as its handler keeps it.
//
// Rules: RC17
func TestReverseIsNotIdle(t *testing.T) {
	for _, x := range []struct {
		name string
		act  func(h *counting)
		want time.Duration // when the connection is closed, after its request
	}{
		{"the client answers after 30 s", func(h *counting) { h.awaited.Add(1); pass(30 * time.Second); h.awaited.Add(-1) }, 32 * time.Second},
		{"it is kept for an hour", func(h *counting) { h.keep.Store(true); pass(time.Hour); h.keep.Store(false) }, time.Hour},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, l, opened := startCounting(t, func(cfg *Config) { cfg.IdleTimeout = 2 * time.Second })
				c, _ := f.dialPipe(l)
				h := <-opened
				go io.Copy(io.Discard, c)
				start := time.Now()
				c.Write(packet(20, 1))
				<-h.packets
				h.answer()
				go x.act(h)
				<-h.closed
				if d := time.Since(start); d < x.want || d > x.want+tick+2*sessions.BusyTick {
					t.Errorf("when %s the connection should be closed %v after the request, but it is after %v", x.name, x.want, d)
				}
				f.stop()
				f.wantMetric(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="idle_timeout"}`, 1)
			})
		})
	}
}

// Drain waits for the answers of clients, too; and a connection that is kept although it is
// idle is not kept then.
//
// Rules: RC18
func TestDrainWaitsForClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l, opened := startCounting(t, func(*Config) {})
		c, _ := f.dialPipe(l)
		h := <-opened
		go io.Copy(io.Discard, c)
		h.awaited.Add(1)
		h.keep.Store(true)
		drained := make(chan struct{})
		go func() {
			defer close(drained)
			f.server.Drain(context.Background(), sessions.GatewayStops)
		}()
		pass(5 * time.Second)
		select {
		case <-h.closed:
			t.Fatal("closed although the client's answer is awaited")
		default:
		}
		h.awaited.Add(-1)
		<-h.closed
		<-drained
	})
}
