package tlsfront

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/sessions"
	"radsec-gw/wire"
)

// RFC 6614bis §3.10: a connection with a request outstanding is not idle. The idle time
// starts when nothing is outstanding.
//
// Rules: P113
func TestOutstandingIsNotIdle(t *testing.T) {
	watchdog := packet(20, 9)
	watchdog[0] = byte(wire.Code(12))
	for _, x := range []struct {
		name string
		act  func(c io.Writer, h *counting)
		want time.Duration // when the connection is closed, after its request
	}{
		{"the answer arrives after the idle timeout", func(_ io.Writer, h *counting) { pass(3 * time.Second); h.answer() }, 5 * time.Second},
		{"the answer arrives within it", func(_ io.Writer, h *counting) { pass(1500 * time.Millisecond); h.answer() }, 3500 * time.Millisecond},
		{"the first of two answers arrives", func(c io.Writer, h *counting) {
			c.Write(packet(20, 2))
			pass(3 * time.Second)
			h.answer()
			pass(4 * time.Second)
			h.answer()
		}, 9 * time.Second},
		{"the request ends without an answer", func(_ io.Writer, h *counting) { pass(30 * time.Second); h.open.Add(-1) }, 32 * time.Second},
		{"a watchdog is answered afterwards", func(c io.Writer, h *counting) {
			h.answer()
			pass(time.Second)
			h.open.Add(-1) // relay does not count one
			c.Write(watchdog)
			h.session.Send(packet(20, 7))
		}, 2 * time.Second},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, l, opened := startCounting(t, func(cfg *Config) { cfg.IdleTimeout = 2 * time.Second })
				c, _ := f.dialPipe(l)
				h := <-opened
				go io.Copy(io.Discard, c)
				pass(500 * time.Millisecond)
				start := time.Now()
				c.Write(packet(20, 1))
				<-h.packets
				go x.act(c, h)
				<-h.closed
				if d := time.Since(start); d < x.want || d > x.want+2*sessions.BusyTick {
					t.Errorf("when %s the connection should be closed %v after the request, but it is after %v", x.name, x.want, d)
				}
				f.stop()
				f.wantMetric(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="idle_timeout"}`, 1)
			})
		})
	}
}

// RFC 6614bis §3.10: idle connections are closed if configured, and the watchdog
// (Status-Server) does not count as traffic.
//
// Rules: P113
func TestIdleTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := startPipe(t, func(c *Config) { c.IdleTimeout = 10 * time.Minute })
		c, p := f.dialPipe(l)
		for range 5 { // kept up by requests
			pass(9 * time.Minute)
			c.Write(packet(20, 1))
			<-p.packets
		}
		start := time.Now()
		watchdog := packet(20, 2)
		watchdog[0] = byte(wire.Code(12))
		ended := make(chan error)
		go func() { _, err := io.Copy(io.Discard, c); ended <- err }()
		for range 8 {
			pass(time.Minute)
			c.Write(watchdog)
			<-p.packets
		}
		if err := <-ended; err != nil {
			t.Errorf("the idle client sees %v, want close_notify", err)
		}
		if d := time.Since(start); !within(d, 10*time.Minute) {
			t.Errorf("closed after %v without a request, want 10 min", d)
		}
		f.stop()
		f.wantMetric(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="idle_timeout"}`, 1)
		f.wantLine("RadSec connection closed", "level=INFO", "reason=idle_timeout", "no request for 10m0s")
	})
}

// RFC 6614bis §3.10: the idle timeout can be disabled; with zero it is.
//
// Rules: P113
func TestNoIdleTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := startPipe(t, nil)
		c, p := f.dialPipe(l)
		idle := 1000 * time.Hour
		if testing.Short() {
			idle = 50 * time.Hour
		}
		pass(idle)
		c.Write(packet(20, 1))
		<-p.packets
		c.Close()
		<-p.closed
		f.stop()
	})
}
