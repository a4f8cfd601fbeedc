package tlsfront

import "time"

// RFC 6614bis §3.10: a connection that is idle for long may be closed. It is idle
// while it has no request outstanding, since its last request or the last answer
// to one, whichever came later. A Status-Server is a watchdog, not a request, and
// its answer no answer.
//
// Nothing runs for this: the read loop looks when its deadline comes.

// busyTick is how often the read loop looks at a connection that has been quiet
// for the idle timeout and has requests outstanding: one that its server leaves
// silent ends without an answer, of which nobody tells.
const busyTick = time.Second

// recordAnswer remembers that something was sent, if it may have been the answer to
// a request: that one counts as outstanding until Send returns.
func (s *Session) recordAnswer() {
	if s.attached.Load() && s.handler.Outstanding() > 0 {
		s.answered.Store(int64(time.Since(s.server.started)))
	}
}

// lastActivity returns when the last request came, or its answer went if that was
// later.
func (s *Session) lastActivity() time.Time {
	answered := s.answered.Load()
	if answered == 0 {
		return s.lastRequest
	}
	return later(s.lastRequest, s.server.started.Add(time.Duration(answered)))
}

// idle reports whether the connection is idle for at least limit.
func (s *Session) idle(now time.Time, limit time.Duration) bool {
	quiet := s.lastActivity()
	switch {
	case now.Sub(quiet) < limit:
		return false
	case s.handler.Outstanding() > 0:
		s.lastBusy = now
		return false
	case s.lastBusy.After(quiet): // what was outstanding has ended in silence, a moment ago
		s.lastRequest = now
		return false
	}
	return true
}

// idleDeadline returns when to look whether the connection is idle, after idle has
// reported that it is not.
func (s *Session) idleDeadline(now time.Time, limit time.Duration) time.Time {
	if end := s.lastActivity().Add(limit); end.After(now) {
		return end
	}
	return now.Add(busyTick)
}
