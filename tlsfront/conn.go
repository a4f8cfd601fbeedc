package tlsfront

import (
	"net"
	"syscall"
	"time"
)

// conn is what crypto/tls believes to be the network.
type conn struct {
	net.Conn                 // the TCP connection; deadlines and Close are its own
	raw      syscall.RawConn // nil: the connection has no file descriptor
	in       incoming
	out      outgoing

	offered offer   // what the ClientHello offers; owned by the goroutine of the handshake
	policy  *policy // that was in force at the ClientHello; likewise

	// What the handshake waits for, and what it gives back meanwhile; likewise.
	arrival  *arrival      // nil: nobody else waits
	cpu      chan struct{} // see Server
	cpuSince time.Time     // when it last got its processor
	cpuTime  time.Duration // before that
}

// acquireCPU waits for a processor.
func (c *conn) acquireCPU() {
	c.cpu <- struct{}{}
	c.cpuSince = time.Now()
}

// releaseCPU lets others have the processor.
func (c *conn) releaseCPU() {
	c.cpuTime += time.Since(c.cpuSince)
	<-c.cpu
}

const (
	// failedRest is how many times as long as a failed handshake has computed its
	// processor rests, so that peers who fail again and again leave three quarters of
	// it to the clients that have a connection.
	failurePause = 3
	// longestRest bounds that: a handshake that was interrupted seems to have computed.
	maxFailurePause = 5 * time.Millisecond
)

// pauseAfterFailure keeps the processor idle for a while. The handshake has failed.
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

// whileWaiting lets a handshake wait for its peer. Others may compute
// meanwhile; and when slots are short, this one may lose its own.
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

// SetWriteDeadline ignores what crypto/tls sets around close_notify: writes
// never wait here, and the writer goroutine has its own deadline.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
