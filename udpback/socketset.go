package udpback

import (
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"radsec-gw/locks"
	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/udpback/datagram"
	"radsec-gw/udpback/health"
)

// socketSet is the sockets of one endpoint: those in use, those that are retired and only
// receive replies, and those in place of one that could not be opened.
type socketSet struct {
	// static after construction
	ep     *endpoint
	source *Source // that they are bound to; nil: the server's own

	usedAt atomic.Int64 // when an Identifier was last reserved; of a source's only
	heard  atomic.Bool  // a reply to a request has verified here

	current atomic.Pointer[[]*socket] // those that requests are sent on

	mu        locks.Mutex[locks.SocketSet] // guards the fields below; held while a socket is opened, never for a look-up
	closed    bool
	failedAt  time.Duration // when opening a socket last failed; 0: never
	failure   error         // why, if the last attempt failed
	renewedAt time.Duration // when the sockets were last renewed; 0: never
	renewWait time.Duration // how long after that they are not renewed again
	retired   []*socket     // receive replies, and send nothing new
	parked    []*socket     // hold requests for which no socket can be opened

	closing sync.WaitGroup // what runs in the background, such as the closing of retired sockets
}

func (set *socketSet) init(e *endpoint, source *Source) {
	set.ep, set.source = e, source
	set.current.Store(new([]*socket))
}

// reserve reserves an Identifier on the first socket that has a free one, and opens
// another socket when all are full, up to the configured number. Filling the first before
// the second keeps the batches large and the readers few. The error is ErrNoIdentifier or
// ErrNoSocket.
func (set *socketSet) reserve(ex *Exchange, u *usage) (reservation, error) {
	for {
		all := set.current.Load()
		for _, s := range *all {
			if r, ok := s.reserve(ex, u); ok {
				set.ep.addOutstanding(1)
				return r, nil
			}
		}
		if err := set.grow(all); err != nil {
			return reservation{}, err
		}
	}
}

// openPause is how long after a failure no socket is opened for a request.
const openPause = 100 * time.Millisecond

// grow opens one more socket to the address in use, unless the sockets have changed since
// they were seen, or there are as many as there may be. It takes microseconds: no name is
// looked up. The error is ErrNoIdentifier or ErrNoSocket.
func (set *socketSet) grow(seen *[]*socket) error {
	set.mu.Lock()
	defer set.mu.Unlock()
	if set.current.Load() != seen {
		return nil
	}
	all := *seen
	if set.closed && set.source != nil {
		return errSetClosed
	}
	if set.closed || len(all) >= set.ep.server.settings.Load().maxSockets || len(all) > 0 && set.ep.server.backend.atSocketLimit() {
		return ErrNoIdentifier
	}
	if set.source != nil && !set.ep.server.backend.spaceForSource() {
		set.ep.log.sourceLimit()
		return ErrNoSocket
	}
	if set.ep.server.parent != nil && set.ep.server.backend.atSocketLimit() && set.ep.server.parent.hasSocket(set.ep.label) {
		set.ep.log.socketLimit()
		return ErrNoSocket
	}
	s := set.open()
	if s == nil {
		if len(all) > 0 {
			return ErrNoIdentifier // those that are open go on
		}
		if set.source != nil && datagram.IsSourceGone(set.failure) {
			return ErrNoSource
		}
		return ErrNoSocket
	}
	more := append(all[:len(all):len(all)], s)
	set.current.Store(&more)
	set.count(1)
	set.unpark()
	return nil
}

// open opens a socket. It returns nil when that fails, or has failed within openPause.
// With mu held.
func (set *socketSet) open() *socket {
	address, ok := set.ep.address()
	now := set.ep.server.backend.Now()
	if !ok || set.failedAt != 0 && now-set.failedAt < openPause {
		return nil
	}
	conn, err := set.ep.server.backend.dial(set.local(), address)
	if set.failure = err; err == nil {
		if set.source == nil {
			set.ep.server.noteLocal(conn)
		}
		return newSocket(set, address.Addr(), conn)
	}
	set.failedAt = now
	set.ep.metrics.Count(metrics.ServerSocketErrors, 1)
	if set.source != nil && datagram.IsSourceGone(err) {
		set.ep.log.clientSourceMissing(set.source, err)
		return nil
	}
	if set.source == nil && set.ep.server.lacksSource(err) {
		set.ep.log.sourceMissing(slog.LevelError, cannotOpen, err)
		return nil
	}
	set.ep.log.failed.Log(func() logs.Line {
		return logs.Line{Log: set.ep.log.out, Level: slog.LevelError, Text: cannotOpen, Fields: []any{"address", address, "error", err, "hint", set.ep.server.hintOf(err)}}
	})
	return nil
}

// whyNone says why there is no socket to send with, or returns "" if there is one, or none was
// wanted yet.
func (set *socketSet) whyNone() string {
	set.mu.Lock()
	defer set.mu.Unlock()
	if set.failure == nil || len(*set.current.Load()) > 0 {
		return ""
	}
	return "no socket to it can be opened; " + set.ep.server.hintOf(set.failure)
}

const cannotOpen = "cannot open a socket to the server; its requests go to other servers or wait"

// park keeps an exchange for which no socket can be opened: it waits as if its server
// were silent, is tried again at each of its transmissions, and is sent at once when a
// socket is open. It has an Identifier of a parked socket, whose Conn is a nowhere.
func (set *socketSet) park(ex *Exchange) (reservation, error) {
	u, err := set.ep.admit(ex)
	if err != nil {
		return reservation{}, err
	}
	set.mu.Lock()
	defer set.mu.Unlock()
	if set.closed {
		return reservation{}, ErrNoSocket
	}
	for _, s := range set.parked {
		if it, ok := s.reserve(ex, u); ok {
			set.ep.addOutstanding(1)
			return it, nil
		}
	}
	if len(set.parked) >= set.ep.server.settings.Load().maxSockets {
		return reservation{}, ErrNoIdentifier
	}
	s := newSocket(set, netip.Addr{}, newNowhere())
	set.parked = append(set.parked, s)
	it, _ := s.reserve(ex, u)
	set.ep.addOutstanding(1)
	return it, nil
}

// unpark orders the parked requests to move to the sockets in use. With mu held.
func (set *socketSet) unpark() {
	if len(set.parked) == 0 {
		return
	}
	parked := set.parked
	set.parked = nil
	set.retired = append(set.retired, parked...)
	now := set.ep.server.backend.Now()
	for _, s := range parked {
		s.order(moveSocket|moveSocketWhenDue, now)
	}
	set.closeLater(parked)
}

// reopen tries to open a socket for the parked requests.
func (set *socketSet) reopen() {
	if none := set.current.Load(); len(*none) == 0 {
		_ = set.grow(none) // reported by open
	}
}

// mayNotRenew reports whether no socket may be opened to renew those in use. Where the
// limit is reached, a port may have one more for that, unless it is one of an expanded
// name. With mu held.
func (set *socketSet) mayNotRenew() bool {
	return set.ep.server.backend.atSocketLimit() && (len(set.retired) > 0 || set.ep.server.parent != nil)
}

func (set *socketSet) count(n int) {
	set.ep.metrics.AddSockets(n)
	set.ep.server.backend.sockets.Add(int64(n))
}

const (
	// renewPause is how soon after a renewal sockets are renewed again. While nothing is
	// heard the pause doubles; requests wait no longer than longestRenewPause: a silent port
	// with 64 sockets full of requests has at most 5 generations of them within the 31 s that
	// each still listens.
	renewPause        = time.Second
	longestRenewPause = 8 * time.Second

	// longestCheckPause is longestRenewPause for a port where nothing but checks is
	// unanswered: most likely its server is gone, and a new local port every few seconds
	// does not help. A request that is not answered has one opened as soon as ever.
	longestCheckPause = 5 * time.Minute
)

// renew replaces the sockets in use by one with a new local port and the current source
// address, unless that was done a moment ago. The old ones receive replies until their
// Identifiers are free; the requests that wait on them go to the new one when they are
// due. broken is set when sending fails: then renewPause after the last renewal is enough,
// and the wait does not grow. It reports whether the sockets were replaced.
func (set *socketSet) renew(broken bool) bool { return set.renewAfter(broken, longestRenewPause) }

// renewAfter is renew with another bound of the pause.
func (set *socketSet) renewAfter(broken bool, longest time.Duration) bool {
	old, ok := set.replaceUnlessRecent(broken, longest)
	if ok {
		set.orderRetired(old, moveSocketWhenDue)
	}
	return ok
}

// replaceUnlessRecent is replace, unless the sockets were renewed a moment ago.
func (set *socketSet) replaceUnlessRecent(broken bool, longest time.Duration) (old []*socket, ok bool) {
	set.mu.Lock()
	defer set.mu.Unlock()
	if set.ep.health.HeardSince(set.renewedAt) {
		set.renewWait = 0
	}
	wait := min(set.renewWait, longest)
	if broken {
		wait = renewPause
	}
	if set.renewedAt != 0 && set.ep.server.backend.Now()-set.renewedAt < wait {
		return nil, false
	}
	if set.mayNotRenew() {
		return nil, false
	}
	if old, ok = set.replace(false); ok {
		set.renewWait = min(max(2*set.renewWait, renewPause), longestCheckPause)
	}
	return old, ok
}

// maxRetired bounds how many retired sockets there are when refresh is called often.
const maxRetired = 8

// refresh renews the sockets whatever the port's health. The requests that wait on a port
// that is not up go to the new socket at once.
func (set *socketSet) refresh() {
	o := moveSocketLate
	if set.ep.health.State() != health.Up {
		o = moveSocketWhenDue | moveSocket
	}
	set.mu.Lock()
	var old []*socket
	n := len(set.retired)
	ok := n < maxRetired && !set.mayNotRenew()
	if ok {
		old, ok = set.replace(false)
	}
	set.mu.Unlock()
	if ok {
		set.orderRetired(old, o)
	}
}

// replace replaces the sockets in use by a new one, and retires and returns them. gone is
// set when their address is no longer the server's: then they are retired even if no
// socket can be opened. ok is false when nothing has changed. With mu held.
func (set *socketSet) replace(gone bool) (old []*socket, ok bool) {
	old = *set.current.Load()
	if set.closed || len(old) == 0 && len(set.parked) == 0 {
		return nil, false
	}
	var s *socket
	if set.source == nil || !set.ep.server.backend.atSocketLimit() { // there are as many sources as clients
		s = set.open()
	}
	if s == nil && !gone {
		return nil, false
	}
	set.renewedAt = set.ep.server.backend.Now()
	next := []*socket{}
	if s != nil {
		next = append(next, s)
	}
	set.current.Store(&next) // none, where the old address is gone and the new one cannot be reached
	set.ep.metrics.AddSockets(len(next) - len(old))
	set.ep.server.backend.sockets.Add(int64(len(next))) // the old ones are still open
	set.retired = append(set.retired, old...)
	set.closeLater(old)
	if s != nil {
		set.unpark()
		set.ep.metrics.Count(metrics.ServerRenewals, 1)
	}
	return old, true
}

// replaceForAddress replaces the sockets in use by one to the server's current address.
// The requests that wait go there at once.
func (set *socketSet) replaceForAddress() {
	set.mu.Lock()
	_, ok := set.replace(true)
	retired := slices.Clone(set.retired) // those retired before have an earlier address, too
	set.mu.Unlock()
	if ok {
		set.orderRetired(retired, moveSocket|moveSocketWhenDue)
	}
}

// orderRetired gives retired sockets an order, and closes those that are idle.
func (set *socketSet) orderRetired(retired []*socket, o orders) {
	now := set.ep.server.backend.Now()
	for _, s := range retired {
		s.order(o, now)
	}
	set.closeIdle()
}

// inBackground has another goroutine call f, and reports whether it does: it does not once
// the sockets are closed. close waits for f.
func (set *socketSet) inBackground(f func()) bool {
	set.mu.Lock()
	defer set.mu.Unlock()
	if !set.closed {
		set.closing.Go(f)
	}
	return !set.closed
}

// uses reports whether requests are sent on s now.
func (set *socketSet) uses(s *socket) bool { return slices.Contains(*set.current.Load(), s) }

// all returns all sockets: in use, retired and parked.
func (set *socketSet) all() []*socket {
	set.mu.Lock()
	defer set.mu.Unlock()
	all := append([]*socket(nil), *set.current.Load()...)
	return append(append(all, set.retired...), set.parked...)
}
