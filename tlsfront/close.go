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
	// closeTimeout is what a peer has to take the last answers and
	// close_notify. An honest one takes them in a round trip.
	closeTimeout = time.Second
	// lingerTimeout is what a peer has to answer our FIN with its own.
	lingerTimeout = 500 * time.Millisecond
	// lingerBytes is the most that is read meanwhile: more than a peer can have
	// on its way in good faith.
	lingerBytes = 256 << 10
)

// Close ends the session for a reason of the caller's, which is logged. It
// returns at once; the connection is closed by its read loop.
func (s *Session) Close(reason string) { s.terminate(metrics.ClosedLocally, reason) }

// Ended returns why the session ends. It is for those who have seen Send report
// false, and for the handler when Closed is called.
func (s *Session) Ended() metrics.Reason {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason
}

// terminate makes the read loop stop. The first reason counts.
func (s *Session) terminate(r metrics.Reason, text string) {
	s.mu.Lock()
	if s.terminated {
		s.mu.Unlock()
		return
	}
	s.terminated, s.reason, s.text = true, r, text
	s.closing.Store(true)
	s.mu.Unlock()
	s.conn.Conn.SetReadDeadline(time.Unix(1, 0)) // long ago: whoever waits wakes up
}

// writeFailed ends the session after an error in writing.
func (s *Session) writeFailed(err error) {
	switch {
	case errors.Is(err, errNotReading):
		s.terminate(metrics.ClosedNotReading, fmt.Sprintf("the client does not read: %d octets of answers would wait, which is the limit", s.server.cfg.WriteBuffer))
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.terminate(metrics.ClosedNotReading, fmt.Sprintf("the client has not taken its answers within %v", s.conn.out.timeout))
	default:
		s.terminate(metrics.ClosedBroken, "writing: "+err.Error())
	}
}

// close ends the connection: what was queued, close_notify (RFC 6613 §2.6.4:
// SHOULD come first), then TCP's own goodbye. Called by the read loop's
// goroutine after its end.
func (s *Session) close() {
	s.mu.Lock()
	reason, text := s.reason, s.text
	s.mu.Unlock()
	s.tls.CloseWrite()
	s.conn.out.finish(closeTimeout)
	if reason != metrics.ClosedByPeer || s.inputEnd != nil && !s.inputEnd.fin { // after a FIN nothing comes that could be unread
		linger(s.conn.Conn)
	}
	s.conn.Conn.Close()
	s.conn.out.discard()
	s.server.unregister(s, reason)

	level := slog.LevelWarn
	switch reason {
	case metrics.ClosedByPeer, metrics.ClosedIdle, metrics.ClosedShutdown, metrics.ClosedPacketLimit:
		level = slog.LevelInfo
	}
	s.server.logFunc(s.remote, level, "RadSec connection closed", func() []any {
		return []any{"client", s.Client().Name, "peer", s.remote, "reason", reason, "error", text, "packets", s.packets}
	})
}

// linger sends FIN and reads on until the peer's, for a short time. A
// connection closed while octets of the peer are unread is reset by the
// kernel, and a reset may overtake the alert that says why.
func linger(c net.Conn) {
	half, ok := c.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.SetReadDeadline(time.Now().Add(lingerTimeout))
	io.CopyN(io.Discard, c, lingerBytes)
}
