package tlsfront

import (
	"context"
	"time"

	"radsec-gw/metrics"
)

// drainTick is how long a draining connection waits for more input. It ends after
// nothing was outstanding at two checks in a row.
const drainTick = 20 * time.Millisecond

// Drain ends every connection gracefully, and says why. No more are accepted. Each is still served
// until nothing is outstanding in either direction, and then closed with close_notify.
// RADIUS has no message that tells a client to stop; one that sends without pause is closed
// when Serve ends.
//
// Drain returns when the last connection is closed or ctx is done.
func (s *Server) Drain(ctx context.Context, why string) {
	s.StartDraining(why)
	s.AwaitDrained(ctx)
}

// StartDraining is Drain without the wait: when it returns, no connection is accepted any more.
func (s *Server) StartDraining(why string) {
	s.stopListeners()
	s.admission.drain()
	s.table.Drain(why)
}

// AwaitDrained waits, after StartDraining, as Drain does.
func (s *Server) AwaitDrained(ctx context.Context) {
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

// StartDraining makes the read loop end the session when nothing is outstanding.
func (s *Session) StartDraining(why string) {
	s.drained = why
	s.draining.Store(true)
	s.conn.Conn.SetReadDeadline(time.Unix(1, 0))
}

// terminateWhenDone terminates a draining session if nothing was outstanding at two
// checks in a row. Between them the socket was read.
func (s *Session) terminateWhenDone() {
	done := s.handler.Outstanding() == 0 && s.handler.Awaited() == 0
	if done && s.wasDone {
		s.Terminate(metrics.ClosedShutdown, s.drained+"; nothing was outstanding")
	}
	s.wasDone = done
}
