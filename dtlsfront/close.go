package dtlsfront

import (
	"log/slog"

	"radsec-gw/dtlsfront/record"
	"radsec-gw/metrics"
)

// Close terminates the session for the given reason, which is logged. It does not wait.
func (s *Session) Close(reason string) { s.terminate(metrics.ClosedLocally, reason) }

// Ended returns why the session ends. It may be called after Send has reported false, and by
// the Sink's Closed.
func (s *Session) Ended() metrics.Reason {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason
}

// attach notes that the session has its Sink. It reports whether the session was terminated
// before, so that it is to be closed now.
func (s *Session) attach() (terminated bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.activity.Handler = s.sink
	s.attached.Store(true)
	return s.closing.Load()
}

// terminate ends the session: the goroutine of Server.check closes it. Only the first call has
// an effect. It may be called with the session's locks held.
func (s *Session) terminate(r metrics.Reason, text string) {
	s.mu.Lock()
	if s.closing.Load() {
		s.mu.Unlock()
		return
	}
	s.reason, s.text = r, text
	s.closing.Store(true)
	attached := s.attached.Load()
	s.mu.Unlock()
	if attached {
		s.server.enqueue(s)
	}
}

// enqueue has a session that was terminated closed.
func (s *Server) enqueue(session *Session) {
	s.mu.Lock()
	s.ended = append(s.ended, session)
	s.mu.Unlock()
	select {
	case s.closable <- struct{}{}:
	default:
	}
}

// closeEnded closes the sessions that were terminated.
func (s *Server) closeEnded() {
	s.mu.Lock()
	ended := s.ended
	s.ended = nil
	s.mu.Unlock()
	for _, session := range ended {
		session.close()
	}
	for _, l := range s.allListeners() {
		l.out.flush()
	}
}

// closeAll terminates and closes all sessions.
func (s *Server) closeAll() {
	s.mu.Lock()
	s.stopping = true
	why := s.why
	s.mu.Unlock()
	for _, session := range s.all() {
		session.terminate(metrics.ClosedShutdown, why)
	}
	s.closeEnded()
}

// close closes a session that was terminated: the Sink is told, and the client, by
// close_notify.
func (s *Session) close() {
	s.receiving.Lock()
	s.sink.Closed()
	packets, accepted := s.packets, s.accepted
	s.accepted = nil
	s.receiving.Unlock()
	if !s.silent.Load() {
		s.sendAlert(alertCloseNotify)
	}
	s.listener.removeSession(s)
	s.server.unregister(s)
	s.mu.Lock()
	reason, text := s.reason, s.text
	s.mu.Unlock()
	level := slog.LevelWarn
	switch reason {
	case metrics.ClosedByPeer, metrics.ClosedIdle, metrics.ClosedShutdown, metrics.ClosedPacketLimit:
		level = slog.LevelInfo
		if accepted != nil {
			level = slog.LevelDebug
		}
	}
	if accepted != nil {
		accepted(min(level, slog.LevelInfo))
	}
	remote := s.RemoteAddr()
	s.server.log(remote, level, "RADIUS/DTLS session closed", append(s.fields, "peer", remote, "reason", reason, "error", text, "packets", packets)...)
}

// sendAlert queues a warning. It may be lost: then the client finds out by its own means.
func (s *Session) sendAlert(description byte) {
	s.seal(record.Alert, []byte{alertWarning, description})
}
