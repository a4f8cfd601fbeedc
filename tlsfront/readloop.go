package tlsfront

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"syscall"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// buffers are the buffers that a read loop needs while it works, but not while it waits.
// raw is for the content of the socket, read with one system call; plain is as large as
// the largest record (RFC 8446 §5.1: 2^14 octets), so that one Read empties it.
type buffers struct {
	raw   [32 << 10]byte
	plain [16 << 10]byte
}

// tick is the longest that a connection waits before it checks its timeouts. The poller
// reports each arrival once, so a FIN that arrived together with the last octets, without
// close_notify, is found after a tick at the latest.
const tick = time.Minute

// run is the read loop. It returns after the connection is closed and Closed was called.
func (s *Session) run() {
	s.activity.LastRequest = time.Now()
	if s.handle(nil) { // what arrived together with the end of the handshake
		for s.setNextDeadline() {
			if err := s.readSocket(); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				s.Terminate(metrics.ClosedBroken, "reading: "+err.Error())
			}
		}
	}
	if s.inputEnd != nil {
		s.awaitAnswers()
		s.Terminate(s.inputEnd.reason, s.inputEnd.text)
	}
	s.handler.Closed()
	s.close()
}

// setNextDeadline terminates the session if a timeout has passed, or else sets the
// deadline of the next read. It reports whether the session continues.
//
// Deadlines move forward with every packet, but the timer is set again only after it
// has fired, or if an incomplete packet makes it earlier.
func (s *Session) setNextDeadline() bool {
	now := time.Now()
	cfg := s.config()
	if s.describe != nil && now.Sub(s.entry.Info.Since) >= tick {
		s.logAccepted(slog.LevelInfo)
	}
	switch {
	case s.closing.Load():
	case s.inputEnd != nil:
		return false
	case s.draining.Load():
		s.terminateWhenDone()
		s.setDeadline(now.Add(drainTick))
	case !s.partSince.IsZero() && now.Sub(s.partSince) >= cfg.PacketTimeout:
		s.Terminate(metrics.ClosedPacketTimeout, fmt.Sprintf("a packet is still incomplete after %v", cfg.PacketTimeout))
	case cfg.IdleTimeout > 0 && s.activity.Idle(now, cfg.IdleTimeout):
		s.Terminate(metrics.ClosedIdle, fmt.Sprintf("no request for %v", cfg.IdleTimeout))
	default:
		s.setDeadline(s.nextDeadline(now))
	}
	return !s.closing.Load()
}

// nextDeadline returns when the session must check its timeouts next.
func (s *Session) nextDeadline(now time.Time) time.Time {
	d := now.Add(tick)
	if cfg := s.config(); cfg.IdleTimeout > 0 {
		d = earlier(d, s.activity.Deadline(now, cfg.IdleTimeout, tick))
	}
	if !s.partSince.IsZero() {
		d = earlier(d, s.partSince.Add(s.config().PacketTimeout))
	}
	return d
}

func (s *Session) setDeadline(d time.Time) {
	s.deadline = d
	s.conn.Conn.SetReadDeadline(d)
	// Terminate may have set its deadline before this. It is not lost, because
	// setNextDeadline and handle check closing afterwards. That of StartDraining is
	// set again here.
	if s.draining.Load() {
		s.conn.Conn.SetReadDeadline(earlier(d, time.Now().Add(drainTick)))
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// readSocket waits for octets and handles them, until the session ends or the
// deadline passes.
//
// The loop runs within one call of RawConn.Read, which calls ready whenever octets have
// arrived since the last call. So a read that does not fill the buffer has emptied the
// socket, and the next system call is the wait itself (epoll(7), edge-triggered). No
// buffer is held while waiting.
func (s *Session) readSocket() error {
	if s.conn.raw != nil {
		return s.conn.raw.Read(s.ready)
	}
	b := s.server.readBufs.Get().(*buffers)
	defer s.server.readBufs.Put(b)
	for {
		n, err := s.conn.Conn.Read(b.raw[:])
		if n > 0 && !s.handleInput(b, n) {
			return nil
		}
		if err == io.EOF {
			s.endOfStream()
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// ready reads everything from the socket fd. It reports whether the session ends.
func (s *Session) ready(fd uintptr) bool {
	b := s.server.readBufs.Get().(*buffers)
	defer s.server.readBufs.Put(b)
	for {
		n, err := readNow(fd, b.raw[:])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			return s.stopped()
		case err != nil:
			s.Terminate(metrics.ClosedBroken, "reading: "+err.Error())
			return true
		case n == 0:
			s.endOfStream()
			return true
		}
		if !s.handleInput(b, n) {
			return true
		}
		if n < len(b.raw) {
			return false
		}
	}
}

// handleInput handles the n octets in b.raw.
func (s *Session) handleInput(b *buffers, n int) bool {
	s.conn.in.feed(b.raw[:n])
	return s.handle(b)
}

// handle drains the connection, then flushes: it gives every packet to the handler, lets
// the handler send its batches, and writes what is queued for the client. It reports
// whether the session continues.
func (s *Session) handle(b *buffers) bool {
	if b == nil {
		b = s.server.readBufs.Get().(*buffers)
		defer s.server.readBufs.Put(b)
	}
	now := time.Now()
	before := s.packets
	more := s.readPackets(b, now)
	flushed := s.flushAll()
	s.cutter.release()
	if !more || !flushed {
		return false
	}
	s.updatePartSince(now, s.packets > before)
	return !s.stopped()
}

// readPackets gives every packet that has arrived to the handler.
func (s *Session) readPackets(b *buffers, now time.Time) bool {
	for s.conn.in.more() {
		n, err := s.tls.Read(b.plain[:])
		if n > 0 {
			s.conn.in.returned()
			if !s.cut(b.plain[:n], now) {
				return false
			}
		}
		if err != nil && err != error(errNoRecord{}) {
			s.readFailed(err)
			return false
		}
	}
	return true
}

// cut gives the packets that end in b to the handler.
func (s *Session) cut(b []byte, now time.Time) bool {
	limits := s.limits()
	for len(b) > 0 {
		p, rest, err := s.cutter.next(b)
		if err != nil {
			// RFC 6613 §2.6.4: the next packet cannot be found.
			s.entry.State().Metrics.Count(wire.KindOther, metrics.FateBadLength)
			s.Terminate(metrics.ClosedBadLength, fmt.Sprintf("packet %d: %v; expected %d to %d octets", s.packets+1, err, wire.MinLength, wire.MaxLength))
			return false
		}
		if p == nil {
			return true
		}
		if !limits.unlimited() && !s.throttle(p, limits) {
			if s.closing.Load() {
				return false
			}
		} else if !s.packet(p, now) {
			return false
		}
		b = rest
	}
	return true
}

// packet gives one packet to the handler.
func (s *Session) packet(p []byte, now time.Time) bool {
	s.packets++
	s.sinceFlush++
	s.entry.State().Metrics.Received(len(p))
	if wire.Code(p[0]) != codeStatusServer {
		s.activity.LastRequest = now // a watchdog does not count (RFC 6614bis §3.10)
		s.logAccepted(slog.LevelInfo)
	}
	if err := s.handler.Packet(p); err != nil {
		s.Terminate(metrics.ClosedRefused, fmt.Sprintf("packet %d: %v", s.packets, err))
		return false
	}
	if m := s.config().MaxPacketsPerConnection; m > 0 && s.packets >= m {
		s.inputEnd = &inputEnd{reason: metrics.ClosedPacketLimit, text: fmt.Sprintf("%d packets, which is the limit for one connection", s.packets)}
		return false
	}
	return !s.closing.Load()
}

// codeStatusServer is Status-Server (RFC 5997 §2).
const codeStatusServer = wire.Code(12)

// updatePartSince records whether a packet, or the record that will contain one, is
// incomplete. The time is that of its first octet: the packet timeout is for the whole
// packet, not for each octet.
func (s *Session) updatePartSince(now time.Time, progress bool) {
	if !s.cutter.incomplete() && !s.conn.in.borders.within() {
		s.partSince = time.Time{}
		return
	}
	if s.partSince.IsZero() || progress {
		s.partSince = now
		if d := now.Add(s.config().PacketTimeout); d.Before(s.deadline) {
			s.setDeadline(d)
		}
	}
}

// readFailed terminates the session after an error of crypto/tls.
func (s *Session) readFailed(err error) {
	switch a, origin := alertOf(err); {
	case err == io.EOF && !s.cutter.incomplete():
		s.endOfRecords()
	case err == io.EOF:
		s.Terminate(metrics.ClosedBroken, "the client closed the connection within a packet")
	case origin == "remote":
		s.Terminate(metrics.ClosedBroken, fmt.Sprintf("the client sent the alert %v", a))
	default:
		s.Terminate(metrics.ClosedBroken, "reading: "+plainText(err))
	}
}

// flushAll lets the handler send its batches, and writes what is queued for the client,
// also by crypto/tls itself. It reports whether the session continues.
func (s *Session) flushAll() bool {
	var err error
	if s.sinceFlush > 0 {
		s.sinceFlush = 0
		err = s.handler.Flush()
	}
	s.conn.out.flush()
	if err != nil {
		s.Terminate(metrics.ClosedRefused, err.Error()) // if it has not been terminated already
	}
	return err == nil
}
