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

	// offered is the highest version in the ClientHello; 0: none came yet.
	// Owned by the goroutine of the handshake.
	offered uint16
	policy  *policy // that was in force at the ClientHello; likewise
}

// Read implements net.Conn for crypto/tls.
func (c *conn) Read(b []byte) (int, error) {
	if c.in.established {
		return c.in.read(b)
	}
	return c.in.readThrough(c.Conn, b)
}

// Write implements net.Conn for crypto/tls.
func (c *conn) Write(b []byte) (int, error) { return c.out.Write(b) }

// SetWriteDeadline ignores what crypto/tls sets around close_notify: writes
// never wait here, and the writer goroutine has its own deadline.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
