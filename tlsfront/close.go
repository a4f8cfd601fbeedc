package tlsfront

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"radsec-gw/metrics"
)

const (
	// closeTimeout is how long a peer has to receive the last answers and
	// close_notify. An honest one needs a round trip.
	closeTimeout = time.Second
	// lingerTimeout is how long a peer has to answer our FIN with its own.
	lingerTimeout = 500 * time.Millisecond
	// lingerBytes is the most that is read meanwhile: more than an honest peer can have
	// in flight.
	lingerBytes = 256 << 10
)

// Close terminates the session for the given reason, which is logged. It returns
// immediately; the read loop closes the connection.
func (s *Session) Close(reason string) { s.Terminate(metrics.ClosedLocally, reason) }

// Ended returns why the session ends. It may be called after Send has reported false,
// and by the handler's Closed.
func (s *Session) Ended() metrics.Reason {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason
}

// Terminate stops the read loop. Only the first call has an effect.
func (s *Session) Terminate(r metrics.Reason, text string) {
	s.mu.Lock()
	if s.terminated {
		s.mu.Unlock()
		return
	}
	s.terminated, s.reason, s.text = true, r, text
	s.closing.Store(true)
	s.mu.Unlock()
	s.conn.Conn.SetReadDeadline(time.Unix(1, 0)) // long ago: wakes up the goroutine that waits
}

// writeFailed terminates the session after a write error.
func (s *Session) writeFailed(err error) {
	switch {
	case errors.Is(err, errNotReading):
		s.Terminate(metrics.ClosedNotReading, fmt.Sprintf("the client does not read: more than %d octets of answers are waiting, which is the limit", s.server.cfg.WriteBuffer))
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.Terminate(metrics.ClosedNotReading, fmt.Sprintf("the client has not read its answers within %v", s.conn.out.timeout))
	default:
		s.Terminate(metrics.ClosedBroken, "writing: "+err.Error())
	}
}

// close closes the connection: it writes what is queued, then close_notify (RFC 6613
// §2.6.4: SHOULD come first), then ends TCP. Called by the goroutine of the read loop
// after its end.
func (s *Session) close() {
	s.mu.Lock()
	reason, text := s.reason, s.text
	s.mu.Unlock()
	s.tls.CloseWrite()
	s.conn.out.finish(closeTimeout)
	if reason != metrics.ClosedByPeer || s.inputEnd != nil && !s.inputEnd.fin { // a peer that has closed has nothing in flight
		linger(s.conn.Conn)
	}
	s.conn.Conn.Close()
	s.conn.out.discard()
	s.server.unregister(s, reason)

	level := slog.LevelWarn
	switch reason {
	case metrics.ClosedByPeer, metrics.ClosedIdle, metrics.ClosedShutdown, metrics.ClosedPacketLimit:
		level = slog.LevelInfo
		if s.describe != nil {
			level = slog.LevelDebug
		}
	}
	s.logAccepted(min(level, slog.LevelInfo))
	s.server.logFunc(s.remote, level, "RadSec connection closed", func() []any {
		return []any{"client", s.Client().Name, "peer", s.remote, "reason", reason, "error", text, "packets", s.packets}
	})
}

// logAccepted logs that the connection was accepted, once: with its first request, or when it
// has lasted for a while. One that only sends Status-Server and closes is a health check,
// and a log must not fill with those. Called by the goroutine of the read loop.
func (s *Session) logAccepted(level slog.Level) {
	if s.describe == nil {
		return
	}
	s.server.logFunc(s.remote, level, "RadSec connection accepted", s.describe)
	s.describe = nil
}

// linger sends FIN and reads until the peer's, for a short time. The kernel resets a
// connection that is closed while octets of the peer are unread, and the reset may
// overtake the alert that says why.
func linger(c net.Conn) {
	half, ok := c.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.SetReadDeadline(time.Now().Add(lingerTimeout))
	io.CopyN(io.Discard, c, lingerBytes)
}
