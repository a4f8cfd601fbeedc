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
	packet     []byte // in the arena of the batch
	id         wire.ServerID
	generation uint32
}

// Batch gathers the requests of one burst, everything that a connection has received so
// far. Flush signs them together and sends them with one system call for each socket. A
// Batch belongs to the goroutine that has acquired it from the Backend.
type Batch struct {
	// static after construction
	Hasher  *wire.Hasher // for the owner's own answers
	backend *Backend

	// owned by the goroutine that has acquired the batch
	digests      *wire.Digests
	reservations []reservation
	packets      [][]byte // of one socket; reused
	arena        arena
	touched      Touched
	err          error // why the last Flush did not send everything; nil: it did
}

// space returns space for one more packet. It flushes the batch first if that is full.
func (b *Batch) space() []byte {
	if len(b.reservations) == cap(b.reservations) || b.digests.Full() || b.arena.full() {
		b.Flush()
	}
	return b.arena.space()
}

// add adds a request that was written into the space that space returned.
func (b *Batch) add(it reservation) {
	b.arena.use(len(it.packet))
	b.reservations = append(b.reservations, it)
}

// Flush signs and sends the requests gathered. Errors of a socket are counted and logged,
// and do not lose a request: its schedule sends it again.
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

// flushSocket sends and removes all reservations of one socket.
func (b *Batch) flushSocket(s *socket) {
	b.packets = b.packets[:0]
	mine := 0
	for i := range b.reservations {
		if b.reservations[i].socket == s {
			b.packets = append(b.packets, b.reservations[i].packet)
			// The socket's reservations go to the front, before the others.
			b.reservations[mine], b.reservations[i] = b.reservations[i], b.reservations[mine]
			mine++
		}
	}
	lost := s.begin(b.reservations[:mine], b.backend.Now())
	n, err := s.conn.Send(b.packets)
	s.countSent(metrics.ServerSent, b.packets, n)
	clear(b.packets)
	if err != nil {
		if n < mine { // else it is about an earlier datagram
			b.err = err
		}
		s.failed(err)
	}
	for _, ex := range lost {
		s.ep.addOutstanding(-1)
		ex.fail(b.Hasher, FailShutdown, 0, &b.touched)
	}
	remaining := copy(b.reservations, b.reservations[mine:])
	clear(b.reservations[remaining:])
	b.reservations = b.reservations[:remaining]
}

// Now is the time on the Backend's clock.
func (b *Batch) Now() time.Duration { return b.backend.Now() }

// arena holds the packets of one batch, one after the other, until they are signed. Close
// together they fit into the processor's caches; packets 4096 octets apart would not.
type arena struct {
	octets [arenaSize]byte
	used   int
}

// arenaSize is enough for a batch of ordinary packets. A batch of the largest packets is
// flushed earlier.
const arenaSize = 16 * wire.MaxLength

const cacheLine = 64

// full reports whether a packet of any length no longer fits.
func (a *arena) full() bool { return a.used+wire.MaxLength > len(a.octets) }

// space returns space for a packet of any length. The caller must report its length to
// use.
func (a *arena) space() []byte {
	return a.octets[a.used : a.used+wire.MaxLength : a.used+wire.MaxLength]
}

func (a *arena) use(n int) { a.used += (n + cacheLine - 1) &^ (cacheLine - 1) }

func (a *arena) reset() { a.used = 0 }

// Flusher is a connection that buffers its output until Flush.
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
