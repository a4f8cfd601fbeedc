package tlsfront

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"testing"

	"radsec-gw/identity"
	"radsec-gw/metrics"
	"radsec-gw/sessions"
)

// recorded records what a client reads from the network.
type recorded struct {
	net.Conn
	octets bytes.Buffer
}

func (r *recorded) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	r.octets.Write(b[:n])
	return n, err
}

// last returns the type of the last record; 0 if there is none, or an incomplete one.
func (r *recorded) last() (kind byte) {
	for b := r.octets.Bytes(); len(b) > 0; {
		n := 5
		if len(b) >= n {
			n += int(b[3])<<8 | int(b[4])
		}
		if len(b) < n {
			return 0
		}
		kind, b = b[0], b[n:]
	}
	return kind
}

// Whatever the reason for closing a connection, close_notify is sent first (RFC 6613
// §2.6.4). A client of crypto/tls does not distinguish an end without it, so the test
// checks the records: in TLS 1.2 encrypted alerts have a type of their own.
//
// Rules: P5
func TestCloseNotifyComesFirst(t *testing.T) {
	const alert = 21 // RFC 5246 §6.2.1
	elsewhere := clientsOf(identity.Client{Name: "campus", Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Fingerprints: [][32]byte{{1}}})
	for _, c := range []struct {
		what    string
		clients []*sessions.Client // nil: one that takes everybody
		write   []byte
	}{
		{"a Length of 19", nil, []byte{1, 1, 0, 19}},
		{"a Length of 4097", nil, []byte{1, 1, 16, 1}},
		{"a packet that the handler refuses", nil, packet(20, 1)},
		{"an unknown client", elsewhere, nil},
	} {
		t.Run(c.what, func(t *testing.T) {
			f := startTCP(t, func(f *front, cfg *Config) {
				if c.clients != nil {
					cfg.Clients = c.clients
				}
				open := f.open
				f.open = func(s *Session) sessions.Handler {
					p := open(s).(*testHandler)
					p.refuse = func([]byte) error { return errors.New("attributes that do not fill the packet") }
					return p
				}
			})
			r := &recorded{Conn: must(net.Dial("tcp", f.addr))}
			defer r.Close()
			cfg := f.clientConfig()
			cfg.MaxVersion = tls.VersionTLS12
			client := tls.Client(r, cfg)
			if err := client.Handshake(); err != nil {
				t.Fatal(err)
			}
			if len(c.write) > 0 {
				if _, err := client.Write(c.write); err != nil {
					t.Fatal(err)
				}
			}
			readToEnd(client)
			if kind := r.last(); kind != alert {
				t.Errorf("the last record before the end has type %d, expected %d: close_notify", kind, alert)
			}
		})
	}
}

// Ended returns the reason as soon as Send reports false, whatever the reason.
func TestEnded(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(f *front, c net.Conn)
		want []metrics.Reason
	}{
		{"the gateway stops", func(f *front, _ net.Conn) { f.stop() }, []metrics.Reason{metrics.ClosedShutdown}},
		{"the client resets", func(_ *front, c net.Conn) { c.(*net.TCPConn).SetLinger(0); c.Close() }, []metrics.Reason{metrics.ClosedBroken, metrics.ClosedByPeer}},
		// The kernel reports a reset only once, to the reader or the writer; the other gets EOF.
		{"the client closes", func(_ *front, c net.Conn) { c.Close() }, []metrics.Reason{metrics.ClosedByPeer, metrics.ClosedBroken}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := startTCP(t, nil)
			conn, p := f.dial()
			go c.end(f, conn.NetConn())
			for p.session.Send(packet(20, 1)) {
				p.session.Flush()
			}
			got := p.session.Ended()
			await(t, p.closed, "the session to end")
			ok := false
			for _, want := range c.want {
				ok = ok || got == want
			}
			if !ok || p.session.Ended() != got {
				t.Errorf("when Send reports false the reason is %v, and %v when it is closed; want one of %v", got, p.session.Ended(), c.want)
			}
			f.awaitMetric(`radsec_gw_tls_client_connections_closed_total{client="campus",reason="`+got.String()+`"}`, 1)
		})
	}
}
