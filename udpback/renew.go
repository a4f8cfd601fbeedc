package udpback

import (
	"log/slog"
	"slices"
	"time"

	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/udpback/health"
)

// openPause is how long after a failure no socket is opened for a request.
const openPause = 100 * time.Millisecond

// grow opens one more socket to the address in use, unless the sockets have changed
// since they were seen, or the ceiling is reached. That takes microseconds: no name is looked up. The
// error is ErrNoIdentifier or ErrNoSocket.
func (e *endpoint) grow(seen *[]*socket) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.sockets.Load() != seen {
		return nil
	}
	all := *seen
	if e.closed || len(all) >= e.server.settings.Load().maxSockets || len(all) > 0 && e.server.backend.atSocketLimit() {
		return ErrNoIdentifier
	}
	if e.server.parent != nil && e.server.backend.atSocketLimit() && e.server.parent.hasSocket(e.label) {
		e.logSocketLimit()
		return ErrNoSocket
	}
	s := e.open()
	if s == nil {
		if len(all) > 0 {
			return ErrNoIdentifier // those that are open go on
		}
		return ErrNoSocket
	}
	more := append(all[:len(all):len(all)], s)
	e.sockets.Store(&more)
	e.countSockets(1)
	e.unpark()
	return nil
}

// open opens a socket; nil when that has failed, just now or within openPause. With
// mu held.
func (e *endpoint) open() *socket {
	address, ok := e.address()
	now := e.server.backend.Now()
	if !ok || e.failedAt != 0 && now-e.failedAt < openPause {
		return nil
	}
	conn, err := e.server.backend.dial(address)
	if err == nil {
		return newSocket(e, address.Addr(), conn)
	}
	e.failedAt = now
	e.metrics.Count(metrics.ServerSocketErrors, 1)
	e.failedLimit.Log(func() logs.Line {
		return logs.Line{Log: e.log, Level: slog.LevelError, Text: "cannot open a socket to the server; its requests go to other servers or wait", Fields: []any{"address", address, "error", err, "hint", hintOf(err)}}
	})
	return nil
}

// mayNotRenew reports whether no socket may be opened to renew those in use. Where the
// limit is reached, a port has one besides for that, unless it is one of an expanded
// name. With mu held.
func (e *endpoint) mayNotRenew() bool {
	return e.server.backend.atSocketLimit() && (len(e.retired) > 0 || e.server.parent != nil)
}

// hasSocket reports whether one of the members has a socket for a port.
func (s *Server) hasSocket(label metrics.Port) bool {
	for _, m := range *s.members.Load() {
		for _, e := range m.endpoints() {
			if e.label == label && len(*e.sockets.Load()) > 0 {
				return true
			}
		}
	}
	return false
}

// logSocketLimit says that there is no socket for an address of an expanded name.
func (e *endpoint) logSocketLimit() {
	e.metrics.Count(metrics.ServerSocketErrors, 1)
	b := e.server.backend
	b.socketLimitReached.Log(func() logs.Line {
		return logs.Line{Log: e.log, Level: slog.LevelError, Text: "no more sockets may be opened to servers, and an address of a name with expand has none: its requests go to other addresses",
			Fields: []any{"address", e.addressText(), "most", b.socketLimit.Load(), "hint", "raise LimitNOFILE= of the service (ulimit -n), or lower max_connections"}}
	})
}

func (e *endpoint) countSockets(n int) {
	e.metrics.AddSockets(n)
	e.server.backend.sockets.Add(int64(n))
}

const (
	// renewPause is how soon after a renewal sockets are renewed again. While nothing is
	// heard the pause doubles up to longestRenewPause: a silent port with 64 sockets
	// full of requests has 5 generations of them at the most within the 31 s that each
	// listens on.
	renewPause        = time.Second
	longestRenewPause = 8 * time.Second
)

// renew lets one socket with a new local port, and the source address of now, take
// the place of those in use, unless it did a moment ago. The old ones take replies
// until their Identifiers are free; what waits on them goes to the new one when it is
// due. broken says that sending fails, which shows at once; silence has to be waited
// for. It reports whether it did.
func (e *endpoint) renew(broken bool) bool {
	old, ok := e.replaceUnlessRecent(broken)
	if ok {
		e.orderRetired(old, moveSocketWhenDue)
	}
	return ok
}

// replaceUnlessRecent is swap, unless the sockets were renewed a moment ago.
func (e *endpoint) replaceUnlessRecent(broken bool) (old []*socket, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.health.HeardSince(e.renewedAt) {
		e.renewWait = 0
	}
	wait := e.renewWait
	if broken {
		wait = renewPause
	}
	if e.renewedAt != 0 && e.server.backend.Now()-e.renewedAt < wait {
		return nil, false
	}
	if e.mayNotRenew() {
		return nil, false
	}
	if old, ok = e.replace(false); ok {
		e.renewWait = min(max(2*e.renewWait, renewPause), longestRenewPause)
	}
	return old, ok
}

// maxRetired bounds how many retired sockets listen on while refresh is called again
// and again.
const maxRetired = 8

// refresh renews the sockets whatever the port's health. What waits on a port that is
// not up goes to the new socket at once.
func (e *endpoint) refresh() {
	o := moveSocketLate
	if e.health.State() != health.Up {
		o = moveSocketWhenDue | moveSocket
	}
	e.mu.Lock()
	var old []*socket
	n := len(e.retired)
	ok := n < maxRetired && !e.mayNotRenew()
	if ok {
		old, ok = e.replace(false)
	}
	e.mu.Unlock()
	if ok {
		e.orderRetired(old, o)
	}
}

// moveToAddress lets a socket to the server's address of now take the place of those in use.
// What waits goes there at once. fresh says that the server has moved, and nothing is
// known of its health there.
func (e *endpoint) moveToAddress(fresh bool) {
	e.addressSince.Store(int64(e.server.backend.Now()))
	e.unreachableAt.Store(0)
	e.mu.Lock()
	_, ok := e.replace(true)
	left := slices.Clone(e.retired) // those retired before have an earlier address, too
	e.mu.Unlock()
	if ok {
		e.orderRetired(left, moveSocket|moveSocketWhenDue)
	}
	if fresh {
		e.health.Renew()
	}
	e.publishState()
}

// replace puts a new socket in the place of those in use, which it retires and returns.
// ok is false when nothing has changed: when there is none to replace, or no socket
// can be opened and the address of those in use is not gone. With mu held.
func (e *endpoint) replace(gone bool) (old []*socket, ok bool) {
	old = *e.sockets.Load()
	if e.closed || len(old) == 0 && len(e.parked) == 0 {
		return nil, false
	}
	s := e.open()
	if s == nil && !gone {
		return nil, false
	}
	e.renewedAt = e.server.backend.Now()
	next := []*socket{}
	if s != nil {
		next = append(next, s)
	}
	e.sockets.Store(&next) // none, where the old address is gone and the new one cannot be reached
	e.metrics.AddSockets(len(next) - len(old))
	e.server.backend.sockets.Add(int64(len(next))) // the old ones are still open
	e.retired = append(e.retired, old...)
	e.closeLater(old)
	if s != nil {
		e.unpark()
		e.metrics.Count(metrics.ServerRenewals, 1)
	}
	return old, true
}

// orderRetired gives retired sockets an order, and closes those that are idle.
func (e *endpoint) orderRetired(retired []*socket, o orders) {
	now := e.server.backend.Now()
	for _, s := range retired {
		s.order(o, now)
	}
	e.closeIdle()
}

// closeLater closes retired sockets when the schedules of what waits on them are over.
func (e *endpoint) closeLater(retired []*socket) {
	// One second more than the schedule, so that nothing waits on them any more.
	time.AfterFunc(e.server.settings.Load().longest+time.Second, func() { e.closeRetired(retired) })
}

// closeIdle closes retired sockets on which nothing is outstanding. It does not wait.
func (e *endpoint) closeIdle() {
	e.mu.Lock()
	var idle []*socket
	for _, s := range e.retired {
		if s.closeIfIdle() {
			idle = append(idle, s)
		}
	}
	e.mu.Unlock()
	e.closeRetired(idle)
}

// closeRetired closes retired sockets in the background.
func (e *endpoint) closeRetired(list []*socket) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range list {
		if remove(&e.retired, s) && !e.closed {
			if !s.parked() {
				e.server.backend.sockets.Add(-1)
			}
			e.background.Go(s.close)
		}
	}
}

// remove takes s out of the list, and reports whether it was there.
func remove(list *[]*socket, s *socket) bool {
	for i, one := range *list {
		if one == s {
			*list = append((*list)[:i:i], (*list)[i+1:]...)
			return true
		}
	}
	return false
}
