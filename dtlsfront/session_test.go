package dtlsfront_test

import (
	"bytes"
	"net"
	"sync"
	"testing"
	"time"

	"radsec-gw/dtlsfront"
	"radsec-gw/dtlsfront/handshake"
	"radsec-gw/dtlsfront/record"
	"radsec-gw/metrics"
	"radsec-gw/sessions"
)

// A client with a certificate gets a session, in which each packet is answered, up to the
// longest, in records of their own.
// Rules: DT2, DT3, DT4
func TestPacketsBothWays(t *testing.T) {
	f := start(t)
	c := f.dial(nil)
	for id, length := range []int{20, 100, 1500, 4096} {
		ask(t, c, packet(byte(id), length))
	}
	e := f.session()
	if leaf, version := e.session.Security(); leaf == nil || leaf.Subject.CommonName != "campus" || version != "DTLS 1.2" {
		t.Errorf("the session has the certificate %v and %s, expected campus and DTLS 1.2", leaf, version)
	}
	if got := e.session.LocalAddr(); got != f.address {
		t.Errorf("the local address is %v, expected %v", got, f.address)
	}
}

// What follows a packet in its record is padding.
// Rules: DT3
func TestPadding(t *testing.T) {
	f := start(t)
	c := f.dial(nil)
	if _, err := c.Write(append(packet(7, 20), make([]byte, 11)...)); err != nil {
		t.Fatal(err)
	}
	if got := answer(t, c); len(got) != 20 {
		t.Errorf("the front takes %d octets for the packet, expected 20", len(got))
	}
}

// A record that is shorter than its packet, or whose Length is not 20 to 4096, closes the
// session with close_notify.
// Rules: DT3, DT9
func TestBadLengthCloses(t *testing.T) {
	short := packet(1, 100)[:99]
	below, above := packet(1, 20), packet(1, 5000)
	below[3] = 19
	for name, p := range map[string][]byte{"shorter than its Length": short, "of three octets": {1, 1, 0}, "with a Length of 19": below, "with a Length of 5000": above} {
		t.Run(name, func(t *testing.T) {
			f := start(t)
			c := f.dial(nil)
			e := f.session()
			c.Write(p)
			expectEnd(t, c)
			e.expectEnd(t, metrics.ClosedBadLength)
		})
	}
}

// A packet that the Sink refuses closes the session with close_notify.
// Rules: DT9
func TestRefusedPacketCloses(t *testing.T) {
	f := start(t)
	c := f.dial(nil)
	e := f.session()
	e.refuse.Store(true)
	c.Write(packet(1, 20))
	expectEnd(t, c)
	e.expectEnd(t, metrics.ClosedRefused)
}

// A request that is sent again is handed on again, and its answer encrypted anew.
// Rules: DT8
func TestRetransmissionsAreHandedOn(t *testing.T) {
	f := start(t)
	c := f.dial(nil)
	e := f.session()
	for range 3 {
		ask(t, c, packet(9, 50))
	}
	if n := len(e.received); n != 3 {
		t.Errorf("the Sink is given %d packets, expected 3", n)
	}
}

// close_notify of a client closes the session.
func TestClientCloses(t *testing.T) {
	f := start(t)
	c := f.dial(nil)
	e := f.session()
	c.Close()
	e.expectEnd(t, metrics.ClosedByPeer)
	if e.session.Send(packet(1, 20)) {
		t.Error("Send reports true for a closed session")
	}
}

// Several records in a datagram are each a packet.
// Rules: DT3
func TestSeveralRecordsInADatagram(t *testing.T) {
	f := start(t)
	m := &merger{PacketConn: f.socket()}
	c := f.dial(m)
	m.gather(3)
	for id := range byte(3) {
		c.Write(packet(id, 30))
	}
	for id := range byte(3) {
		if got := answer(t, c); got[1] != id || len(got) != 30 {
			t.Errorf("the answer is % x, expected that to packet %d", got, id)
		}
	}
}

// A record that was received before is not given to the Sink again, and one that is not
// authentic closes nothing.
// Rules: DT3, DT6, DT8
func TestRepeatedAndForgedRecords(t *testing.T) {
	f := start(t)
	m := &merger{PacketConn: f.socket()}
	c := f.dial(m)
	e := f.session()
	ask(t, c, packet(1, 40))
	repeated := m.last()
	m.PacketConn.WriteTo(repeated, net.UDPAddrFromAddrPort(f.address))
	expectCount(t, f, "a record is repeated", dtlsfront.RecordRepeated, 1)
	forged := bytes.Clone(repeated)
	forged[10] += 100 // its sequence number
	m.PacketConn.WriteTo(forged, net.UDPAddrFromAddrPort(f.address))
	expectCount(t, f, "a record is forged", dtlsfront.RecordForged, 1)
	ask(t, c, packet(2, 40))
	if n := len(e.received); n != 2 {
		t.Errorf("the Sink is given %d packets, expected 2", n)
	}
}

// A session without a request for the idle timeout is closed, but not while one is outstanding.
// Rules: DT11
func TestIdle(t *testing.T) {
	f := start(t, func(c *dtlsfront.Config, _ *handshake.Config) { c.IdleTimeout = 100 * time.Millisecond })
	c := f.dial(nil)
	e := f.session()
	e.waiting.Store(1)
	ask(t, c, packet(1, 20))
	select {
	case <-e.closed:
		t.Fatal("a session with a request outstanding is closed")
	case <-time.After(300 * time.Millisecond):
	}
	e.waiting.Store(0)
	expectEnd(t, c)
	e.expectEnd(t, metrics.ClosedIdle)
}

// Requests alone keep a session open: a peer need not send Status-Server, and one that sends nothing
// else is idle.
// Rules: DT11
func TestTrafficKeepsASessionOpen(t *testing.T) {
	t.Parallel()
	const limit = time.Second
	f := start(t, func(c *dtlsfront.Config, _ *handshake.Config) { c.IdleTimeout = limit })
	busy := f.dial(nil)
	e := f.session()
	watched := f.dial(nil)
	idle := f.session()
	status := packet(2, 20)
	status[0] = 12
	end := time.Now().Add(patience)
	for closed := false; !closed; {
		if time.Now().After(end) {
			t.Fatal("a session with nothing but Status-Server stays")
		}
		ask(t, busy, packet(1, 20))
		watched.Write(status)
		select {
		case <-idle.closed:
			closed = true
		case <-time.After(limit / 20):
		}
	}
	if reason := idle.session.Ended(); reason != metrics.ClosedIdle {
		t.Errorf("the session with Status-Server is closed for the reason %v", reason)
	}
	select {
	case <-e.closed:
		t.Error("the session with requests is closed")
	default:
	}
}

// A session that is kept for CoA although it is idle stays as long as anything at all arrives, and
// ends with a client that is silent: nothing else tells that it is gone.
// Rules: RC17, DT6, DT12
func TestKeptSessionOfADeadClient(t *testing.T) {
	t.Parallel()
	const limit = time.Second
	f := start(t, func(c *dtlsfront.Config, _ *handshake.Config) { c.IdleTimeout = limit })
	alive := f.dial(nil)
	watched := f.session()
	watched.keep.Store(true)
	f.dial(nil)
	dead := f.session()
	dead.keep.Store(true)
	status := packet(2, 20)
	status[0] = 12
	for end := time.Now().Add(patience); ; {
		alive.Write(status)
		select {
		case <-dead.closed:
			if reason := dead.session.Ended(); reason != metrics.ClosedIdle {
				t.Errorf("the silent session is closed for the reason %v", reason)
			}
			select {
			case <-watched.closed:
				t.Error("a session with Status-Server is closed although it is to be kept")
			default:
			}
			return
		case <-time.After(limit / 20):
		}
		if time.Now().After(end) {
			t.Fatal("the session of a client that is gone stays")
		}
	}
}

// A drained server answers what is outstanding, then closes, and takes no new client.
// Rules: DT12
func TestDrain(t *testing.T) {
	f := start(t)
	c := f.dial(nil)
	e := f.session()
	e.waiting.Store(1)
	drained := make(chan struct{})
	f.server.StartDraining(sessions.GatewayStops)
	go func() { f.server.AwaitDrained(t.Context()); close(drained) }()
	eventually(t, "a newcomer is not admitted", func() bool {
		f.hello(t)
		return f.server.Count(dtlsfront.HelloNotAdmitted) > 0
	})
	asked := e.asked.Load()
	eventually(t, "the session is checked several times", func() bool { return e.asked.Load() > asked+5 })
	ask(t, c, packet(1, 20))
	e.waiting.Store(0)
	expectEnd(t, c)
	e.expectEnd(t, metrics.ClosedShutdown)
	<-drained
}

// A session is closed after the most packets that it may have.
// Rules: DT12
func TestMaxPackets(t *testing.T) {
	f := start(t, func(c *dtlsfront.Config, _ *handshake.Config) { c.MaxPackets, c.IdleTimeout = 2, 100*time.Millisecond })
	c := f.dial(nil)
	e := f.session()
	ask(t, c, packet(1, 20))
	ask(t, c, packet(2, 20))
	c.Write(packet(3, 20))
	expectEnd(t, c)
	e.expectEnd(t, metrics.ClosedPacketLimit)
	if n := len(e.received); n != 2 {
		t.Errorf("the Sink is given %d packets, expected 2", n)
	}
}

// expectEnd expects that the session is closed for a reason.
func (e *echo) expectEnd(t *testing.T, want metrics.Reason) {
	t.Helper()
	select {
	case <-e.closed:
	case <-time.After(patience):
		t.Fatal("the session is not closed")
	}
	if got := e.session.Ended(); got != want {
		t.Errorf("the session was closed for the reason %v, expected %v", got, want)
	}
}

// merger is a socket of a client that can send several records in one datagram.
type merger struct {
	net.PacketConn
	mu       sync.Mutex
	missing  int
	gathered []byte
	sent     []byte // the last datagram
}

// gather has the next n records sent together.
func (m *merger) gather(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.missing = n
}

func (m *merger) last() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return bytes.Clone(m.sent)
}

func (m *merger) WriteTo(b []byte, to net.Addr) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.missing > 0 {
		m.gathered = append(m.gathered, b...)
		if m.missing--; m.missing > 0 {
			return len(b), nil
		}
		m.PacketConn.WriteTo(m.gathered, to)
		return len(b), nil
	}
	m.sent = bytes.Clone(b)
	return m.PacketConn.WriteTo(b, to)
}

// A client that wants to renegotiate is told no, and its session goes on.
// Rules: DT2
func TestRenegotiation(t *testing.T) {
	f := start(t)
	c := f.bare(t)
	f.session()
	hello := append([]byte{1, 0, 0, 42, 0, 5, 0, 0, 0, 0, 0, 42}, make([]byte, 42)...)
	c.conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := c.conn.WriteToUDPAddrPort(c.sealer.Seal(nil, record.Handshake, hello), f.address); err != nil {
		t.Fatal(err)
	}
	n, _, err := c.conn.ReadFromUDPAddrPort(c.in[:])
	if err != nil {
		t.Fatal(err)
	}
	r, _, _ := record.Next(c.in[:n], 0)
	if kind, content, ok := c.opener.Open(&r); !ok || kind != record.Alert || string(content) != "\x01\x64" {
		t.Errorf("the client gets a record of type %d, %x, expected the warning no_renegotiation", kind, content)
	}
	c.send(t, f, packet(1, 20), 1)
	c.receive(t, 1)
}
