package tlsfront

import (
	"context"
	"time"

	"radsec-gw/metrics"
)

// drainTick is how long a connection that is to end waits for more to come. It
// ends when it has had nothing outstanding twice in a row.
const drainTick = 20 * time.Millisecond

// Drain ends every connection in order: no more are accepted; each one is still
// read and served until a moment comes when nothing is outstanding, and is
// closed then with close_notify. RADIUS has no way to tell a client to stop; one
// that sends without pause is closed when ctx ends, by Serve's own end.
//
// It returns when the last connection is closed or ctx is done.
func (s *Server) Drain(ctx context.Context) {
	s.stopListeners()
	s.admission.drain()
	s.mu.Lock()
	s.draining = true
	for session := range s.sessions {
		session.startDraining()
	}
	s.mu.Unlock()
	t := time.NewTicker(drainTick / 2)
	defer t.Stop()
	for s.admission.connections() > 0 {
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// startDraining asks the read loop to end the session at a good moment.
func (s *Session) startDraining() {
	s.draining.Store(true)
	s.conn.Conn.SetReadDeadline(time.Unix(1, 0))
}

// terminateWhenDone ends a session that is to leave when it has had nothing
// outstanding at two looks. Between them the socket was read.
func (s *Session) terminateWhenDone() {
	done := s.handler.Outstanding() == 0
	if done && s.wasDone {
		s.terminate(metrics.ClosedShutdown, "the gateway stops; nothing was outstanding")
	}
	s.wasDone = done
}
