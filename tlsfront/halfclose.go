package tlsfront

import (
	"crypto/tls"
	"syscall"
	"time"

	"radsec-gw/metrics"
)

// A client may close its direction only, and wait for outstanding answers: with
// close_notify in TLS 1.3, which closes one direction (RFC 8446 §6.1), or with a TCP FIN
// alone. Its answers are sent, then the connection is closed.
//
// Neither sign alone distinguishes this from a client that closes both directions.
// Nearly all of those send both signs, so both together end the session immediately (RFC
// 6614bis §3.11), as does close_notify in TLS 1.2, which closes both directions (RFC
// 5246 §7.2.1). A client that sent only one sign, but closed both directions, answers
// our first record with a reset.

// inputEnd is the reason why a session reads no more packets. The session ends when nothing is
// outstanding.
type inputEnd struct {
	reason   metrics.Reason
	text     string
	fin      bool // a TCP FIN has arrived
	notified bool // close_notify has arrived
}

// stopped reports whether the read loop must end.
func (s *Session) stopped() bool { return s.inputEnd != nil || s.closing.Load() }

// endOfStream handles a TCP FIN.
func (s *Session) endOfStream() {
	if s.cutter.incomplete() || s.conn.in.borders.within() {
		s.Terminate(metrics.ClosedBroken, "the client closed the connection within a packet")
		return
	}
	s.inputEnd = &inputEnd{reason: metrics.ClosedByPeer, text: "the client closed the connection without close_notify", fin: true}
}

// endOfRecords handles close_notify.
func (s *Session) endOfRecords() {
	const text = "the client closed the connection"
	if s.tls.ConnectionState().Version < tls.VersionTLS13 {
		s.Terminate(metrics.ClosedByPeer, text)
		return
	}
	s.inputEnd = &inputEnd{reason: metrics.ClosedByPeer, text: text, notified: true}
}

// maxAnswerWait is how long a session that reads no more packets waits for answers (RFC
// 5080 §2.2.1: MRD is 30 s).
const maxAnswerWait = 35 * time.Second

// awaitAnswers waits until nothing is outstanding, or the client is gone. Input is
// ignored. While the gateway drains, a client that sent only a FIN counts as gone: most
// of these were killed, and a server that does not answer must not delay the shutdown.
func (s *Session) awaitAnswers() {
	t := time.NewTicker(drainTick)
	defer t.Stop()
	s.wasDone = false
	for end := time.Now().Add(maxAnswerWait); !s.closing.Load() && !s.wasDone && time.Now().Before(end); <-t.C {
		if s.inputEnd.reason == metrics.ClosedByPeer && (s.peerGone() || s.draining.Load() && !s.inputEnd.notified) {
			return
		}
		s.wasDone = s.handler.Outstanding() == 0
	}
}

// peerGone reports whether the client does not wait for answers: it has closed both TLS
// and TCP, or has reset the connection.
func (s *Session) peerGone() (gone bool) {
	if s.conn.raw == nil {
		return false
	}
	if s.conn.raw.Control(func(fd uintptr) { gone = s.readEnd(fd) }) != nil {
		return true
	}
	return gone
}

// readEnd reads from the socket fd, and reports whether it finds the end.
func (s *Session) readEnd(fd uintptr) bool {
	var b [256]byte
	for range 16 { // discard what a client sends after its end, at a bounded rate
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
