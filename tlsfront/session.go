package tlsfront

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// tick is the longest that a connection waits before it looks around: the
// poller tells of each arrival once, and a peer's FIN that came together with
// the last octets, without close_notify, is found then at the latest.
const tick = time.Minute

// Session is one connection of a known client.
type Session struct {
	// static after construction
	server  *Server
	state   *clientState
	info    *metrics.Connection // what operators see of it; set before run
	remote  netip.AddrPort
	conn    *conn
	tls     *tls.Conn
	v11     bool // RADIUS/1.1 was negotiated
	handler Handler

	client   atomic.Pointer[Client] // replaced by Update, always by one of the same name
	closing  atomic.Bool            // set once, by end
	draining atomic.Bool            // set once, by Drain

	attached atomic.Bool  // handler is set: whoever Sends may ask it
	answered atomic.Int64 // when the last answer to a request was sent, in ns since Server.began; 0: never

	until time.Time // when the certificate ends to be good; guarded by Server.mu

	mu         sync.Mutex // guards why the session ends
	terminated bool
	reason     metrics.Reason
	text       string

	// owned by the read loop
	cutter         cutter
	packets        int       // handed to the handler so far
	lastRequest    time.Time // when the last packet came, Status-Server not counted
	lastBusy       time.Time // when requests were seen outstanding after the idle timeout; zero: never
	partSince      time.Time // when the packet of which a part is there began; zero: none
	deadline       time.Time // the read deadline that is set
	sinceFlush     int       // packets that were handed over since the last Flush
	throttledSince time.Time // since when packets come faster than a limit; zero: they do not
	inputEnd       *inputEnd // no more packets are taken, and why; nil: they are
	wasDone        bool      // nothing was outstanding when the leaving session last looked
}

// buffers is what a read loop needs while it works, and not while it waits.
// raw takes what the socket holds in one system call; plain takes the largest
// record (RFC 8446 §5.1: 2^14 octets), so that one Read empties it.
type buffers struct {
	raw   [32 << 10]byte
	plain [16 << 10]byte
}

// Client returns the configured client that the connection belongs to. After
// an Update it may be another object with the same name.
func (s *Session) Client() *Client { return s.client.Load() }

// config is what holds at the moment.
func (s *Session) config() *Config { return &s.server.policy.Load().cfg }

// RemoteAddr returns the peer's address; IPv4 is never in its IPv6-mapped form.
func (s *Session) RemoteAddr() netip.AddrPort { return s.remote }

// Send queues p as one TLS record (RFC 6614bis §4.1; some peers stall when a
// record holds several packets). It never blocks, may be called from any
// goroutine, and does not keep p. It reports false when p will not be sent:
// the session is closed, or is closed now because its client does not read.
func (s *Session) Send(p []byte) bool {
	if s.closing.Load() {
		return false
	}
	if _, err := s.tls.Write(p); err != nil {
		s.writeFailed(err)
		return false
	}
	s.recordAnswer()
	if s.conn.out.long.Load() {
		s.conn.out.flush()
	}
	return true
}

// Flush writes all queued records with one system call. It never blocks, and
// does next to nothing when nothing is queued. It may be called from any
// goroutine.
func (s *Session) Flush() { s.conn.out.flush() }

// run is the read loop. It returns after the connection is closed and the
// handler told.
func (s *Session) run() {
	s.lastRequest = time.Now()
	if s.handle(nil) { // what came together with the end of the handshake
		for s.setNextDeadline() {
			if err := s.readSocket(); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				s.terminate(metrics.ClosedBroken, "reading: "+err.Error())
			}
		}
	}
	if s.inputEnd != nil {
		s.awaitAnswers()
		s.terminate(s.inputEnd.reason, s.inputEnd.text)
	}
	s.handler.Closed()
	s.close()
}

// setNextDeadline sets the deadline of the coming read, after it has ended the session
// when one has passed. It reports whether the session goes on.
//
// Deadlines move forward with every packet, but the timer is set again only
// when it fires, or when a started packet makes it earlier.
func (s *Session) setNextDeadline() bool {
	now := time.Now()
	cfg := s.config()
	switch {
	case s.closing.Load():
	case s.inputEnd != nil:
		return false
	case s.draining.Load():
		s.terminateWhenDone()
		s.setDeadline(now.Add(drainTick))
	case !s.partSince.IsZero() && now.Sub(s.partSince) >= cfg.PacketTimeout:
		s.terminate(metrics.ClosedPacketTimeout, fmt.Sprintf("a packet was begun and is not whole after %v", cfg.PacketTimeout))
	case cfg.IdleTimeout > 0 && s.idle(now, cfg.IdleTimeout):
		s.terminate(metrics.ClosedIdle, fmt.Sprintf("no request for %v", cfg.IdleTimeout))
	default:
		s.setDeadline(s.nextDeadline(now))
	}
	return !s.closing.Load()
}

// nextDeadline returns when the session has to look around next.
func (s *Session) nextDeadline(now time.Time) time.Time {
	d := now.Add(tick)
	if cfg := s.config(); cfg.IdleTimeout > 0 {
		d = earlier(d, s.idleDeadline(now, cfg.IdleTimeout))
	}
	if !s.partSince.IsZero() {
		d = earlier(d, s.partSince.Add(s.config().PacketTimeout))
	}
	return d
}

func (s *Session) setDeadline(d time.Time) {
	s.deadline = d
	s.conn.Conn.SetReadDeadline(d)
	// end may have set its deadline before: wait and take look at closing
	// after this, so it is not lost. Neither is the one of leave.
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

// readSocket waits for octets and takes them, until the session ends or the
// deadline passes.
//
// The loop runs within one call of RawConn.Read, which calls ready whenever
// octets have come since the last call. So a read that did not fill the buffer
// has emptied the socket, and the next system call is the wait itself (epoll(7)
// on edge-triggered use); and no buffer is held while waiting.
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

// ready reads what the socket fd holds. It reports true when the session ends.
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
			s.terminate(metrics.ClosedBroken, "reading: "+err.Error())
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

// handleInput takes the n octets in b.raw.
func (s *Session) handleInput(b *buffers, n int) bool {
	s.conn.in.feed(b.raw[:n])
	return s.handle(b)
}

// handle drains, then flushes: every packet that the connection holds goes to
// the handler, then the handler sends its batches, then what was queued for
// the client goes out. It reports whether the session goes on.
func (s *Session) handle(b *buffers) bool {
	if b == nil {
		b = s.server.readBufs.Get().(*buffers)
		defer s.server.readBufs.Put(b)
	}
	now := time.Now()
	before := s.packets
	on := s.readPackets(b, now)
	flushed := s.flushAll()
	s.cutter.release()
	if !on || !flushed {
		return false
	}
	s.updateStarted(now, s.packets > before)
	return !s.stopped()
}

// readPackets hands over every packet that is there.
func (s *Session) readPackets(b *buffers, now time.Time) bool {
	for s.conn.in.more() {
		n, err := s.tls.Read(b.plain[:])
		if n > 0 {
			s.conn.in.gave()
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

// cut hands over the packets that end in b.
func (s *Session) cut(b []byte, now time.Time) bool {
	limits := s.limits()
	for len(b) > 0 {
		p, rest, err := s.cutter.next(b)
		if err != nil {
			// RFC 6613 §2.6.4: the stream has no borders any more.
			s.state.metrics.Count(wire.KindOther, metrics.FateBadLength)
			s.terminate(metrics.ClosedBadLength, fmt.Sprintf("packet %d: %v; expected %d to %d octets", s.packets+1, err, wire.MinLength, wire.MaxLength))
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

// packet hands over one packet.
func (s *Session) packet(p []byte, now time.Time) bool {
	s.packets++
	s.sinceFlush++
	if wire.Code(p[0]) != codeStatusServer {
		s.lastRequest = now // a watchdog is no traffic (RFC 6614bis §3.10)
	}
	if err := s.handler.Packet(p); err != nil {
		s.terminate(metrics.ClosedRefused, fmt.Sprintf("packet %d: %v", s.packets, err))
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

// updateStarted looks whether a packet, or the record that will hold one, is
// there in part. A packet keeps the time of its first octet: a peer that drips
// has the packet timeout in all, not for each octet.
func (s *Session) updateStarted(now time.Time, progress bool) {
	if !s.cutter.started() && !s.conn.in.borders.within() {
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

// readFailed ends the session after an error from crypto/tls.
func (s *Session) readFailed(err error) {
	switch a, whose := alertOf(err); {
	case err == io.EOF && !s.cutter.started():
		s.endOfRecords()
	case err == io.EOF:
		s.terminate(metrics.ClosedBroken, "the client closed the connection within a packet")
	case whose == "remote":
		s.terminate(metrics.ClosedBroken, fmt.Sprintf("the client sent the alert %v", a))
	default:
		s.terminate(metrics.ClosedBroken, "reading: "+plainText(err))
	}
}
