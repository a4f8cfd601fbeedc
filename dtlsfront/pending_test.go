package dtlsfront_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/pion/dtls/v4"
	"github.com/pion/dtls/v4/pkg/protocol"

	"radsec-gw/certs"
	"radsec-gw/dtlsfront"
	"radsec-gw/dtlsfront/handshake"
	"radsec-gw/dtlsfront/record"
	"radsec-gw/metrics"
)

// newcomer is a client that sends its ClientHellos, and stops there.
type newcomer struct {
	t    *testing.T
	f    *front
	conn *dtls.DetachedConn
	from net.PacketConn
}

// newcomer returns a client that sends from a socket.
func (f *front) newcomer(t *testing.T, from net.PacketConn) *newcomer {
	t.Helper()
	conn, err := dtls.DetachedClient(net.UDPAddrFromAddrPort(f.address), dtls.WithCertificates(f.certificate()), dtls.WithInsecureSkipVerify(true), dtls.WithMaxVersion(protocol.Version1_2), dtls.WithFlightInterval(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := conn.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); conn.Close() })
	return &newcomer{t: t, f: f, conn: conn, from: from}
}

// flight returns the next datagrams of the client.
func (n *newcomer) flight() (all [][]byte) {
	for {
		switch e := n.conn.NextEvent(); e.Kind {
		case dtls.DetachedNoEvent:
			return all
		case dtls.DetachedWriteDatagrams:
			all = append(all, e.Datagrams...)
		}
	}
}

// send sends the next flight from a socket.
func (n *newcomer) send(from net.PacketConn) {
	n.t.Helper()
	for _, d := range n.flight() {
		if _, err := from.WriteTo(d, net.UDPAddrFromAddrPort(n.f.address)); err != nil {
			n.t.Fatal(err)
		}
	}
}

// receive gives the next datagram of the front to the client.
func (n *newcomer) receive() {
	n.t.Helper()
	b := make([]byte, 4096)
	n.from.SetReadDeadline(time.Now().Add(patience))
	size, from, err := n.from.ReadFrom(b)
	if err != nil {
		n.t.Fatalf("the client expects a datagram, and gets: %v", err)
	}
	n.from.SetReadDeadline(time.Time{})
	n.conn.HandleDatagram(b[:size], from)
}

// hello sends a ClientHello without a cookie from a new socket.
func (f *front) hello(t *testing.T) {
	t.Helper()
	c := f.socket()
	defer c.Close()
	f.newcomer(t, c).send(c)
}

// Nothing is kept of a ClientHello without a cookie, and a cookie is of use only from the
// address that it was made for.
// Rules: DT5
func TestCookieIsForOneAddress(t *testing.T) {
	f := start(t)
	a, b := f.socket(), f.socket()
	defer a.Close()
	defer b.Close()
	n := f.newcomer(t, a)
	n.send(a)
	n.receive()
	n.send(b)
	expectCount(t, f, "a cookie is not valid", dtlsfront.HelloInvalidCookie, 1)
	if n := f.server.Count(dtlsfront.HandshakeStarted); n != 0 {
		t.Errorf("%d handshakes are started, expected none", n)
	}
}

// At the limit of handshakes the oldest of the source with the most makes way, and one that
// stops is ended.
// Rules: DT5
func TestHandshakesAreLimited(t *testing.T) {
	f := start(t, func(c *dtlsfront.Config, _ *handshake.Config) {
		c.MaxHandshakes, c.HandshakeTimeout = 3, 500*time.Millisecond
	})
	for range 5 {
		c := f.socket()
		t.Cleanup(func() { c.Close() })
		n := f.newcomer(t, c)
		n.send(c)
		n.receive()
		n.send(c)
		n.receive() // the ServerHello: the handshake is running
	}
	expectCount(t, f, "a handshake is displaced", dtlsfront.HandshakeDisplaced, 2)
	ask(t, f.dial(nil), packet(1, 20))
	expectCount(t, f, "a handshake times out", dtlsfront.HandshakeTimeout, 2)
	expectCount(t, f, "a handshake is displaced", dtlsfront.HandshakeDisplaced, 3)
}

// A handshake in which the client sends without end is ended.
// Rules: DT5
func TestHandshakeThatIsTooLong(t *testing.T) {
	f := start(t)
	c := f.socket()
	defer c.Close()
	n := f.newcomer(t, c)
	n.send(c)
	n.receive()
	n.send(c)
	n.receive()
	// A fragment of a certificate that is never whole.
	fragment := record.AppendPlain(nil, record.Handshake, 5, append([]byte{11, 0xff, 0xff, 0xff, 0, 9, 0, 0, 0, 0, 3, 0xe8}, make([]byte, 1000)...))
	eventually(t, "the handshake fails", func() bool {
		c.WriteTo(fragment, net.UDPAddrFromAddrPort(f.address))
		return f.server.Count(dtlsfront.HandshakeFailed) == 1
	})
	ask(t, f.dial(nil), packet(1, 20))
}

// Neither a ClientHello with a forged source, nor a handshake that is not completed, is noticed
// by the session at its address.
// Rules: DT6
func TestSessionIsNotDisplacedWithoutProof(t *testing.T) {
	f := start(t, func(c *dtlsfront.Config, _ *handshake.Config) { c.HandshakeTimeout = 200 * time.Millisecond })
	socket := &merger{PacketConn: f.socket()}
	c := f.dial(socket)
	e := f.session()
	// The answers to these arrive at the client of the session, which drops them.
	n := f.newcomer(t, socket.PacketConn)
	n.send(socket.PacketConn)
	expectCount(t, f, "a ClientHello is answered with a cookie", dtlsfront.HelloChallenged, 2)
	ask(t, c, packet(1, 20))
	if n := f.server.Count(dtlsfront.HandshakeStarted); n != 1 {
		t.Errorf("%d handshakes are started, expected that of the session", n)
	}
	select {
	case <-e.closed:
		t.Error("the session is closed")
	default:
	}
}

// A handshake that somebody starts at a session's address, with a valid cookie, and does not
// complete leaves the session as it is, and its records arrive meanwhile.
// Rules: DT6
func TestSessionBesideAHandshake(t *testing.T) {
	f := start(t, func(c *dtlsfront.Config, _ *handshake.Config) { c.HandshakeTimeout = 300 * time.Millisecond })
	s := &splitter{PacketConn: f.socket(), other: make(chan []byte, 10)}
	c := f.dial(s)
	e := f.session()
	n := f.newcomer(t, s.PacketConn)
	n.send(s.PacketConn)
	s.splitting.Store(true) // what is not encrypted is for the newcomer
	n.conn.HandleDatagram(s.next(t, c), nil)
	n.send(s.PacketConn)
	expectCount(t, f, "a handshake is started", dtlsfront.HandshakeStarted, 2)
	for id := range byte(5) {
		ask(t, c, packet(id, 40))
	}
	expectCount(t, f, "a handshake times out", dtlsfront.HandshakeTimeout, 1)
	ask(t, c, packet(9, 40))
	select {
	case <-e.closed:
		t.Error("the session is closed")
	default:
	}
}

// A NAS that reboots and uses the same port again gets in at once: when its handshake is
// complete the session that it had ends, whose place it takes.
// Rules: DT6
func TestRebootOnTheSamePort(t *testing.T) {
	t.Run("with places", func(t *testing.T) { testReboot(t, 0) })
	t.Run("when all are in use", func(t *testing.T) { testReboot(t, 1) })
}

func testReboot(t *testing.T, sessions int) {
	f := start(t, func(c *dtlsfront.Config, _ *handshake.Config) { c.MaxSessions, c.MaxPerSource = sessions, sessions })
	socket := f.socket()
	first := &unclosed{PacketConn: socket}
	c := f.dial(first)
	ask(t, c, packet(1, 20))
	e := f.session()
	first.SetReadDeadline(time.Unix(1, 0)) // it is gone, without a word
	first.dead.Store(true)
	c.Close()
	socket.SetReadDeadline(time.Time{})
	ask(t, f.dial(socket), packet(2, 20))
	e.expectEnd(t, metrics.ClosedLocally)
	f.session()
}

// A client without a certificate, or with one of another CA, is refused in the handshake.
// Rules: DT2
func TestClientsThatAreRefused(t *testing.T) {
	other, err := certs.NewCA("another CA")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := other.Client("campus")
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string][]dtls.ClientOption{"without a certificate": nil, "of another CA": {dtls.WithCertificates(pair.TLS())}} {
		t.Run(name, func(t *testing.T) {
			f := start(t)
			if _, err := f.dialWith(nil, o...); err == nil {
				t.Error("the handshake succeeded")
			}
			expectCount(t, f, "a handshake fails", dtlsfront.HandshakeFailed, 1)
		})
	}
}

// A client of DTLS 1.0 is told that its version is too old: it would try again otherwise. The
// alert has another sequence number than the HelloVerifyRequest, or the client dropped it.
// Rules: DT2
func TestOldVersion(t *testing.T) {
	f := start(t)
	c := f.socket()
	defer c.Close()
	n := f.newcomer(t, c)
	send := func() {
		for _, d := range n.flight() {
			d[26] = 0xff // of the ClientHello's version
			c.WriteTo(d, net.UDPAddrFromAddrPort(f.address))
		}
	}
	send()
	n.receive()
	send()
	b := make([]byte, 100)
	c.SetReadDeadline(time.Now().Add(patience))
	size, _, err := c.ReadFrom(b)
	if err != nil {
		t.Fatalf("the client expects an alert, and gets: %v", err)
	}
	const fatal, protocolVersion = 2, 70 // RFC 5246 §7.2
	if r, _, ok := record.Next(b[:size], 0); !ok || r.Type != record.Alert || r.Sequence == 0 || !bytes.Equal(r.Fragment, []byte{fatal, protocolVersion}) {
		t.Errorf("the client gets % x, expected the alert protocol_version", b[:size])
	}
	expectCount(t, f, "a handshake fails", dtlsfront.HandshakeFailed, 1)
}

// A client that gets no session is told by close_notify.
func TestRefusedSession(t *testing.T) {
	f := start(t)
	refusal := errors.New("no client has this certificate")
	f.refuse.Store(&refusal)
	c := f.dial(nil)
	expectEnd(t, c)
	expectCount(t, f, "a session is refused", dtlsfront.HandshakeRefused, 1)
}

// A source has no more sessions than it may.
// Rules: DT12
func TestMaxPerSource(t *testing.T) {
	f := start(t, func(c *dtlsfront.Config, _ *handshake.Config) { c.MaxPerSource = 1 })
	ask(t, f.dial(nil), packet(1, 20))
	expectEnd(t, f.dial(nil))
}
