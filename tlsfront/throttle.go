package tlsfront

import (
	"sync"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

const (
	// longestWait is how long a connection may stay behind a limit: for so long its
	// packets wait, unread or in hand; after that they are shed. A request that
	// waited longer would be answered to a client that has given up its first
	// transmission (RFC 5080 §2.2.1: 2 s).
	maxThrottle = time.Second
	// lookUp is how often a waiting read loop looks up.
	throttlePoll = 10 * time.Millisecond
)

// rateLimiter holds a client, on all its connections together, to so many packets and
// octets a second. A second's worth may come at once.
type rateLimiter struct {
	// static after construction
	perPacket, perOctet time.Duration // what one of them takes; 0: no limit. Octets in 1/1024 ns.

	mu                  sync.Mutex // guards what follows
	packetsAt, octetsAt time.Time  // when all that was taken would have come at an even pace
}

// octetScale makes the time that one octet takes a number that is no smaller
// than one at any rate in use.
const octetScale = 1024

// newRateLimiter returns nil when c has no such limit.
func newRateLimiter(c *Client) *rateLimiter {
	if c.PacketsPerSecond <= 0 && c.OctetsPerSecond <= 0 {
		return nil
	}
	p := &rateLimiter{}
	if c.PacketsPerSecond > 0 {
		p.perPacket = time.Second / time.Duration(c.PacketsPerSecond)
	}
	if c.OctetsPerSecond > 0 {
		p.perOctet = octetScale * time.Second / time.Duration(c.OctetsPerSecond)
	}
	return p
}

// allow takes a packet of n octets, or says how long to wait before asking
// again. calm tells that at least half of the second's worth is left.
func (p *rateLimiter) allow(now time.Time, n int) (wait time.Duration, calm bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	octets := time.Duration(n) * p.perOctet / octetScale
	ahead := max(p.packetsAt.Sub(now), p.octetsAt.Sub(now), 0)
	if ahead > time.Second {
		return ahead - time.Second, false
	}
	p.packetsAt = later(p.packetsAt, now).Add(p.perPacket)
	p.octetsAt = later(p.octetsAt, now).Add(octets)
	return 0, ahead < time.Second/2
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// limits are what holds for the packets of a connection at the moment.
type limits struct {
	limiter     *rateLimiter // nil: none
	outstanding int          // 0: no limit
}

func (s *Session) limits() limits {
	return limits{limiter: s.state.limiter.Load(), outstanding: s.config().MaxOutstanding}
}

func (l limits) unlimited() bool { return l.limiter == nil && l.outstanding == 0 }

// mustWait returns how long p must wait, and the fate it will have if that is
// too long; 0 when it may go on.
func (s *Session) mustWait(l limits, n int, now time.Time) (time.Duration, metrics.Fate) {
	calm := true
	if l.outstanding > 0 {
		open := s.handler.Outstanding()
		if open+s.sinceFlush >= l.outstanding && s.sinceFlush > 0 {
			s.flushAll() // the handler may not have counted these yet
			open = s.handler.Outstanding()
		}
		if open >= l.outstanding {
			return throttlePoll, metrics.FateTooManyOutstanding
		}
		calm = 2*open <= l.outstanding
	}
	if l.limiter != nil {
		wait, rested := l.limiter.allow(now, n)
		if wait > 0 {
			return wait, metrics.FateRateLimited
		}
		calm = calm && rested
	}
	if calm {
		s.throttledSince = time.Time{}
	}
	return 0, 0
}

// throttle waits until p is within the limits. It reports false when p is shed
// or the session ends. While it waits nothing is read, which the peer feels
// through TCP; but a peer that stays ahead of its limit for long is not served
// ever later, its excess is dropped instead.
func (s *Session) throttle(p []byte, l limits) bool {
	waited := false
	defer func() {
		if waited {
			s.server.cfg.Metrics.TLS().AddThrottled(-1)
		}
	}()
	for !s.closing.Load() {
		now := time.Now()
		d, fate := s.mustWait(l, len(p), now)
		if d == 0 {
			return true
		}
		if s.throttledSince.IsZero() {
			s.throttledSince = now
		}
		if now.Sub(s.throttledSince) >= maxThrottle {
			s.shed(p, fate)
			return false
		}
		if !waited {
			waited = true
			s.server.cfg.Metrics.TLS().AddThrottled(1)
			if !s.flushAll() { // what came before must not wait
				return false
			}
		}
		time.Sleep(min(d, throttlePoll))
	}
	return false
}

// shed ends a packet that has waited behind a limit for too long. RADIUS/1.1 has an
// answer for it (RFC 9765 §6.1); in RADIUS/1.0 it is dropped, which costs no digest.
func (s *Session) shed(p []byte, fate metrics.Fate) {
	s.packets++
	if s.v11 {
		s.sinceFlush++ // Flush must follow
		s.handler.Refuse(p, fate)
		return
	}
	s.state.metrics.Count(wire.KindOf(wire.Code(p[0])), fate)
}

// flushAll has the handler send its batches on, and sends what is queued for
// the client, also by crypto/tls itself. It reports whether the session goes on.
func (s *Session) flushAll() bool {
	var err error
	if s.sinceFlush > 0 {
		s.sinceFlush = 0
		err = s.handler.Flush()
	}
	s.conn.out.flush()
	if err != nil {
		s.terminate(metrics.ClosedRefused, err.Error()) // unless there was a reason before
	}
	return err == nil
}
