//go:build !race && !lockorder

// The race detector makes sync.Pool drop what it is given, at random.

package tlsfront

import (
	"crypto/tls"
	"io"
	"net"
	"testing"

	"radsec-gw/metrics"
)

// path is a session without its read loop, and a client whose records are kept to be
// passed to it.
type path struct {
	session *Session
	client  *tls.Conn
	raw     *holding
	buffers buffers
}

// echoer answers every packet with itself and flushes after the last.
type echoer struct{ s *Session }

func (e *echoer) Packet(p []byte) error { e.s.Send(p); return nil }
func (e *echoer) Flush() error          { e.s.Flush(); return nil }
func (e *echoer) Closed()               {}
func (e *echoer) Outstanding() int      { return 0 }
func (e *echoer) Awaited() int          { return 0 }
func (e *echoer) Repeats([]byte) bool   { return false }
func (e *echoer) Keep() bool            { return false }

func (e *echoer) Refuse([]byte, metrics.Fate) {}

// newPath does the handshake over a real connection, whose answers are read and
// discarded.
func newPath(t testing.TB) *path {
	t.Helper()
	f := startTCP(t, nil) // for its configuration; it has no clients here
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	defer l.Close()
	p := &path{raw: &holding{Conn: must(net.Dial("tcp", l.Addr().String()))}}
	t.Cleanup(func() { p.raw.Close() })
	p.client = tls.Client(p.raw, f.clientConfig())
	far := must(l.Accept())
	t.Cleanup(func() { far.Close() })
	done := make(chan error, 1)
	go func() { done <- p.client.Handshake() }()
	c := f.server.newConn(far)
	server := tls.Server(c, f.server.tls)
	if err := server.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, p.raw.Conn)
	p.session = &Session{server: f.server, conn: c, tls: server, cutter: cutter{pool: &f.server.packetBufs}}
	if r := f.server.table.Register(p.session); r != nil {
		t.Fatal(r)
	}
	c.in.establish()
	c.out.establish(p.session.writeFailed)
	p.session.handler = &echoer{p.session}
	p.session.activity.Handler = p.session.handler
	p.session.handle(&p.buffers)
	p.raw.hold = true
	return p
}

// seal returns n packets of 200 octets, each in a record, as the client sends them.
func (p *path) seal(n int) []byte {
	p.raw.held = nil
	for range n {
		p.client.Write(packet(200, 1))
	}
	return p.raw.held
}

func (p *path) take(t testing.TB, sealed []byte) {
	n := copy(p.buffers.raw[:], sealed)
	if !p.session.handleInput(&p.buffers, n) {
		t.Fatalf("the session has ended: %s", p.session.text)
	}
}

// From the octets of the socket to the handler, and from Send to the socket, our code
// allocates nothing. crypto/tls allocates a small reader (24 bytes) each time that it
// needs more octets than it has, which is at most once for each read.
func TestPacketPathAllocatesNothing(t *testing.T) {
	p := newPath(t)
	for _, batch := range []int{1, 50} {
		const runs = 100
		var sealed [][]byte
		for range runs + 2 {
			sealed = append(sealed, p.seal(batch))
		}
		p.take(t, sealed[0]) // pools fill
		next := 1
		got := testing.AllocsPerRun(runs, func() {
			p.take(t, sealed[next])
			next++
		})
		// For 50 packets crypto/tls reads again after every few records, as many as its own
		// buffer holds.
		if limit := max(1, float64(batch)/2); got > limit {
			t.Errorf("%d packets to the handler and back cost %v allocations, want at most crypto/tls's own %v", batch, got, limit)
		}
		t.Logf("%d packets: %v allocations", batch, got)
	}
	b := packet(200, 1)
	if n := testing.AllocsPerRun(100, func() {
		p.session.Send(b)
		p.session.Send(b)
		p.session.Flush()
	}); n != 0 {
		t.Errorf("sending costs %v allocations, want 0", n)
	}
	c := newCutter()
	if n := testing.AllocsPerRun(100, func() {
		c.next(b[:50])
		c.next(b[50:])
		c.release()
	}); n != 0 {
		t.Errorf("cutting costs %v allocations, want 0", n)
	}
}

func BenchmarkEcho(b *testing.B) {
	for _, batch := range []int{1, 32} {
		b.Run(map[int]string{1: "one", 32: "batch"}[batch], func(b *testing.B) {
			p := newPath(b)
			b.ReportAllocs()
			for done := 0; done < b.N; {
				b.StopTimer()
				var sealed [][]byte
				for range 64 {
					sealed = append(sealed, p.seal(batch))
				}
				b.StartTimer()
				for _, s := range sealed {
					p.take(b, s)
					done += batch
				}
			}
		})
	}
}
