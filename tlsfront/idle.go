package tlsfront

import "time"

// RFC 6614bis §3.10: a connection that is idle for long may be closed. It is idle while
// no request is outstanding in either direction, since its last request or the last answer to
// one, whichever was later. A Status-Server is a watchdog, not a request, and its answer does
// not count. A connection that requests may be sent down stays open if its client has no other:
// whether the client is still there, TCP's keep-alive finds out.
//
// No goroutine runs for this: the read loop checks it when its deadline passes.

// busyTick is how often the read loop checks a connection that has been quiet for the
// idle timeout, but has requests outstanding. Nothing reports the end of a request that
// its server never answers.
const busyTick = time.Second

// recordAnswer records the time of an answer, if what was sent may have been the answer
// to a request. Such a request counts as outstanding until Send returns.
func (s *Session) recordAnswer() {
	if s.attached.Load() && s.handler.Outstanding() > 0 {
		s.answered.Store(int64(time.Since(s.server.started)))
	}
}

// lastActivity returns the time of the last request or answer, whichever was later.
func (s *Session) lastActivity() time.Time {
	answered := s.answered.Load()
	if answered == 0 {
		return s.lastRequest
	}
	return later(s.lastRequest, s.server.started.Add(time.Duration(answered)))
}

// idle reports whether the connection is idle for at least limit.
func (s *Session) idle(now time.Time, limit time.Duration) bool {
	active := s.lastActivity()
	switch {
	case now.Sub(active) < limit:
		return false
	case s.handler.Outstanding() > 0 || s.handler.Awaited() > 0:
		s.lastBusy = now
		return false
	case s.lastBusy.After(active): // a moment ago the last outstanding request ended without an answer
		s.lastRequest = now
		return false
	case s.handler.Keep():
		s.keptAt = now
		return false
	}
	return true
}

// idleDeadline returns when to check again whether the connection is idle, after idle
// has reported that it is not.
func (s *Session) idleDeadline(now time.Time, limit time.Duration) time.Time {
	if end := s.lastActivity().Add(limit); end.After(now) {
		return end
	}
	if s.keptAt.Equal(now) {
		return now.Add(tick)
	}
	return now.Add(busyTick)
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
