package udpback

import (
	"log/slog"
	"time"

	"radsec-gw/logs"
)

// refresh looks the server's name up anew, because a server that is silent may
// have moved: a container that was made again often has another address. If it
// has, new sockets replace the old, which stay until their requests have ended.
func (e *endpoint) refresh() {
	conn, err := e.server.back.dial(e.address)
	if err != nil {
		e.failure.Say(e.server.back.Now(), func() logs.Line {
			return logs.Line{Log: e.log, Level: slog.LevelError, Text: "cannot look the server's name up", Fields: []any{"error", err}}
		})
		return
	}
	e.mu.Lock()
	all := *e.sockets.Load()
	if e.closed || len(all) == 0 || all[0].conn.remote() == conn.remote() {
		e.mu.Unlock()
		conn.close()
		return
	}
	e.sockets.Store(&[]*socket{newSocket(e, conn)})
	e.retired = append(e.retired, all...)
	e.mu.Unlock()
	e.metrics.AddSockets(1 - len(all))
	e.log.Info("the server's name has another address now", "was", all[0].conn.remote(), "is", conn.remote())
	// One second more than the schedule, so that nothing waits on them any more.
	time.AfterFunc(e.server.schedule.Duration+time.Second, func() { e.discard(all) })
}

// discard closes retired sockets.
func (e *endpoint) discard(old []*socket) {
	for _, s := range old {
		s.close()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.retired = e.retired[len(old):] // the oldest come first
	}
}

// refreshSometimes starts refresh for a server given by name, once a redialPause
// at the most. It does not wait.
func (e *endpoint) refreshSometimes(now time.Duration) {
	if !e.named {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || now-e.refreshed < redialPause {
		return
	}
	e.refreshed = now
	e.background.Go(e.refresh)
}
