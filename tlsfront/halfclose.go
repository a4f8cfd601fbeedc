package tlsfront

import (
	"crypto/tls"
	"syscall"
	"time"

	"radsec-gw/metrics"
)

// A client may say that it sends nothing more and still wait for what is
// outstanding: by close_notify under TLS 1.3, which ends one direction only (RFC
// 8446 §6.1), or by TCP's FIN alone. Its answers are sent then, and the connection
// is closed after them.
//
// One that closes for good cannot be told from that by either sign alone; nearly
// all of them send both, so both together end the session at once (RFC 6614bis
// §3.11), as does close_notify under TLS 1.2, which ends both directions (RFC 5246
// §7.2.1). Whoever sent only one and is gone all the same answers our first record
// with a reset.

// inputEnd is why a session takes no more packets. It ends when nothing is outstanding.
type inputEnd struct {
	reason   metrics.Reason
	text     string
	fin      bool // TCP's FIN has come
	notified bool // close_notify has come
}

// stopped reports whether the read loop ends.
func (s *Session) stopped() bool { return s.inputEnd != nil || s.closing.Load() }

// endOfStream is TCP's FIN.
func (s *Session) endOfStream() {
	if s.cutter.started() || s.conn.in.borders.within() {
		s.terminate(metrics.ClosedBroken, "the client closed the connection within a packet")
		return
	}
	s.inputEnd = &inputEnd{reason: metrics.ClosedByPeer, text: "the client closed the connection without close_notify", fin: true}
}

// endOfRecords is close_notify.
func (s *Session) endOfRecords() {
	const text = "the client closed the connection"
	if s.tls.ConnectionState().Version < tls.VersionTLS13 {
		s.terminate(metrics.ClosedByPeer, text)
		return
	}
	s.inputEnd = &inputEnd{reason: metrics.ClosedByPeer, text: text, notified: true}
}

// longestAnswer is the longest that answers are waited for on a connection that
// takes no more packets (RFC 5080 §2.2.1: MRD is 30 s).
const longestAnswer = 35 * time.Second

// awaitAnswers waits until nothing is outstanding, or the client is gone. What comes
// meanwhile is not taken. A gateway that is to stop takes a FIN alone for the end of the
// client: most of those were killed, and a server that does not answer them must not
// hold up the stop.
func (s *Session) awaitAnswers() {
	t := time.NewTicker(drainTick)
	defer t.Stop()
	s.wasDone = false
	for end := time.Now().Add(longestAnswer); !s.closing.Load() && !s.wasDone && time.Now().Before(end); <-t.C {
		if s.inputEnd.reason == metrics.ClosedByPeer && (s.peerGone() || s.draining.Load() && !s.inputEnd.notified) {
			return
		}
		s.wasDone = s.handler.Outstanding() == 0
	}
}

// peerGone reports whether a client that sends nothing more does not wait for answers
// either: it has ended both TLS and TCP, or its connection is reset.
func (s *Session) peerGone() (gone bool) {
	if s.conn.raw == nil {
		return false
	}
	if s.conn.raw.Control(func(fd uintptr) { gone = s.readEnd(fd) }) != nil {
		return true
	}
	return gone
}

// readEnd looks whether the socket fd tells of an end.
func (s *Session) readEnd(fd uintptr) bool {
	var b [256]byte
	for range 16 { // what a client sends after its end is thrown away, at a bounded rate
		n, err := readNow(fd, b[:])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			return false
		case err != nil:
			return true
		case n == 0:
			s.inputEnd.fin = true
			return s.inputEnd.notified
		}
	}
	return false
}
