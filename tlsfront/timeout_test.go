package tlsfront

import (
	"crypto/tls"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/config/defaults"
	"radsec-gw/wire"
)

// startPipe is start without network, for faked time.
func startPipe(t *testing.T, change func(*Config)) (*front, *pipeListener) {
	l := newPipeListener()
	return start(t, l, func(f *front, cfg *Config) {
		if change != nil {
			change(cfg)
		}
	}), l
}

// dialPipe connects an honest client.
func (f *front) dialPipe(l *pipeListener) (*tls.Conn, *testHandler) {
	f.t.Helper()
	c := tls.Client(l.connect(), f.clientConfig())
	if err := c.Handshake(); err != nil {
		f.t.Fatal(err)
	}
	return c, <-f.opened
}

// drip writes b an octet a second until it fails, and returns how long it took.
func drip(c net.Conn, b []byte) time.Duration {
	start := time.Now()
	go io.Copy(io.Discard, c)
	for _, octet := range b {
		if _, err := c.Write([]byte{octet}); err != nil {
			break
		}
		sleep(time.Second) // of faked time
	}
	return time.Since(start)
}

// within reports whether d is want, or a little later.
func within(d, want time.Duration) bool { return d >= want && d <= want+2*time.Second }

// RFC 6614bis §7.4: a connection has seconds to begin its handshake, and a
// handshake has seconds in all, however the peer spends them.
//
// Rules: P112
func TestHandshakeTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := startPipe(t, nil)
		start := time.Now()
		silent := l.connect()
		readToEnd(silent)
		if d := time.Since(start); !within(d, 3*time.Second) {
			t.Errorf("a silent peer is closed after %v, want 3 s", d)
		}
		if d := drip(l.connect(), helloStart); !within(d, 3*time.Second) {
			t.Errorf("a peer that drips the first bytes of its ClientHello is closed after %v, want 3 s", d)
		}
		// The rest of a ClientHello that comes a byte a second.
		slow := l.connect()
		slow.Write(helloStart)
		if d := drip(slow, append([]byte{0, 0, 252}, make([]byte, 200)...)); !within(d, 10*time.Second) {
			t.Errorf("a peer that drips its ClientHello is closed after %v, want 10 s", d)
		}
		f.stop()
		f.wantMetric(`radsec_gw_tls_handshakes_total{result="silent"}`, 2)
		f.wantMetric(`radsec_gw_tls_handshakes_total{result="timeout"}`, 1)
		f.wantLine("result=silent", "expected a TLS ClientHello within 3s, got 0 bytes")
	})
}

// A started packet must be whole in time, counted from its first octet, on
// either level: dripped as records of one octet, and as one record dripped.
//
// Rules: P112
func TestPacketTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := startPipe(t, nil)
		c, p := f.dialPipe(l)
		if d := drip(c, packet(100, 1)); !within(d, 30*time.Second) {
			t.Errorf("a packet dripped in records of one octet is cut off after %v, want 30 s", d)
		}
		<-p.closed

		raw := &holding{Conn: l.connect()}
		c = tls.Client(raw, f.clientConfig())
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		p = <-f.opened
		raw.hold = true
		c.Write(packet(100, 1))
		if d := drip(raw.Conn, raw.held); !within(d, 30*time.Second) {
			t.Errorf("a record that is dripped is cut off after %v, want 30 s", d)
		}
		<-p.closed
		f.stop()
		f.wantMetric(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="packet_timeout"}`, 2)
	})
}

// Packets that each take a while may go on for ever: the time is that of one.
func TestPacketTimeoutIsForOnePacket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := startPipe(t, nil)
		c, p := f.dialPipe(l)
		b := packet(20, 1)
		c.Write(b[:10])
		for range 10 {
			sleep(20 * time.Second)
			c.Write(append(b[10:20:20], b[:10]...)) // the end of one, the start of the next
			<-p.packets
		}
		c.Write(b[10:])
		<-p.packets
		c.Close()
		<-p.closed
		f.stop()
		f.wantMetric(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="peer_closed"}`, 1)
	})
}

// RFC 6614bis §3.10: idle connections are closed if so configured, and the
// watchdog (Status-Server) does not count as traffic.
//
// Rules: P113
func TestIdleTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := startPipe(t, func(c *Config) { c.IdleTimeout = 10 * time.Minute })
		c, p := f.dialPipe(l)
		for range 5 { // kept up by requests
			sleep(9 * time.Minute)
			c.Write(packet(20, 1))
			<-p.packets
		}
		start := time.Now()
		watchdog := packet(20, 2)
		watchdog[0] = byte(wire.Code(12))
		ended := make(chan error)
		go func() { _, err := io.Copy(io.Discard, c); ended <- err }()
		for range 8 {
			sleep(time.Minute)
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

// RFC 6614bis §3.10: the idle timeout can be switched off; zero does.
//
// Rules: P113
func TestNoIdleTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := startPipe(t, nil)
		c, p := f.dialPipe(l)
		sleep(1000 * time.Hour)
		c.Write(packet(20, 1))
		<-p.packets
		c.Close()
		<-p.closed
		f.stop()
	})
}

// RFC 6614bis §6.2.1: writes have a deadline.
//
// Rules: P100
func TestWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := startPipe(t, nil)
		_, p := f.dialPipe(l)
		start := time.Now()
		p.session.Send(packet(20, 1))
		p.session.Flush() // returns although the pipe has no buffer and nobody reads
		if d := time.Since(start); d != 0 {
			t.Errorf("Flush blocked for %v", d)
		}
		<-p.closed
		if d := time.Since(start); !within(d, defaults.WriteTimeout) {
			t.Errorf("a client that does not take its answer is closed after %v, expected %v", d, defaults.WriteTimeout)
		}
		f.stop()
		f.wantMetric(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="not_reading"}`, 1)
		f.wantLine("RadSec connection closed", "has not read its answers within 10s")
		f.wantMetric("radsec_gw_tls_waiting_bytes", 0)
	})
}

// The end of the gateway closes connections with close_notify and waits for
// every goroutine, even with a peer that does not read.
func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := startPipe(t, nil)
		c, p := f.dialPipe(l)
		_, deaf := f.dialPipe(l)
		l.connect() // in the middle of its handshake
		synctest.Wait()
		ended := make(chan error)
		go func() { _, err := io.Copy(io.Discard, c); ended <- err }()
		start := time.Now()
		f.stop()
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("the end took %v, want at most 2 s", d)
		}
		if err := <-ended; err != nil {
			t.Errorf("the client sees %v, want close_notify", err)
		}
		<-p.closed
		<-deaf.closed
		f.wantMetric(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="shutdown"}`, 2)
		f.wantMetric(`radsec_gw_tls_handshakes_total{result="shutdown"}`, 1)
	})
}
