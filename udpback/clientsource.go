package udpback

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"radsec-gw/locks"
	"radsec-gw/udpback/datagram"
	"radsec-gw/wire"
)

// Source is a local address that requests of a client are sent from, instead of that of the
// server, and the secret that servers know it with. There is one for each address, secret,
// client and holder of a pool's address.
type Source struct {
	// static after construction
	Addr   netip.Addr
	Secret *wire.ServerSecret // nil: that of each server
	Client string             // the client that has acquired it, for the log

	holder []byte // whose the address is; see AcquireSource

	// guarded by sourceTable.mu
	claims     []Claim       // of those who have acquired and not released it
	releasedAt time.Duration // when the last did
}

// Why a request cannot be sent from its client's source.
var (
	// ErrNoSource says that this machine does not have the source, or that no server of the
	// group has an address of its family.
	ErrNoSource = errors.New("the client's source address cannot be used")
	// ErrSourceTaken says that the source is another certificate's.
	ErrSourceTaken = errors.New("the source address is that of another certificate, too")

	errSetClosed = errors.New("the sockets of the source were closed at rest")
)

// sourceTable has the sources that are in use, or were a short time ago. The zero table is
// empty.
type sourceTable struct {
	sets atomic.Int64 // socketSets of sources, of all endpoints

	mu       locks.Mutex[locks.Sources] // guards the fields below
	byAddr   map[netip.Addr][]*Source
	sweeping bool // a sweep is scheduled

	reclaiming atomic.Bool // reclaimSockets runs
}

// Claim says whether one who has acquired a source still means to use it. It must be
// comparable. A nil Claim is for as long as the source is not released.
type Claim interface {
	// Holds reports whether the configuration still gives its client this source. It is called
	// with a lock held, and must not wait.
	Holds(addr netip.Addr) bool
}

// isHeld reports whether somebody who has acquired the source still means to use it: the
// claims of others end with a reload, even if they send nothing after it. With
// sourceTable.mu held.
func (s *Source) isHeld() bool {
	return slices.ContainsFunc(s.claims, func(c Claim) bool { return c == nil || c.Holds(s.Addr) })
}

// AcquireSource returns the source of an address and a secret, nil for that of each server,
// until ReleaseSource with the same claim. holder is what the address was computed from: two
// certificates with one address cannot have it at the same time, and the second gets
// ErrSourceTaken (ID7).
func (b *Backend) AcquireSource(addr netip.Addr, secret *wire.ServerSecret, holder []byte, client string, claim Claim) (*Source, error) {
	t := &b.sources
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.byAddr[addr] {
		if !bytes.Equal(s.holder, holder) && s.isHeld() {
			return nil, ErrSourceTaken
		}
	}
	for _, s := range t.byAddr[addr] {
		if s.Client == client && s.Secret.Equal(secret) && bytes.Equal(s.holder, holder) {
			s.claims = append(s.claims, claim)
			return s, nil
		}
	}
	if t.byAddr == nil {
		t.byAddr = map[netip.Addr][]*Source{}
	}
	s := &Source{Addr: addr, Secret: secret, Client: client, holder: bytes.Clone(holder), claims: []Claim{claim}}
	t.byAddr[addr] = append(t.byAddr[addr], s)
	b.scheduleSweepOfSources()
	return s, nil
}

// ReleaseSource ends an AcquireSource. Requests in flight keep the source.
func (b *Backend) ReleaseSource(s *Source, claim Claim) {
	b.sources.mu.Lock()
	defer b.sources.mu.Unlock()
	// Not in order: all the connections of a client may have one source.
	last := len(s.claims) - 1
	s.claims[slices.Index(s.claims, claim)] = s.claims[last]
	s.claims[last] = nil
	s.claims = s.claims[:last]
	s.releasedAt = b.Now()
}

// CheckSource reports why requests cannot be sent from an address: it binds a socket to it
// (ID8).
func CheckSource(a netip.Addr) error {
	err := datagram.CheckSource(a)
	if err == nil {
		return nil
	}
	hint := ""
	if datagram.IsSourceGone(err) {
		hint = ": no interface of this machine has it; add it (ip addr add), or for an IPv6 prefix the route `ip -6 route add local PREFIX dev lo`"
	}
	return fmt.Errorf("cannot send from %s: %w%s", a, err, hint)
}

// sourceRest is how long the sockets of a source stay open without a request: longer than
// the schedule of a request, so that no Identifier is used again too soon (RFC 5080 §2.2.2),
// and than the pauses between the requests of a busy access point.
const sourceRest = 3 * time.Minute

// scheduleSweepOfSources has what is at rest closed in a while. With sources.mu held.
func (b *Backend) scheduleSweepOfSources() {
	if !b.sources.sweeping {
		b.sources.sweeping = true
		time.AfterFunc(sourceRest/3, b.sweepSources)
	}
}

// sweepSources closes the sockets of sources that are at rest, and forgets sources that
// nobody has. It is called again while there is anything left.
func (b *Backend) sweepSources() {
	now := b.Now()
	for _, e := range b.allEndpoints() {
		for source, set := range e.sources.all() {
			if now-time.Duration(set.usedAt.Load()) >= sourceRest && set.closeAtRest() {
				e.sources.remove(e, source, set)
			}
		}
	}
	t := &b.sources
	t.mu.Lock()
	defer t.mu.Unlock()
	for addr, list := range t.byAddr {
		list = slices.DeleteFunc(list, func(s *Source) bool { return len(s.claims) == 0 && now-s.releasedAt >= sourceRest })
		if len(list) == 0 {
			delete(t.byAddr, addr)
		} else {
			t.byAddr[addr] = list
		}
	}
	t.sweeping = false
	if len(t.byAddr) > 0 || t.sets.Load() > 0 {
		b.scheduleSweepOfSources()
	}
}

// spaceForSource reports whether a socket may be opened for a source. When the limit is
// near, those that are idle are closed in the background, the one that has been idle longest
// first, so that there is space for the next.
func (b *Backend) spaceForSource() bool {
	limit := b.socketLimit.Load()
	if limit == 0 {
		return true
	}
	open := b.sockets.Load()
	if open >= limit-limit/8 && b.sources.reclaiming.CompareAndSwap(false, true) {
		go b.reclaimSockets(int(max(1, limit/8)))
	}
	return open < limit
}

// reclaimSockets closes the sockets of at most n sources that have no Identifier in use, and
// opens some for requests that wait for one.
func (b *Backend) reclaimSockets(n int) {
	defer b.sources.reclaiming.Store(false)
	type candidate struct {
		e      *endpoint
		source *Source
		set    *socketSet
		usedAt int64
	}
	var all []candidate
	for _, e := range b.allEndpoints() {
		for source, set := range e.sources.all() {
			all = append(all, candidate{e, source, set, set.usedAt.Load()})
		}
	}
	slices.SortFunc(all, func(x, y candidate) int { return cmp.Compare(x.usedAt, y.usedAt) })
	for _, c := range all {
		if n > 0 && c.set.closeAtRest() {
			c.e.sources.remove(c.e, c.source, c.set)
			n--
		}
	}
	for _, c := range all {
		if c.set.isWaiting() {
			c.set.reopen()
		}
	}
}

// allEndpoints returns the ports of all servers.
func (b *Backend) allEndpoints() (all []*endpoint) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.servers {
		all = append(all, s.endpoints()...)
	}
	return all
}

// sourceSets has the sockets of one port for each source, made with its first request.
type sourceSets struct {
	sets   sync.Map    // *Source → *socketSet
	closed atomic.Bool // no set is made any more

	closing sync.WaitGroup // closes sockets in the background
}

// all ranges over the sets.
func (s *sourceSets) all() iter.Seq2[*Source, *socketSet] {
	return func(yield func(*Source, *socketSet) bool) {
		s.sets.Range(func(source, set any) bool { return yield(source.(*Source), set.(*socketSet)) })
	}
}

// remove removes a set that is closed.
func (s *sourceSets) remove(e *endpoint, source *Source, set *socketSet) {
	if s.sets.CompareAndDelete(source, set) {
		e.server.backend.sources.sets.Add(-1)
	}
}

// close closes the sockets of all sources, and waits for their goroutines.
func (s *sourceSets) close(e *endpoint) {
	s.closed.Store(true)
	for source, set := range s.all() {
		set.close()
		s.remove(e, source, set)
	}
	s.closing.Wait()
}

// setOf returns the sockets that requests from a source are sent on; nil is the server's
// own.
func (e *endpoint) setOf(source *Source) *socketSet {
	if source == nil {
		return &e.sockets
	}
	if set, ok := e.sources.sets.Load(source); ok {
		return set.(*socketSet)
	}
	set := new(socketSet)
	set.init(e, source)
	if had, loaded := e.sources.sets.LoadOrStore(source, set); loaded {
		return had.(*socketSet)
	}
	b := e.server.backend
	b.sources.sets.Add(1)
	b.sources.mu.Lock()
	b.scheduleSweepOfSources()
	b.sources.mu.Unlock()
	if e.sources.closed.Load() { // meanwhile
		set.close()
		e.sources.remove(e, source, set)
	}
	return set
}

// sets ranges over all sets of the port's sockets.
func (e *endpoint) sets() iter.Seq[*socketSet] {
	return func(yield func(*socketSet) bool) {
		if !yield(&e.sockets) {
			return
		}
		for _, set := range e.sources.all() {
			if !yield(set) {
				return
			}
		}
	}
}

// reserveOn reserves an Identifier on the sockets of the exchange's source. The error is
// ErrNoIdentifier, ErrNoSocket or ErrNoSource.
func (e *endpoint) reserveOn(ex *Exchange, u *usage) (reservation, error) {
	if ex.Source == nil {
		return e.sockets.reserve(ex, u)
	}
	if a := e.server.Address(); a.IsValid() && a.Is4() != ex.Source.Addr.Is4() {
		e.log.otherFamily(ex.Source)
		return reservation{}, ErrNoSource
	}
	for range maxSetRetries {
		set := e.setOf(ex.Source)
		set.usedAt.Store(int64(e.server.backend.Now()))
		r, err := set.reserve(ex, u)
		if err != errSetClosed {
			return r, err
		}
		e.sources.remove(e, ex.Source, set)
	}
	return reservation{}, ErrNoSocket
}

// maxSetRetries is how often the sockets of a source are looked up again when they were
// closed at that moment: once is enough, unless the port itself is being closed.
const maxSetRetries = 3

// local returns the address that the sockets are bound to; the zero Addr: the system
// chooses.
func (set *socketSet) local() netip.Addr {
	if set.source != nil {
		return set.source.Addr
	}
	return set.ep.server.source
}

// secret returns the secret that the server has for what is sent on the sockets.
func (set *socketSet) secret() *wire.ServerSecret {
	if set.source != nil && set.source.Secret != nil {
		return set.source.Secret
	}
	return set.ep.server.secret
}

// isKnown reports whether the server answers what is sent from the source: until it has
// done so once, it may not know the address, and its silence is not about other clients.
func (set *socketSet) isKnown() bool { return set.source == nil || set.heard.Load() }

// closeAtRest closes the sockets of a source on which no Identifier is in use, and reports
// whether these are all. Then nothing can be sent on them any more, and the set must be
// removed.
func (set *socketSet) closeAtRest() bool {
	set.mu.Lock()
	defer set.mu.Unlock()
	if set.closed || len(set.parked) > 0 {
		return set.closed
	}
	current := *set.current.Load()
	inUse := set.closeIdleOf(current)
	if len(inUse) < len(current) {
		set.current.Store(&inUse)
		set.ep.metrics.AddSockets(len(inUse) - len(current))
	}
	set.retired = set.closeIdleOf(set.retired)
	set.closed = len(inUse) == 0 && len(set.retired) == 0
	return set.closed
}

// closeIdleOf closes those of the sockets that are idle, in the background, and returns the
// others. With mu held.
func (set *socketSet) closeIdleOf(list []*socket) (inUse []*socket) {
	for _, s := range list {
		if !s.closeIfIdle() {
			inUse = append(inUse, s)
			continue
		}
		if !s.parked() {
			set.ep.server.backend.sockets.Add(-1)
		}
		set.ep.sources.closing.Go(s.close)
	}
	return inUse
}

// isWaiting reports whether requests wait for a socket.
func (set *socketSet) isWaiting() bool {
	set.mu.Lock()
	defer set.mu.Unlock()
	return len(set.parked) > 0 && !set.closed
}

// sourceGone retires the sockets of a source that cannot send, and tries a new one. If this
// machine no longer has the source, the requests that follow are refused until it is back; if
// only the server cannot be reached, they wait or go to others.
func (set *socketSet) sourceGone() {
	set.mu.Lock()
	old, ok := set.replace(true)
	set.mu.Unlock()
	if ok {
		set.orderRetired(old, moveSocketWhenDue)
	}
}
