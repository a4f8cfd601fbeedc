package dtlsfront

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"radsec-gw/metrics"
)

// A session that is idle (sessions.Activity) for IdleTimeout is closed: nothing else would tell
// that its client is gone. One that is kept for CoA although it is idle is closed, too, when
// nothing at all has arrived for that time, not even a Status-Server: over TCP keepalive would
// tell.

// lasting is how old a session without a request is when it is not a health check.
const lasting = time.Minute

// logAccepted logs that the session was accepted, once: with its first request, or when it has
// lasted for a while. One that only sends Status-Server and closes is a health check, and a log
// must not fill with those. Called with receiving held.
func (s *Session) logAccepted() {
	if s.accepted != nil {
		s.accepted(slog.LevelInfo)
		s.accepted = nil
	}
}

// check ends the session if it is idle for too long, or drains and is done.
func (s *Session) check(now time.Time) {
	s.receiving.Lock()
	defer s.receiving.Unlock()
	limit := s.server.limits.Load().IdleTimeout
	if now.Sub(s.activity.LastRequest) >= lasting {
		s.logAccepted()
	}
	switch {
	case s.closing.Load():
	case s.draining.Load():
		s.terminateWhenDone()
	case limit > 0 && s.activity.Idle(now, limit):
		s.terminate(metrics.ClosedIdle, fmt.Sprintf("no request for %v", limit))
	case limit > 0 && now.Sub(s.heard) >= limit && s.sink.Outstanding() == 0 && s.sink.Awaited() == 0:
		s.terminate(metrics.ClosedIdle, fmt.Sprintf("nothing was received for %v, not even a Status-Server", limit))
	}
}

// drainTick is how often draining sessions are checked. One ends after nothing was outstanding
// at two checks in a row.
const drainTick = 20 * time.Millisecond

// StartDraining accepts no more sessions. AwaitDrained ends those that there are, and why is said
// to be the reason.
func (s *Server) StartDraining(why string) {
	s.mu.Lock()
	s.why = why
	s.mu.Unlock()
	s.draining.Store(true)
}

// AwaitDrained ends every session gracefully: each is still served until nothing is outstanding in
// either direction, and then closed with close_notify. It returns when the last session is closed
// or ctx is done.
func (s *Server) AwaitDrained(ctx context.Context) {
	s.mu.Lock()
	why := s.why
	s.mu.Unlock()
	t := time.NewTicker(drainTick)
	defer t.Stop()
	for s.taken() > 0 {
		for _, session := range s.all() {
			session.drain(metrics.ClosedShutdown, why+"; nothing was outstanding")
			session.check(time.Now())
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// drain has the session end for a reason when nothing is outstanding. Only the first call has
// an effect.
func (s *Session) drain(r metrics.Reason, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.draining.Load() {
		s.drainAs, s.drained = r, text
		s.draining.Store(true)
	}
}

// terminateWhenDone terminates a draining session if nothing was outstanding at two checks in a
// row.
func (s *Session) terminateWhenDone() {
	done := s.sink.Outstanding() == 0 && s.sink.Awaited() == 0
	if done && s.wasDone {
		s.mu.Lock()
		r, text := s.drainAs, s.drained
		s.mu.Unlock()
		s.terminate(r, text)
	}
	s.wasDone = done
}
