package tlsfront

import (
	"log/slog"
	"time"

	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/sessions"
	"radsec-gw/wire"
)

const (
	// maxThrottle is how long the packets of a connection may exceed a limit. Until then
	// they wait, unread or in the read loop; after that they are shed. A request that
	// waited longer would be answered after the client has resent it (RFC 5080 §2.2.1:
	// 2 s).
	maxThrottle = time.Second
	// throttlePoll is how often a waiting read loop checks the limits again.
	throttlePoll = 10 * time.Millisecond
)

// limits are the current limits for the packets of a connection.
type limits struct {
	limiter     *sessions.RateLimiter // nil: no limit
	outstanding int                   // 0: no limit
}

func (s *Session) limits() limits {
	return limits{limiter: s.entry.State().Limiter(), outstanding: s.config().MaxOutstanding}
}

func (l limits) unlimited() bool { return l.limiter == nil && l.outstanding == 0 }

// mustWait returns how long a packet of n octets must wait, and its fate if it is shed
// instead; 0 if it need not wait.
func (s *Session) mustWait(l limits, n int, now time.Time) (time.Duration, metrics.Fate) {
	low := true
	if l.outstanding > 0 {
		open := s.handler.Outstanding()
		if open+s.sinceFlush >= l.outstanding && s.sinceFlush > 0 {
			s.flushAll() // the handler may not have counted these yet
			open = s.handler.Outstanding()
		}
		if open >= l.outstanding {
			return throttlePoll, metrics.FateTooManyOutstanding
		}
		low = 2*open <= l.outstanding
	}
	if l.limiter != nil {
		wait, lowRate := l.limiter.Allow(now, n)
		if wait > 0 {
			return wait, metrics.FateRateLimited
		}
		low = low && lowRate
	}
	if low {
		s.throttledSince = time.Time{}
	}
	return 0, 0
}

// throttle waits until p is within the limits. It reports false if p was shed or the
// session ends. While it waits nothing is read, so TCP slows the peer down. The packets
// of a peer that exceeds a limit for long are dropped, instead of waiting ever longer.
func (s *Session) throttle(p []byte, l limits) bool {
	if code := wire.Code(p[0]); code == codeStatusServer || wire.IsReply(code) {
		l.outstanding = 0 // neither makes anything outstanding
		if l.unlimited() {
			return true
		}
	}
	waited := false
	defer func() {
		if waited {
			s.server.counts.AddThrottled(-1)
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
			s.server.counts.AddThrottled(1)
			if !s.flushAll() { // earlier packets must not wait
				return false
			}
		}
		time.Sleep(min(d, throttlePoll))
	}
	return false
}

// shed drops a packet that exceeded a limit for too long. RADIUS/1.1 has an answer for it
// (RFC 9765 §6.1); in RADIUS/1.0 there is none, and nothing is computed.
func (s *Session) shed(p []byte, fate metrics.Fate) {
	s.packets++
	s.entry.State().Metrics.Received(len(p))
	s.logShed(fate)
	if s.v11 {
		s.sinceFlush++ // Flush must follow
		s.handler.Refuse(p, fate)
		return
	}
	s.entry.State().Metrics.Count(wire.KindOf(wire.Code(p[0])), fate)
}

// logShed logs, once a minute for each client, that its packets are dropped.
func (s *Session) logShed(fate metrics.Fate) {
	s.entry.State().Sheds.Log(func() logs.Line {
		limit := "packets_per_second or octets_per_second of its [[client]]"
		if fate == metrics.FateTooManyOutstanding {
			limit = "[listen].max_outstanding"
		}
		return logs.Line{Log: s.server.cfg.Log, Level: slog.LevelWarn, Text: "packets of a client are dropped because it sends more than its limit: is it at fault, or is the limit too low?",
			Fields: []any{"client", s.Client().Name, "connection", s.remote, "fate", fate, "limit", limit}}
	})
}
