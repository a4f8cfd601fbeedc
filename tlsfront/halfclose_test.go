package tlsfront

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/sessions"
)

// halfCloses are the ways in which a client may end a connection.
var halfCloses = []struct {
	name    string
	version uint16
	end     func(*tls.Conn) error
	answers bool // the client gets the outstanding answers
}{
	{"FIN", tls.VersionTLS13, sendFIN, true},
	{"FIN, TLS 1.2", tls.VersionTLS12, sendFIN, true},
	{"close_notify", tls.VersionTLS13, sendCloseNotify, true},
	{"close_notify, TLS 1.2", tls.VersionTLS12, sendCloseNotify, false},
	{"close_notify and FIN", tls.VersionTLS13, sendBoth, false},
	{"close_notify and FIN, TLS 1.2", tls.VersionTLS12, sendBoth, false},
	{"a reset", tls.VersionTLS13, func(c *tls.Conn) error {
		c.NetConn().(*net.TCPConn).SetLinger(0)
		return c.NetConn().Close()
	}, false},
}

func sendCloseNotify(c *tls.Conn) error { return c.CloseWrite() }
func sendFIN(c *tls.Conn) error         { return c.NetConn().(*net.TCPConn).CloseWrite() }
func sendBoth(c *tls.Conn) error        { sendCloseNotify(c); return sendFIN(c) }

// A client that closes its direction only, with FIN or with close_notify in TLS 1.3 (RFC
// 8446 §6.1), gets its outstanding answers, then the end. One that closes the connection
// is closed immediately: no answer is awaited (RFC 6614bis §3.11, RFC 5246 §7.2.1).
//
// Rules: P59
func TestHalfClosedConnectionGetsItsAnswers(t *testing.T) {
	for _, c := range halfCloses {
		t.Run(c.name, func(t *testing.T) {
			f, opened := startCountingTCP(t)
			cfg := f.clientConfig()
			cfg.MinVersion, cfg.MaxVersion = c.version, c.version
			conn := must(tls.Dial("tcp", f.addr, cfg))
			defer conn.Close()
			h := await(t, opened, "the connection")
			conn.Write(packet(20, 1))
			conn.Write(packet(20, 2))
			await(t, h.packets, "a request")
			await(t, h.packets, "another request")
			if err := c.end(conn); err != nil {
				t.Fatal(err)
			}
			if !c.answers {
				await(t, h.closed, "the end of the connection, with requests outstanding")
				return
			}
			for i := range byte(2) {
				got := make([]byte, 20)
				conn.SetReadDeadline(time.Now().Add(patience))
				h.session.Send(packet(20, i+1))
				h.session.Flush()
				if _, err := io.ReadFull(conn, got); err != nil || got[1] != i+1 {
					t.Fatalf("answer %d is %x, %v", i+1, got, err)
				}
				select {
				case <-h.closed:
					t.Fatal("the connection is closed with a request outstanding")
				default:
				}
				h.open.Add(-1)
			}
			if err := readToEnd(conn); err != io.EOF {
				t.Errorf("after the answers the client sees %v, expected close_notify", err)
			}
			conn.Close()
			await(t, h.closed, "the end of the connection")
			f.awaitMetric(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="peer_closed"}`, 1)
		})
	}
}

// A half-closed connection is closed if the client resets it while answers are
// outstanding.
func TestHalfClosedConnectionThatIsReset(t *testing.T) {
	f, opened := startCountingTCP(t)
	conn := must(tls.Dial("tcp", f.addr, f.clientConfig()))
	h := await(t, opened, "the connection")
	conn.Write(packet(20, 1))
	await(t, h.packets, "a request")
	conn.CloseWrite()
	conn.NetConn().(*net.TCPConn).SetLinger(0)
	conn.NetConn().Close()
	await(t, h.closed, "the end of the connection, with a request outstanding")
}

// The wait for the answers of a half-closed connection is bounded, and ends when the
// gateway stops.
func TestHalfClosedConnectionIsBounded(t *testing.T) {
	for _, stop := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f, l, opened := startCounting(t, func(*Config) {})
			c, _ := f.dialPipe(l)
			h := <-opened
			go c.Write(packet(20, 1))
			<-h.packets
			start := time.Now()
			go func() {
				c.CloseWrite()
				io.Copy(io.Discard, c)
			}()
			want := maxAnswerWait
			if stop {
				pass(time.Second)
				drained := make(chan struct{})
				defer func() { <-drained }()
				go func() {
					defer close(drained)
					f.server.Drain(context.Background(), sessions.GatewayStops)
				}()
				pass(time.Second)
				go f.stop()
				want = 2 * time.Second
			}
			<-h.closed
			if d := time.Since(start); d < want || d > want+time.Second {
				t.Errorf("the connection ends after %v, expected %v", d, want)
			}
			c.Close()
		})
	}
}

// Drain waits for the answers of a client that has sent close_notify, but not of one
// that has sent only a FIN.
func TestDrainOfHalfClosedConnections(t *testing.T) {
	for _, notified := range []bool{false, true} {
		f, opened := startCountingTCP(t)
		conn := must(tls.Dial("tcp", f.addr, f.clientConfig()))
		defer conn.Close()
		h := await(t, opened, "the connection")
		conn.Write(packet(20, 1))
		await(t, h.packets, "a request")
		if notified {
			conn.CloseWrite()
		} else {
			conn.NetConn().(*net.TCPConn).CloseWrite()
		}
		drained := make(chan struct{})
		go func() {
			defer close(drained)
			f.server.Drain(context.Background(), sessions.GatewayStops)
		}()
		if notified {
			got := make([]byte, 20)
			conn.SetReadDeadline(time.Now().Add(patience))
			h.session.Send(packet(20, 1))
			h.session.Flush()
			if _, err := io.ReadFull(conn, got); err != nil {
				t.Fatalf("the answer after close_notify is lost: %v", err)
			}
			h.open.Add(-1)
			conn.Close()
		}
		await(t, h.closed, "the end of the connection")
		await(t, drained, "the end of the drain")
	}
}
