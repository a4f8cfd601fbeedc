package tlsfront

import (
	"io"
	"log/slog"
	"net"
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

// close ends the connection: what was queued, close_notify (RFC 6613 §2.6.4:
// SHOULD come first), then TCP's own goodbye. Called by the read loop's
// goroutine after its end.
func (s *Session) close() {
	s.mu.Lock()
	reason, text := s.reason, s.text
	s.mu.Unlock()
	s.tls.CloseWrite()
	s.conn.out.finish(closeTimeout)
	if reason != metrics.ClosedByPeer { // who has closed sends nothing that could be unread
		linger(s.conn.Conn)
	}
	s.conn.Conn.Close()
	s.conn.out.discard()
	s.server.forget(s, reason)

	level := slog.LevelWarn
	switch reason {
	case metrics.ClosedByPeer, metrics.ClosedIdle, metrics.ClosedShutdown, metrics.ClosedPacketLimit:
		level = slog.LevelInfo
	}
	s.server.sayThat(s.remote, level, "RadSec connection closed", func() []any {
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
