package tlsfront

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/sessions"
)

// Packets that arrived together are flushed together.
func TestDrainThenFlush(t *testing.T) {
	f := startTCP(t, nil)
	raw := &holding{Conn: must(net.Dial("tcp", f.addr))}
	c := tls.Client(raw, f.clientConfig())
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	p := await(t, f.opened, "the session")
	raw.hold = true
	for i := range 10 {
		c.Write(packet(100, byte(i))) // ten records
	}
	raw.hold = false
	raw.Conn.Write(raw.held)
	if n := await(t, p.flushes, "a Flush"); n != 10 {
		t.Errorf("the first Flush came after %d packets, want all 10 that were there", n)
	}
	c.Close()
}

// RFC 6613 §2.6.4: a Length outside its limits closes the connection, with close_notify
// first; packets before it are handled.
//
// Rules: P5
func TestBadLengthClosesTheConnection(t *testing.T) {
	f := startTCP(t, nil)
	c, p := f.dial()
	c.Write(append(packet(20, 1), 1, 2, 0, 19))
	if err := readToEnd(c); err != io.EOF {
		t.Errorf("the client sees %v, want close_notify", err)
	}
	await(t, p.packets, "the good packet")
	await(t, p.closed, "Closed")
	f.stop()
	f.wantMetric(`radsec_gw_requests_total{client="campus",fate="bad_length",kind="other"}`, 1)
	f.wantMetric(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="bad_length"}`, 1)
	f.wantLine("level=WARN", "RadSec connection closed", "client=campus", "packet 2", "20 to 4096")
}

// An error of the handler closes the connection, with close_notify first (RFC 6613
// §2.6.4), and its text is logged.
//
// Rules: P5
func TestHandlerErrorClosesTheConnection(t *testing.T) {
	f := startTCP(t, func(f *front, cfg *Config) {
		open := f.open
		f.open = func(s *Session) sessions.Handler {
			p := open(s).(*testHandler)
			p.refuse = func(b []byte) error {
				s.Send(packet(30, 9)) // an answer to an earlier packet
				return errors.New("the Request Authenticator is wrong")
			}
			return p
		}
	})
	c, p := f.dial()
	c.Write(packet(20, 1))
	if _, err := io.ReadFull(c, make([]byte, 30)); err != nil {
		t.Errorf("the answer that was queued before the end does not arrive: %v", err)
	}
	if err := readToEnd(c); err != io.EOF {
		t.Errorf("the client sees %v, want close_notify", err)
	}
	await(t, p.closed, "Closed")
	if p.session.Send(packet(20, 1)) {
		t.Error("Send takes a packet after the end")
	}
	f.stop()
	f.wantLine("RadSec connection closed", "reason=refused_packet", "packet 1: the Request Authenticator is wrong")
}

// Rules: P115
func TestPacketLimit(t *testing.T) {
	f := startTCP(t, func(f *front, cfg *Config) { cfg.MaxPacketsPerConnection = 3 })
	c, p := f.dial()
	c.Write(bytes.Repeat(packet(20, 1), 5))
	if err := readToEnd(c); err != io.EOF {
		t.Errorf("the client sees %v, want close_notify", err)
	}
	await(t, p.closed, "Closed")
	if n := len(p.packets); n != 3 {
		t.Errorf("%d packets were handled, want 3", n)
	}
}

// A FIN without close_notify within a packet has a reason of its own.
func TestEndWithinAPacket(t *testing.T) {
	f := startTCP(t, nil)
	c, p := f.dial()
	c.Write(packet(20, 1)[:10])
	c.CloseWrite()
	await(t, p.closed, "Closed")
	f.stop()
	f.wantLine("RadSec connection closed", "reason=broken", "within a packet")
}

// A packet must be complete in time, counted from its first octet, whether it arrives in
// records of one octet, or in one record octet by octet.
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

// The packet timeout is for one packet: slow packets may follow one another for ever.
func TestPacketTimeoutIsForOnePacket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := startPipe(t, nil)
		c, p := f.dialPipe(l)
		b := packet(20, 1)
		c.Write(b[:10])
		for range 10 {
			pass(20 * time.Second)
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
