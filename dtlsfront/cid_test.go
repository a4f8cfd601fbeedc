package dtlsfront_test

import (
	"bytes"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/dtls/v4"

	"radsec-gw/dtlsfront"
	"radsec-gw/dtlsfront/handshake"
	"radsec-gw/metrics"
)

// roamer is a socket of a client that changes its address.
type roamer struct {
	net.PacketConn // the first one
	second         net.PacketConn
	moved          atomic.Bool
}

func (r *roamer) WriteTo(b []byte, to net.Addr) (int, error) {
	if r.moved.Load() {
		return r.second.WriteTo(b, to)
	}
	return r.PacketConn.WriteTo(b, to)
}

func (r *roamer) ReadFrom(b []byte) (int, net.Addr, error) {
	if !r.moved.Load() {
		if n, from, err := r.PacketConn.ReadFrom(b); err == nil || !r.moved.Load() {
			return n, from, err
		}
	}
	return r.second.ReadFrom(b)
}

// move has the client go on at the second address.
func (r *roamer) move() {
	r.moved.Store(true)
	r.PacketConn.SetReadDeadline(time.Unix(1, 0))
}

// A client with a Connection ID keeps its session when its address changes, if it may be there:
// that is asked for each packet from elsewhere. Its answers go to the new address.
// Rules: DT7
func TestClientMovesWithAConnectionID(t *testing.T) {
	for name, ids := range map[string]int{"both ends ask for one": 6, "the client asks for none": 0} {
		t.Run(name, func(t *testing.T) {
			f := start(t, func(c *dtlsfront.Config, _ *handshake.Config) { c.ConnectionIDs = true })
			r := &roamer{PacketConn: f.socket(), second: f.socket()}
			defer r.second.Close()
			c := f.dial(r, dtls.WithConnectionID(func() []byte { return make([]byte, ids) }, dtls.CIDPathMigrationReject))
			ask(t, c, packet(1, 40))
			e := f.session()
			r.move()
			c.Write(packet(2, 40))
			expectCount(t, f, "a record comes from an address that the client may not have", dtlsfront.RecordMoved, 1)
			f.moves.Store(true)
			ask(t, c, packet(3, 4096))
			if got, want := e.session.RemoteAddr().Port(), uint16(r.second.LocalAddr().(*net.UDPAddr).Port); got != want {
				t.Errorf("the session is at port %d, expected %d", got, want)
			}
		})
	}
}

// A record that is older than another does not lead answers to where it comes from: somebody may
// have kept it.
// Rules: DT7
func TestOldRecordLeadsNowhere(t *testing.T) {
	f := start(t, func(c *dtlsfront.Config, _ *handshake.Config) { c.ConnectionIDs = true })
	f.moves.Store(true)
	k := &keeper{PacketConn: f.socket()}
	c := f.dial(k, dtls.WithConnectionID(func() []byte { return nil }, dtls.CIDPathMigrationReject))
	e := f.session()
	ask(t, c, packet(1, 40))
	k.keeping.Store(true)
	c.Write(packet(2, 40))
	k.keeping.Store(false)
	ask(t, c, packet(3, 40))
	elsewhere := f.socket()
	defer elsewhere.Close()
	elsewhere.WriteTo(k.kept, net.UDPAddrFromAddrPort(f.address))
	if got := answer(t, c); got[1] != 2 {
		t.Errorf("the client gets the answer to packet %d at its address, expected that to 2", got[1])
	}
	if got, want := e.session.RemoteAddr(), k.LocalAddr().(*net.UDPAddr).AddrPort(); got != want {
		t.Errorf("the session is at %v, expected %v", got, want)
	}
}

// keeper is a socket of a client that keeps a datagram instead of sending it.
type keeper struct {
	net.PacketConn
	keeping atomic.Bool
	kept    []byte
}

func (k *keeper) WriteTo(b []byte, to net.Addr) (int, error) {
	if k.keeping.Load() {
		k.kept = bytes.Clone(b)
		return len(b), nil
	}
	return k.PacketConn.WriteTo(b, to)
}

// The address that a client has left may be another's, whose session is not the end of its own.
// Rules: DT6, DT7
func TestAnotherClientAtTheOldAddress(t *testing.T) {
	f := start(t, func(c *dtlsfront.Config, _ *handshake.Config) { c.ConnectionIDs = true })
	f.moves.Store(true)
	first := &unclosed{PacketConn: f.socket()}
	r := &roamer{PacketConn: first, second: f.socket()}
	defer r.second.Close()
	c := f.dial(r, dtls.WithConnectionID(func() []byte { return nil }, dtls.CIDPathMigrationReject))
	ask(t, c, packet(1, 40))
	r.move()
	ask(t, c, packet(2, 40))
	first.SetReadDeadline(time.Time{})
	ask(t, f.dial(first.PacketConn), packet(3, 40))
	ask(t, c, packet(4, 40))
}

// Without Connection IDs a record from another address is nobody's.
// Rules: DT7
func TestRecordFromElsewhere(t *testing.T) {
	f := start(t)
	r := &roamer{PacketConn: f.socket(), second: f.socket()}
	defer r.second.Close()
	c := f.dial(r)
	ask(t, c, packet(1, 40))
	r.move()
	c.Write(packet(2, 40))
	expectCount(t, f, "a datagram is nobody's", dtlsfront.DatagramUnknown, 1)
}

// A client that has moved and restarts, on the port that it has moved to, gets a session for the
// one that it has forgotten.
// Rules: DT6, DT7
func TestRestartAfterAMove(t *testing.T) {
	f := start(t, func(c *dtlsfront.Config, _ *handshake.Config) { c.ConnectionIDs, c.MaxSessions = true, 1 })
	f.moves.Store(true)
	r := &roamer{PacketConn: f.socket(), second: f.socket()}
	c := f.dial(r, dtls.WithConnectionID(func() []byte { return nil }, dtls.CIDPathMigrationReject))
	ask(t, c, packet(1, 40))
	e := f.session()
	r.move()
	ask(t, c, packet(2, 40))
	r.second.Close()
	again, err := net.ListenPacket("udp4", r.second.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	ask(t, f.dial(again), packet(3, 40))
	e.expectEnd(t, metrics.ClosedLocally)
}
