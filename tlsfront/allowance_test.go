package tlsfront

import (
	"crypto/tls"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// What a handshake may send is limited in bytes and in parts, before and after our first
// answer; an honest one stays far below, also if it is split into small parts.
//
// Rules: P112
func TestHandshakeAllowance(t *testing.T) {
	record := func(n int) []byte { // of a ClientHello that goes on
		b := append([]byte{22, 3, 1, byte(n >> 8), byte(n)}, make([]byte, n)...)
		return b
	}
	first := append([]byte{22, 3, 1, 0x3f, 0xff, 1, 0, 0xff, 0xff}, make([]byte, 0x3fff-4)...)
	for _, c := range []struct {
		name string
		send func(c net.Conn)
		text string
	}{
		{"a ClientHello of 64 kB", func(c net.Conn) {
			c.Write(first)
			for range 4 {
				c.Write(record(0x3fff))
			}
		}, "more than 32768 bytes; expected a ClientHello"},
		{"a ClientHello in single bytes", func(c net.Conn) {
			c.Write(helloStart)
			for range 1000 {
				if _, err := c.Write([]byte{0}); err != nil {
					return
				}
			}
		}, "expected at most 100 of either"},
		{"a ClientHello in records of one byte", func(c net.Conn) {
			all := append([]byte{22, 3, 1, 0, 1, 1}, []byte{22, 3, 1, 0, 3, 0, 0xff, 0}...)
			for range 2000 {
				all = append(all, record(1)...)
			}
			c.Write(all)
		}, "TLS records; expected at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, l := startPipe(t, nil)
				start := time.Now()
				conn := l.connect()
				go c.send(conn)
				io.Copy(io.Discard, conn)
				if d := time.Since(start); d > time.Second {
					t.Errorf("refused after %v, want at once", d)
				}
				conn.Close()
				f.stop()
				f.wantMetric(`radsec_gw_tls_handshakes_total{result="excessive"}`, 1)
				f.wantLine("RadSec connection refused", "result=excessive", c.text)
			})
		})
	}
}

// choppy writes n bytes at a time.
type choppy struct {
	net.Conn
	n int
}

func (c choppy) Write(b []byte) (int, error) {
	for done := 0; done < len(b); {
		n, err := c.Conn.Write(b[done:min(done+c.n, len(b))])
		if done += n; err != nil {
			return done, err
		}
	}
	return len(b), nil
}

// The longest expected chain connects and resumes, also in the smallest packets of the
// internet.
func TestLongestHandshakeIsAllowed(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		f := startTCP(t, nil)
		cfg := f.resuming(version)
		cfg.Certificates = []tls.Certificate{must(f.pki.ca.Client("many", dns(many(1000)...))).TLS()}
		for _, resumed := range []bool{false, true} {
			c := tls.Client(choppy{must(net.Dial("tcp", f.addr)), 536}, cfg)
			defer c.Close()
			if err := c.Handshake(); err != nil {
				t.Fatal(err)
			}
			p := await(t, f.opened, "the session")
			p.session.Send(packet(20, 1)) // behind the ticket
			p.session.Flush()
			if _, err := io.ReadFull(c, make([]byte, 20)); err != nil || c.ConnectionState().DidResume != resumed {
				t.Errorf("%s: resumed is %v, want %v (error %v)", tls.VersionName(version), c.ConnectionState().DidResume, resumed, err)
			}
		}
	}
}
