package tlsfront

import (
	"crypto/tls"
	"net"
	"syscall"
	"time"
)

// conn is the net.Conn that crypto/tls uses.
type conn struct {
	net.Conn                 // the TCP connection, with its deadlines and Close
	raw      syscall.RawConn // nil: the connection has no file descriptor
	in       incoming
	out      outgoing

	offered offer   // what the ClientHello offers; owned by the handshake's goroutine
	policy  *policy // current at the ClientHello; likewise

	presented *tls.Certificate // the gateway's own; nil: none yet; likewise

	// For the handshake, likewise.
	arrival  *arrival      // nil: the handshake is over
	cpu      chan struct{} // see sessions.Shared
	cpuSince time.Time     // when it last acquired a processor
	cpuTime  time.Duration // total before that
}

// acquireCPU waits until the handshake may compute.
func (c *conn) acquireCPU() {
	c.cpu <- struct{}{}
	c.cpuSince = time.Now()
}

// releaseCPU lets other handshakes compute.
func (c *conn) releaseCPU() {
	c.cpuTime += time.Since(c.cpuSince)
	<-c.cpu
}

const (
	// failurePause is the pause after a failed handshake, as a multiple of the time that
	// it computed, so that peers that fail repeatedly leave three quarters of the
	// processor to clients that have a connection.
	failurePause = 3
	// maxFailurePause bounds that: the time includes interruptions of the handshake.
	maxFailurePause = 5 * time.Millisecond
)

// pauseAfterFailure pauses, and keeps the processor, after the handshake has failed.
func (c *conn) pauseAfterFailure() {
	time.Sleep(min(failurePause*(c.cpuTime+time.Since(c.cpuSince)), maxFailurePause))
}

// Read implements net.Conn for crypto/tls.
func (c *conn) Read(b []byte) (n int, err error) {
	if c.in.established {
		return c.in.read(b)
	}
	c.whileWaiting(func() { n, err = c.in.readThrough(c.Conn, b) })
	return n, err
}

// Write implements net.Conn for crypto/tls.
func (c *conn) Write(b []byte) (n int, err error) {
	if c.in.established {
		return c.out.Write(b)
	}
	c.in.answered()
	c.whileWaiting(func() { n, err = c.out.Write(b) })
	return n, err
}

// whileWaiting lets a handshake wait for its peer. Meanwhile other handshakes may
// compute, and this one may lose its slot if others wait for slots.
func (c *conn) whileWaiting(wait func()) {
	if c.arrival == nil {
		wait()
		return
	}
	c.releaseCPU()
	since := time.Now().UnixNano()
	c.arrival.waitingSince.Store(since)
	wait()
	c.arrival.waitingSince.Store(0) // first, so that no time is counted twice
	c.arrival.waited.Add(time.Now().UnixNano() - since)
	c.acquireCPU()
}

// SetWriteDeadline ignores the deadline that crypto/tls sets for close_notify: writes
// never wait, and the writer goroutine has its own deadline.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
