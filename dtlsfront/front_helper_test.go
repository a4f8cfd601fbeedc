package dtlsfront_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/dtls/v4"
	"github.com/pion/dtls/v4/pkg/protocol"
	"go.uber.org/goleak"

	"radsec-gw/certs"
	"radsec-gw/dtlsfront"
	"radsec-gw/dtlsfront/handshake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// front is a server over loopback whose sessions answer each packet with an echo of another
// code.
type front struct {
	t       testing.TB
	server  *dtlsfront.Server
	address netip.AddrPort
	ca      *certs.CA
	config  handshake.Config
	moves   atomic.Bool // clients may move
	refuse  atomic.Pointer[error]

	open  chan *echo // receives each
	ended chan error // receives why a handshake has failed
}

// start starts a front. change changes its configuration.
func start(t testing.TB, change ...func(*dtlsfront.Config, *handshake.Config)) *front {
	t.Helper()
	f := &front{t: t, open: make(chan *echo, 1000), ended: make(chan error, 1000)}
	var err error
	if f.ca, err = certs.NewCA("test CA"); err != nil {
		t.Fatal(err)
	}
	pair, err := f.ca.Server(certs.DevelopmentHosts())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(f.ca.Certificate)
	f.config = handshake.Config{Certificate: pair.TLS(), ClientCAs: roots, Retransmit: 50 * time.Millisecond, Verify: func(certs []*x509.Certificate) error {
		if len(certs) == 0 {
			return nil
		}
		_, err := certs[0].Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
		return err
	}}
	listener, err := dtlsfront.Listen(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := dtlsfront.Config{Listeners: []*dtlsfront.Listener{listener}, Acceptor: f, Log: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&cfg, &f.config)
	}
	if f.server, err = dtlsfront.New(cfg); err != nil {
		t.Fatal(err)
	}
	f.address = cfg.Listeners[0].Addr()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { f.server.Serve(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	return f
}

func (f *front) Refused(netip.AddrPort, error) {}

func (f *front) Ended(_ netip.AddrPort, _ dtlsfront.Count, err error) {
	if err != nil {
		select {
		case f.ended <- err:
		default:
		}
	}
}

func (f *front) Admit(netip.AddrPort) bool { return true }

func (f *front) Handshake(netip.AddrPort, *tls.ClientHelloInfo) (handshake.Config, error) {
	return f.config, nil
}

func (f *front) Accept(s *dtlsfront.Session) (dtlsfront.Sink, error) {
	if err := f.refuse.Load(); err != nil {
		return nil, *err
	}
	e := &echo{session: s, received: make(chan []byte, 100), closed: make(chan struct{})}
	f.open <- e
	return e, nil
}

func (f *front) Move(*dtlsfront.Session, netip.AddrPort) bool { return f.moves.Load() }

// echo is a Sink that answers.
type echo struct {
	session  *dtlsfront.Session
	received chan []byte
	quiet    atomic.Bool // it only answers, and keeps nothing
	waiting  atomic.Int64
	asked    atomic.Int64 // calls of Outstanding
	refuse   atomic.Bool
	keep     atomic.Bool
	closed   chan struct{}
}

func (e *echo) Packet(p []byte) error {
	if e.refuse.Load() {
		return errors.New("a packet that is refused")
	}
	if !e.quiet.Load() {
		select {
		case e.received <- bytes.Clone(p):
		default:
		}
	}
	p[0] = 2
	e.session.Send(p)
	return nil
}

func (e *echo) Flush() error     { e.session.Flush(); return nil }
func (e *echo) Outstanding() int { e.asked.Add(1); return int(e.waiting.Load()) }
func (e *echo) Awaited() int     { return 0 }
func (e *echo) Keep() bool       { return e.keep.Load() }
func (e *echo) Closed()          { close(e.closed) }

// certificate returns a client's certificate.
func (f *front) certificate() tls.Certificate {
	f.t.Helper()
	pair, err := f.ca.Client("campus")
	if err != nil {
		f.t.Fatal(err)
	}
	return pair.TLS()
}

// dial returns a client of pion's, connected from a socket that may be given.
func (f *front) dial(from net.PacketConn, more ...dtls.ClientOption) *dtls.Conn {
	f.t.Helper()
	c, err := f.tryDial(from, more...)
	if err != nil {
		f.t.Fatalf("the handshake failed: %v", err)
	}
	return c
}

func (f *front) tryDial(from net.PacketConn, more ...dtls.ClientOption) (*dtls.Conn, error) {
	return f.dialWith(from, append([]dtls.ClientOption{dtls.WithCertificates(f.certificate())}, more...)...)
}

// dialWith is tryDial without a certificate.
func (f *front) dialWith(from net.PacketConn, more ...dtls.ClientOption) (*dtls.Conn, error) {
	f.t.Helper()
	if from == nil {
		from = f.socket()
	}
	roots := x509.NewCertPool()
	roots.AddCert(f.ca.Certificate)
	o := append([]dtls.ClientOption{dtls.WithRootCAs(roots), dtls.WithServerName("localhost"),
		dtls.WithMaxVersion(protocol.Version1_2), dtls.WithFlightInterval(50 * time.Millisecond)}, more...)
	c, err := dtls.Client(from, net.UDPAddrFromAddrPort(f.address), o...)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { c.Close(); from.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return c, c.HandshakeContext(ctx)
}

// socket returns a socket of a client.
func (f *front) socket() net.PacketConn {
	f.t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

// socketAt returns a socket at an address of this machine.
func (f *front) socketAt(address string) net.PacketConn {
	f.t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(address)})
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

// session returns the Sink of the next session.
func (f *front) session() *echo {
	f.t.Helper()
	select {
	case e := <-f.open:
		return e
	case <-time.After(patience):
		f.t.Fatal("no session was opened")
		return nil
	}
}

// packet returns a packet of a length.
func packet(id byte, length int) []byte {
	p := bytes.Repeat([]byte{id}, length)
	p[0], p[2], p[3] = 1, byte(length>>8), byte(length)
	return p
}

// answer reads the next packet of a client.
func answer(t *testing.T, c *dtls.Conn) []byte {
	t.Helper()
	b := make([]byte, 20000)
	c.SetReadDeadline(time.Now().Add(patience))
	n, err := c.Read(b)
	if err != nil {
		t.Fatalf("the client expects an answer, and gets: %v", err)
	}
	return b[:n]
}

// ask sends a packet and expects its echo.
func ask(t *testing.T, c *dtls.Conn, p []byte) {
	t.Helper()
	if _, err := c.Write(p); err != nil {
		t.Fatal(err)
	}
	want := bytes.Clone(p)
	want[0] = 2
	if got := answer(t, c); !bytes.Equal(got, want) {
		t.Fatalf("the client receives %d octets, %x…; expected %d, %x…", len(got), got[:4], len(want), want[:4])
	}
}

// expectEnd expects that the client is told that its session is closed.
func expectEnd(t *testing.T, c *dtls.Conn) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(patience))
	if n, err := c.Read(make([]byte, 20000)); err != io.EOF {
		t.Fatalf("the client reads %d octets, %v; expected close_notify", n, err)
	}
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !condition(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("expected that %s", what)
		}
	}
}
