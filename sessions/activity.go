package sessions

import (
	"sync/atomic"
	"time"
)

// RFC 6614bis §3.10: a session that is idle for long may be closed. It is idle while
// no request is outstanding in either direction, since its last request or the last answer to
// one, whichever was later. A Status-Server is a watchdog, not a request, and its answer does
// not count. A session that requests may be sent down stays open if its client has no other:
// whether the client is still there, the transport finds out.

// Busy is what a Handler says about what is under way.
type Busy interface {
	Outstanding() int
	Awaited() int
	Keep() bool
}

// Activity says when a session is idle. Its methods belong to the goroutine that calls the
// Handler, but Answered, which any goroutine may call.
type Activity struct {
	Handler Busy      // set before the first packet
	Started time.Time // of the gateway, say: Answered counts from then

	LastRequest time.Time // when the last packet that is not a Status-Server arrived

	answered atomic.Int64 // when the last answer to a request was sent, in ns since Started; 0: never
	lastBusy time.Time    // when requests were last found outstanding after the idle timeout; zero: never
	keptAt   time.Time    // when it was last found idle, and kept open; zero: never
}

// BusyTick is how often a session is checked that has been quiet for the idle timeout, but has
// requests outstanding. Nothing reports the end of a request that its server never answers.
const BusyTick = time.Second

// Answered records the time of an answer, if what was sent may have been the answer
// to a request. Such a request counts as outstanding until Send returns.
func (a *Activity) Answered() {
	if a.Handler.Outstanding() > 0 {
		a.answered.Store(int64(time.Since(a.Started)))
	}
}

// last returns the time of the last request or answer, whichever was later.
func (a *Activity) last() time.Time {
	answered := a.answered.Load()
	if answered == 0 {
		return a.LastRequest
	}
	return later(a.LastRequest, a.Started.Add(time.Duration(answered)))
}

// Idle reports whether the session is idle for at least limit.
func (a *Activity) Idle(now time.Time, limit time.Duration) bool {
	active := a.last()
	switch {
	case now.Sub(active) < limit:
		return false
	case a.Handler.Outstanding() > 0 || a.Handler.Awaited() > 0:
		a.lastBusy = now
		return false
	case a.lastBusy.After(active): // a moment ago the last outstanding request ended without an answer
		a.LastRequest = now
		return false
	case a.Handler.Keep():
		a.keptAt = now
		return false
	}
	return true
}

// Deadline returns when to check again whether the session is idle, after Idle has reported
// that it is not: tick later if it was kept open.
func (a *Activity) Deadline(now time.Time, limit, tick time.Duration) time.Time {
	if end := a.last().Add(limit); end.After(now) {
		return end
	}
	if a.keptAt.Equal(now) {
		return now.Add(tick)
	}
	return now.Add(BusyTick)
}
