package udpback

import (
	"log/slog"
	"slices"
	"time"

	"radsec-gw/logs"
	"radsec-gw/udpback/health"
)

// openPause is how long after a failure no socket is opened for a request.
const openPause = 100 * time.Millisecond

// grow opens one more socket to the address in use, unless another goroutine just
// did or the ceiling is reached. That takes microseconds: no name is looked up. The
// error is ErrNoIdentifier or ErrNoSocket.
func (e *endpoint) grow(seen int) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := *e.sockets.Load()
	if len(all) > seen {
		return nil
	}
	if e.closed || len(all) >= e.server.settings.Load().maxSockets || len(all) > 0 && e.server.back.fullOfSockets() {
		return ErrNoIdentifier
	}
	conn := e.open()
	if conn == nil {
		if len(all) > 0 {
			return ErrNoIdentifier // those that are open go on
		}
		return ErrNoSocket
	}
	more := append(all[:len(all):len(all)], newSocket(e, conn))
	e.sockets.Store(&more)
	e.countSockets(1)
	e.unpark()
	return nil
}

// open opens a socket; nil when that has failed, just now or within openPause. With
// mu held.
func (e *endpoint) open() datagrams {
	address, ok := e.address()
	now := e.server.back.Now()
	if !ok || e.failedAt != 0 && now-e.failedAt < openPause {
		return nil
	}
	conn, err := e.server.back.dial(address)
	if err == nil {
		e.failedAt = 0
		return conn
	}
	e.failedAt = now
	e.metrics.SocketError(1)
	e.failure.Say(now, func() logs.Line {
		return logs.Line{Log: e.log, Level: slog.LevelError, Text: "cannot open a socket to the server; its requests go to other servers or wait", Fields: []any{"address", address, "error", err, "hint", hintOf(err)}}
	})
	return nil
}

func (e *endpoint) countSockets(n int) {
	e.metrics.AddSockets(n)
	e.server.back.sockets.Add(int64(n))
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
	e.mu.Lock()
	now := e.server.back.Now()
	if e.health.HeardSince(e.renewedAt) {
		e.renewWait = 0
	}
	wait := e.renewWait
	if broken {
		wait = renewPause
	}
	// Where there are no more descriptors, a port has one socket besides, to renew.
	early := e.renewedAt != 0 && now-e.renewedAt < wait || len(e.retired) > 0 && e.server.back.fullOfSockets()
	e.mu.Unlock()
	if early || !e.replace(leaveSocketWhenDue, false) {
		return false
	}
	e.mu.Lock()
	e.renewWait = min(max(2*e.renewWait, renewPause), longestRenewPause)
	e.mu.Unlock()
	return true
}

// mostRetired bounds how many retired sockets listen on while refresh is called again
// and again.
const mostRetired = 8

// refresh renews the sockets whatever the port's health. What waits on a port that is
// not up goes to the new socket at once.
func (e *endpoint) refresh() {
	if n := len(e.retiredNow()); n >= mostRetired || n > 0 && e.server.back.fullOfSockets() {
		return
	}
	o := leaveSocketWhenDue
	if e.health.State() != health.Up {
		o |= leaveSocket
	}
	e.replace(o, false)
}

// moveTo lets a socket to the server's address of now take the place of those in use.
// What waits goes there at once. fresh says that the server has moved, and nothing is
// known of its health there.
func (e *endpoint) moveTo(fresh bool) {
	e.addressAt.Store(int64(e.server.back.Now()))
	e.blockedAt.Store(0)
	e.replace(leaveSocket, true)
	if fresh {
		e.health.Renew()
	}
	e.announce()
}

// replace puts a new socket in the place of those in use, and gives those an order.
// When no socket can be opened those in use stay, unless their address is gone.
func (e *endpoint) replace(o orders, gone bool) bool {
	e.mu.Lock()
	now := e.server.back.Now()
	old := *e.sockets.Load()
	none := len(old) == 0 && len(e.parked) == 0
	if e.closed || none {
		e.mu.Unlock()
		return false
	}
	conn := e.open()
	if conn == nil && !gone {
		e.mu.Unlock()
		return false
	}
	e.renewedAt = now
	next := []*socket{}
	if conn != nil {
		next = append(next, newSocket(e, conn))
	}
	e.sockets.Store(&next) // none, where the old address is gone and the new one cannot be reached
	e.metrics.AddSockets(len(next) - len(old))
	e.server.back.sockets.Add(int64(len(next))) // the old ones are still open
	e.retired = append(e.retired, old...)
	if conn != nil {
		e.unpark()
		e.metrics.Renewed()
	}
	e.mu.Unlock()
	leaving := old
	if gone { // those retired before have the old address, too
		leaving = e.retiredNow()
	}
	for _, s := range leaving {
		s.order(o, now)
	}
	e.closeIdle()
	if len(old) > 0 {
		// One second more than the schedule, so that nothing waits on them any more.
		time.AfterFunc(e.server.settings.Load().schedule.Duration+time.Second, func() { e.closeRetired(old) })
	}
	return true
}

// retiredNow returns the retired sockets.
func (e *endpoint) retiredNow() []*socket {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.retired)
}

// closeIdle closes retired sockets on which nothing is outstanding. It does not wait.
func (e *endpoint) closeIdle() {
	e.mu.Lock()
	var idle []*socket
	for _, s := range e.retired {
		if s.idle() {
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
				e.server.back.sockets.Add(-1)
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

// park keeps an exchange for which no socket can be opened: it waits as if its server
// were silent, is tried again at each of its transmissions, and goes on at once when a
// socket is there. Its Identifiers are those of sockets that lead nowhere.
func (e *endpoint) park(ex *Exchange) (item, error) {
	held, err := e.admit(ex)
	if err != nil {
		return item{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return item{}, ErrNoSocket
	}
	for _, s := range e.parked {
		if it, ok := s.reserve(ex, held); ok {
			e.add(1)
			return it, nil
		}
	}
	if len(e.parked) >= e.server.settings.Load().maxSockets {
		return item{}, ErrNoIdentifier
	}
	s := newSocket(e, newNowhere())
	e.parked = append(e.parked, s)
	it, _ := s.reserve(ex, held)
	e.add(1)
	return it, nil
}

// unpark has what was parked go to the sockets in use. With mu held.
func (e *endpoint) unpark() {
	if len(e.parked) == 0 {
		return
	}
	parked := e.parked
	e.parked = nil
	e.retired = append(e.retired, parked...)
	now := e.server.back.Now()
	for _, s := range parked {
		s.order(leaveSocket, now)
	}
	time.AfterFunc(e.server.settings.Load().schedule.Duration+time.Second, func() { e.closeRetired(parked) })
}

// reopen tries to open a socket for what is parked.
func (e *endpoint) reopen() {
	e.mu.Lock()
	none := len(*e.sockets.Load()) == 0
	e.mu.Unlock()
	if none {
		_ = e.grow(0) // told of by open
	}
}
