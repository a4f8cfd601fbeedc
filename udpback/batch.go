package udpback

import (
	"slices"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// reservation is one written request on its way to its first transmission.
type reservation struct {
	socket     *socket
	packet     []byte // in the batch's arena
	id         wire.ServerID
	generation uint32
}

// Batch gathers requests until everything that a connection held has been
// handled; then it signs them together and sends them with one system call for
// each socket. It belongs to one goroutine, which acquires it from the Backend for
// the length of one burst.
type Batch struct {
	// static after construction
	Hasher  *wire.Hasher // for the borrower's own answers
	backend *Backend

	// owned by the borrower
	digests      *wire.Digests
	reservations []reservation
	packets      [][]byte // of one socket; reused
	arena        arena
	touched      Touched
	err          error // why the last Flush did not send everything; nil: it did
}

// space returns space for one more packet, after sending what is there if it is full.
func (b *Batch) space() []byte {
	if len(b.reservations) == cap(b.reservations) || b.digests.Full() || b.arena.full() {
		b.Flush()
	}
	return b.arena.space()
}

// add adds a written request, which is in the space that space returned.
func (b *Batch) add(it reservation) {
	b.arena.use(len(it.packet))
	b.reservations = append(b.reservations, it)
}

// Flush signs and sends what was gathered. Errors of the socket are counted and
// logged; the request itself is safe, because its schedule sends it again.
func (b *Batch) Flush() {
	b.err = nil
	if len(b.reservations) == 0 {
		return
	}
	b.digests.Run()
	for len(b.reservations) > 0 {
		b.flushSocket(b.reservations[0].socket)
	}
	b.arena.reset()
	b.touched.Flush()
}

// flushSocket sends and drops all items of one socket.
func (b *Batch) flushSocket(s *socket) {
	b.packets = b.packets[:0]
	mine := 0
	for i := range b.reservations {
		if b.reservations[i].socket == s {
			b.packets = append(b.packets, b.reservations[i].packet)
			// The socket's items go to the front, the others keep their order behind.
			b.reservations[mine], b.reservations[i] = b.reservations[i], b.reservations[mine]
			mine++
		}
	}
	lost := s.begin(b.reservations[:mine], b.backend.Now())
	n, err := s.conn.Send(b.packets)
	clear(b.packets)
	if err != nil {
		if n < mine { // else it is about an earlier datagram
			b.err = err
		}
		s.failed(err)
	}
	s.ep.metrics.Count(metrics.ServerSent, n)
	for _, ex := range lost {
		s.ep.addOutstanding(-1)
		ex.Handler.Fail(b.Hasher, FailShutdown, 0, &b.touched)
	}
	remaining := copy(b.reservations, b.reservations[mine:])
	clear(b.reservations[remaining:])
	b.reservations = b.reservations[:remaining]
}

// Now is the time on the Backend's clock.
func (b *Batch) Now() time.Duration { return b.backend.Now() }

// Flusher is whatever gathers output until its batch is complete.
type Flusher interface{ Flush() }

// Touched is the set of connections that a batch has written to. Each is flushed once,
// after the whole batch, so that it writes all its answers with one system call.
// The zero Touched is empty. It belongs to one goroutine.
type Touched struct {
	conns []Flusher // in the order in which they were added
}

// Add puts a connection into the set.
func (t *Touched) Add(conn Flusher) {
	if !slices.Contains(t.conns, conn) { // a batch is small
		t.conns = append(t.conns, conn)
	}
}

// Flush flushes the connections in the order in which they were added, and empties the
// set.
func (t *Touched) Flush() {
	for _, conn := range t.conns {
		conn.Flush()
	}
	clear(t.conns)
	t.conns = t.conns[:0]
}
