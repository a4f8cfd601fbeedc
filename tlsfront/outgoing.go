package tlsfront

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"radsec-gw/locks"
	"radsec-gw/metrics"
)

// maxSealed is the most that one packet takes as a TLS record: a header of 5
// octets, the packet of 4096, and at most 256 of expansion (RFC 8446 §5.2).
const maxSealed = 5 + 4096 + 256

// flushAt is how many octets are gathered before Send writes them itself, so that a batch of
// long answers does not reach the limit for a client that does not read. Seven records of
// the longest packets fit.
const flushAt = 32 << 10

var (
	errNotReading = errors.New("the client does not read: its answers wait beyond the write buffer")
	errGone       = errors.New("the connection is closed")
)

// outgoing is the side of a connection that crypto/tls writes to.
//
// During the handshake it writes through. Afterwards it gathers the sealed
// records, and flush hands them to the kernel with one system call that does
// not wait. When the kernel does not take them all, a writer goroutine waits
// in its place and ends when everything is written. At most one goroutine,
// the busy one, uses the socket; the others only append.
type outgoing struct {
	// static after construction
	conn    net.Conn
	raw     syscall.RawConn // nil: the connection has no file descriptor
	step    func(fd uintptr) bool
	pool    *sync.Pool // of *[]byte
	bound   int
	timeout time.Duration
	tls     *metrics.Listener
	wg      *sync.WaitGroup // counts the writer goroutine
	failed  func(error)     // called once by the busy goroutine, without mu

	long atomic.Bool // so much is gathered that it should be written now

	mu          locks.Mutex[locks.Outgoing] // guards what follows
	established bool
	gather      *[]byte // sealed records; nil when there are none
	busy        bool
	flushAgain  bool          // flush was called while busy
	blocked     bool          // the writer goroutine is running
	counted     int           // octets in the gauge of waiting octets
	broken      error         // why nothing more can be written; nil: it can
	finishBy    time.Time     // when closing: everything must be written by then
	idle        chan struct{} // when closing: closed as soon as nobody is busy
	inBatch     int           // octets of batch, until all are written

	// owned by the busy goroutine
	batch   *[]byte
	rest    []byte // of batch, not written yet
	stepErr error
	mayWait bool
}

func (o *outgoing) init(c net.Conn) {
	o.conn = c
	if sc, ok := c.(syscall.Conn); ok && directCalls {
		if raw, err := sc.SyscallConn(); err == nil {
			o.raw = raw
		}
	}
	o.step = o.writeStep // made once: a method value allocates
}

// establish ends the handshake: from now on writes are gathered, and failed is
// called when they fail.
func (o *outgoing) establish(failed func(error)) {
	o.mu.Lock()
	o.established = true
	o.failed = failed
	o.mu.Unlock()
}

// Write takes sealed records from crypto/tls.
func (o *outgoing) Write(b []byte) (int, error) {
	o.mu.Lock()
	if !o.established {
		o.mu.Unlock()
		return o.conn.Write(b)
	}
	defer o.mu.Unlock()
	if o.broken != nil {
		return 0, o.broken
	}
	if o.gather == nil {
		o.gather = o.pool.Get().(*[]byte)
	}
	if o.inBatch+len(*o.gather)+len(b) > o.bound {
		o.broken = errNotReading
		return 0, errNotReading
	}
	*o.gather = append(*o.gather, b...)
	if len(*o.gather) >= flushAt {
		o.long.Store(true)
	}
	if o.blocked {
		o.count(len(b))
	}
	return len(b), nil
}

// flush hands everything gathered to the kernel, without waiting. While
// another goroutine is busy, that one does it.
func (o *outgoing) flush() {
	o.mu.Lock()
	if o.busy {
		o.flushAgain = true
		o.mu.Unlock()
		return
	}
	o.busy = true
	for o.takeBatch() {
		o.mu.Unlock()
		done, err := o.tryWrite()
		o.mu.Lock()
		switch {
		case err != nil:
			o.fail(err) // unlocks
			return
		case !done:
			o.blocked = true
			o.inBatch = len(o.rest)
			o.count(o.inBatch)
			if o.gather != nil {
				o.count(len(*o.gather))
			}
			o.wg.Add(1)
			go o.runWriter()
			o.mu.Unlock()
			return
		}
		o.putBatch()
		if !o.flushAgain {
			break
		}
	}
	o.endTurn()
	o.mu.Unlock()
}

// takeBatch makes what is gathered the batch. It reports false when there is
// nothing. Called with mu held, by the busy goroutine.
func (o *outgoing) takeBatch() bool {
	o.flushAgain = false
	o.long.Store(false)
	if o.gather == nil || o.broken != nil {
		return false
	}
	o.batch, o.gather = o.gather, nil
	o.rest = *o.batch
	o.inBatch = len(o.rest)
	return true
}

// putBatch returns the written batch to the pool. Called with mu held.
func (o *outgoing) putBatch() {
	o.putBuffer(o.batch)
	o.batch, o.rest, o.inBatch = nil, nil, 0
}

func (o *outgoing) putBuffer(b *[]byte) {
	if b != nil && cap(*b) <= 2*flushAt {
		*b = (*b)[:0]
		o.pool.Put(b)
	}
}

// endTurn ends the busy goroutine's turn. Called with mu held.
func (o *outgoing) endTurn() {
	o.busy = false
	if o.idle != nil {
		close(o.idle)
		o.idle = nil
	}
}

// tryWrite writes as much of rest as the kernel takes at once.
func (o *outgoing) tryWrite() (done bool, err error) {
	if o.raw == nil {
		return false, nil // such a connection can only wait: the writer goroutine writes
	}
	o.mayWait = false
	if err := o.raw.Write(o.step); err != nil {
		return false, err
	}
	return len(o.rest) == 0, o.stepErr
}

// writeStep is called by the runtime with the file descriptor, again whenever
// it is writable for as long as it reports false.
func (o *outgoing) writeStep(fd uintptr) bool {
	for len(o.rest) > 0 {
		n, err := writeNow(fd, o.rest)
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return !o.mayWait
		case err != nil:
			o.stepErr = err
			return true
		default:
			short := n < len(o.rest)
			o.rest = o.rest[n:]
			if short && !o.mayWait {
				return true // the socket's buffer is full: another call would fail with EAGAIN
			}
		}
	}
	return true
}

// runWriter is the writer goroutine: it waits until everything is written, each batch
// within the write timeout (RFC 6614bis §6.2.1: no congestion signal exists, so a client
// that does not read is closed).
func (o *outgoing) runWriter() {
	defer o.wg.Done()
	for {
		o.mu.Lock()
		o.setDeadline()
		o.mu.Unlock()
		err := o.writeAll()
		o.mu.Lock()
		if err != nil {
			o.fail(err) // unlocks
			return
		}
		o.count(-o.inBatch)
		o.putBatch()
		if !o.takeBatch() {
			o.blocked = false
			o.count(-o.counted)
			o.conn.SetWriteDeadline(time.Time{})
			o.endTurn()
			o.mu.Unlock()
			return
		}
		o.mu.Unlock()
	}
}

// writeAll writes rest, and waits as long as the deadline allows.
func (o *outgoing) writeAll() error {
	if o.raw == nil {
		_, err := o.conn.Write(o.rest)
		return err
	}
	o.mayWait = true
	if err := o.raw.Write(o.step); err != nil {
		return err
	}
	return o.stepErr
}

// setDeadline bounds the writing of one batch. Called with mu held.
func (o *outgoing) setDeadline() {
	d := time.Now().Add(o.timeout)
	if !o.finishBy.IsZero() && o.finishBy.Before(d) {
		d = o.finishBy
	}
	o.conn.SetWriteDeadline(d)
}

// count adds n octets to the gauge of those that wait. Called with mu held.
func (o *outgoing) count(n int) {
	o.counted += n
	o.tls.AddWaiting(n)
}

// fail drops everything: nothing more can be written. Called with mu held, by
// the busy goroutine; it releases mu before it calls failed.
func (o *outgoing) fail(err error) {
	if o.broken == nil {
		o.broken = err
	}
	o.count(-o.counted)
	o.putBatch()
	o.putBuffer(o.gather)
	o.gather = nil
	o.blocked = false
	o.endTurn()
	o.mu.Unlock()
	o.failed(err)
}

// finish writes what is gathered and waits until it is written, within
// timeout. The connection is closed afterwards in any case.
func (o *outgoing) finish(timeout time.Duration) {
	o.mu.Lock()
	o.finishBy = time.Now().Add(timeout)
	broken := o.broken != nil
	if o.busy {
		o.setDeadline()
	}
	o.mu.Unlock()
	if broken {
		return
	}
	o.flush()
	o.mu.Lock()
	var idle chan struct{}
	if o.busy {
		o.idle = make(chan struct{})
		idle = o.idle
	}
	o.mu.Unlock()
	if idle != nil {
		<-idle
	}
}

// discard drops what is gathered and refuses more. The connection is closed
// already, so a goroutine that is busy will not be so for long.
func (o *outgoing) discard() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.broken == nil {
		o.broken = errGone
	}
	if !o.busy {
		o.count(-o.counted)
		o.putBuffer(o.gather)
		o.gather = nil
	}
}
