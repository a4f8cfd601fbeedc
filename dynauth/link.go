package dynauth

import (
	"math/rand/v2"
	"net/netip"
	"sync/atomic"
	"time"

	"radsec-gw/locks"
	"radsec-gw/metrics"
	"radsec-gw/rules"
	"radsec-gw/wire"
)

// Peer is the client's end of a connection.
type Peer interface {
	// Send queues one packet. It reports false if the connection ends. It may be called from
	// any goroutine, does not block and does not keep p.
	Send(p []byte) bool
	// Flush writes what is queued; it does not block.
	Flush()
	// Ended returns why the connection ends, after Send has reported false.
	Ended() metrics.Reason
}

// LinkConfig describes a connection.
type LinkConfig struct {
	Peer   Peer
	Remote netip.AddrPort
	Local  netip.AddrPort // of the gateway; invalid: not known
	V11    bool           // RADIUS/1.1
	DTLS   bool           // RADIUS/DTLS
	Device string         // identifies the device at the other end: its certificate, or else its address
	// Source returns the address that servers know it by, as configured now; the zero Addr:
	// none of its own. It may be nil.
	Source func() netip.Addr
	Facts  func() *rules.Facts // for attribute rules
}

// Link is one RadSec connection, down which requests can be sent. Arrived is called by the
// connection's read loop, and so are the methods of Replies; the others by any goroutine.
type Link struct {
	// static after construction
	server     *Server
	client     *Client
	Remote     netip.AddrPort
	Local      netip.AddrPort
	V11        bool
	DTLS       bool
	Device     string
	clientHash key
	deviceHash key

	config atomic.Pointer[LinkConfig] // nil after Close: a NAS that has used the Link may be remembered for long
	closed atomic.Bool
	reason atomic.Int32 // a metrics.Reason: why it has closed
	used   atomic.Int64 // when a request of the client came last, on the server's clock
	live   atomic.Int32 // requests sent down it, or about to be, and not answered

	carried atomic.Pointer[NAS] // the NAS whose request came last; nil: none yet
	several atomic.Bool         // it has carried more than one
	facts   atomic.Pointer[rules.Facts]

	// owned by the read loop
	lastHash  key           // of the names in the last request
	lastClaim time.Duration // when they were claimed

	mu    locks.Mutex[locks.Link] // guards the fields below
	ended bool
	slots []slot // in use, and those of requests that were not answered in time
	last  uint32 // the Identifier or Token that was used last
	// overdue has the Identifiers of requests that were not answered in time: an answer may
	// still come, when another request has the Identifier.
	overdue idSet

	// guarded by Client.mu
	leaving bool       // it is about to close: see Keep
	source  netip.Addr // that servers know it by; the zero Addr: none
}

// slot is an Identifier or Token of a connection that is in use.
type slot struct {
	id    wire.ReverseID
	state slotState
	seq   uint64    // of the request
	code  wire.Code // likewise
	sent  [16]byte  // its Request Authenticator; not used in RADIUS/1.1
	req   *request  // while it is sent
	// secret is the client's when it was sent, whatever a reload changes meanwhile.
	secret *wire.ClientSecret
}

// slotState is what has become of a request with an Identifier. The order is that of its life:
//
//	reserved → sent → (removed, by who takes it)
//	reserved → overdue, when its deadline has passed before it was sent
//	sent → late, when it was not answered in time: the Identifier is not used again while there
//	are others, so that a late answer is recognized
type slotState uint8

const (
	slotReserved slotState = iota
	slotOverdue
	slotSent
	slotLate
)

// idSet is a set of Identifiers.
type idSet [4]uint64

func (s *idSet) add(id byte)      { s[id>>6] |= 1 << (id & 63) }
func (s *idSet) remove(id byte)   { s[id>>6] &^= 1 << (id & 63) }
func (s *idSet) has(id byte) bool { return s[id>>6]>>(id&63)&1 != 0 }

// maxSlots is how many requests a connection may have, unanswered and late together: an
// Identifier has one octet (RFC 2865 §3).
const maxSlots = 256

// Open returns the Link of a new connection of a client.
func (s *Server) Open(c *Client, cfg LinkConfig) *Link {
	h := &s.learned.hasher
	l := &Link{server: s, client: c, Remote: cfg.Remote, Local: cfg.Local, V11: cfg.V11, DTLS: cfg.DTLS, Device: cfg.Device,
		clientHash: h.key(kindNASIdentifier, []byte(c.name)), deviceHash: h.key(kindAddress, []byte(cfg.Device))}
	l.config.Store(&cfg)
	l.last = rand.Uint32() // RFC 9765 §4.2.1
	l.used.Store(int64(s.now()))
	l.source = cfg.sourceNow()
	if others := s.others.Load(); c.addLink(l) && others != nil && c.Reverse() {
		(*others).Here(c.shared)
	}
	return l
}

// sourceNow returns the address that servers know the connection by.
func (c *LinkConfig) sourceNow() netip.Addr {
	if c.Source == nil {
		return netip.Addr{}
	}
	return c.Source().Unmap()
}

// SetSource changes the address that servers know the connection by; the zero Addr: none of its
// own.
func (l *Link) SetSource(a netip.Addr) {
	a = a.Unmap()
	l.client.mu.Lock()
	defer l.client.mu.Unlock()
	if _, open := l.client.links[l]; !open || a == l.source {
		return
	}
	removeFrom(l.client.bySource, l.source, l)
	if l.source = a; a.IsValid() {
		l.client.bySource[a] = append(l.client.bySource[a], l)
	}
}

// send queues a packet for the client. It reports false if the connection ends.
func (l *Link) send(p []byte) bool {
	cfg := l.config.Load()
	return cfg != nil && cfg.Peer.Send(p)
}

// flush writes what is queued.
func (l *Link) flush() {
	if cfg := l.config.Load(); cfg != nil {
		cfg.Peer.Flush()
	}
}

// ruleFacts returns the facts of the connection for attribute rules.
func (l *Link) ruleFacts() *rules.Facts {
	f := l.facts.Load()
	if f != nil {
		return f
	}
	cfg := l.config.Load()
	if cfg == nil || cfg.Facts == nil {
		return new(rules.Facts)
	}
	f = cfg.Facts()
	l.facts.Store(f)
	return f
}

// Outstanding returns how many requests were sent down the connection, or are about to be, that
// are neither answered nor given up. It may be called from any goroutine.
func (l *Link) Outstanding() int { return int(l.live.Load()) }

// reserve reserves an Identifier or Token for a request, and reports false if there is none: the
// connection is full, or has ended. The Request Authenticator is set by commit.
func (l *Link) reserve(req *request) (id wire.ReverseID, full, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended || int(l.live.Load()) >= maxSlots {
		return 0, !l.ended, false
	}
	place := len(l.slots)
	switch {
	case place < maxSlots:
		id = l.nextID()
		l.slots = append(l.slots, slot{})
	case l.V11:
		id, place = l.nextID(), l.oldestLate()
	default:
		place = l.oldestLate()
		id = l.slots[place].id
	}
	l.slots[place] = slot{id: id, seq: req.seq, code: req.view.Code()}
	l.live.Add(1)
	return id, false, true
}

// nextID returns the next free Identifier, or Token. With mu held; a slot is free.
func (l *Link) nextID() wire.ReverseID {
	for {
		l.last++
		id := wire.ReverseID(l.last)
		if !l.V11 {
			id &= 0xff
		}
		if l.find(id) < 0 {
			return id
		}
	}
}

// find returns the place of the slot with an Identifier or Token, -1 if there is none. With
// mu held.
func (l *Link) find(id wire.ReverseID) int {
	for i := range l.slots {
		if l.slots[i].id == id {
			return i
		}
	}
	return -1
}

// oldestLate returns the place of the late request that was sent first. With mu held; there
// is one.
func (l *Link) oldestLate() (oldest int) {
	oldest = -1
	for i := range l.slots {
		if l.slots[i].state == slotLate && (oldest < 0 || l.slots[i].seq < l.slots[oldest].seq) {
			oldest = i
		}
	}
	return oldest
}

// commit records that a request is about to be sent as packet. From then on it belongs to
// whoever takes it. It reports false if it must not be sent: the connection has ended, or, if
// overdue, its deadline has passed.
func (l *Link) commit(req *request, packet []byte) (overdue, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := l.find(req.id)
	if i < 0 { // Close has removed it
		return false, false
	}
	s := &l.slots[i]
	if s.state == slotOverdue {
		l.live.Add(-1)
		l.remove(i)
		return true, false
	}
	s.state, s.req, s.secret = slotSent, req, l.secretOf(req.client)
	copy(s.sent[:], packet[4:20])
	return false, true
}

// cancel ends a request that was reserved and is not sent.
func (l *Link) cancel(id wire.ReverseID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := l.find(id); i >= 0 {
		l.live.Add(-1)
		l.remove(i)
	}
}

// take ends a request that was sent, and returns it: who has taken it owns it. It returns nil if
// it has ended already.
func (l *Link) take(id wire.ReverseID, seq uint64) *request {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := l.find(id)
	if i < 0 || l.slots[i].seq != seq || l.slots[i].state != slotSent {
		return nil
	}
	req := l.slots[i].req
	l.live.Add(-1)
	l.remove(i)
	return req
}

// settle ends a request that was late, when its answer has come: its Identifier is free, and in
// no doubt.
func (l *Link) settle(id wire.ReverseID, seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := l.find(id); i >= 0 && l.slots[i].seq == seq && l.slots[i].state == slotLate {
		l.overdue.remove(byte(id))
		l.remove(i)
	}
}

// takeLate is take for a request whose deadline has passed.
func (l *Link) takeLate(id wire.ReverseID, seq uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := l.find(id)
	if i < 0 || l.slots[i].seq != seq {
		return false
	}
	switch s := &l.slots[i]; s.state {
	case slotReserved:
		s.state = slotOverdue
	case slotSent:
		s.state, s.req = slotLate, nil
		l.overdue.add(byte(s.id))
		l.live.Add(-1)
		return true
	}
	return false
}

// remove removes a slot. With mu held.
func (l *Link) remove(i int) {
	last := len(l.slots) - 1
	l.slots[i] = l.slots[last]
	l.slots[last] = slot{}
	l.slots = l.slots[:last]
}

// Keep reports whether the connection must stay open although it is idle: requests may be
// sent down it, and its device has no other connection that stays (RC17).
func (l *Link) Keep() bool {
	if !l.client.Reverse() {
		return false
	}
	l.client.mu.Lock()
	defer l.client.mu.Unlock()
	for _, other := range l.client.byDevice[l.Device] {
		if other != l && !other.closed.Load() && !other.leaving {
			l.leaving = true
			return false
		}
	}
	return true
}

// Close ends the Link; a second call does nothing. Requests that wait for an answer get none, and their sender may send
// them again (RFC 6614bis §4.2).
func (l *Link) Close() {
	cfg := l.config.Load()
	if cfg == nil {
		return
	}
	l.reason.Store(int32(cfg.Peer.Ended()))
	l.client.removeLink(l)
	l.closed.Store(true)
	l.mu.Lock()
	l.ended = true
	slots := l.slots
	l.slots = nil
	l.live.Store(0)
	l.mu.Unlock()
	fate := l.lostFate()
	for i := range slots {
		if slots[i].state == slotSent {
			l.server.lost(slots[i].req, fate)
		}
	}
	l.config.Store(nil)
	l.facts.Store(nil)
}

// lostFate returns the fate of a request whose connection ends.
func (l *Link) lostFate() metrics.Fate {
	reason := metrics.Reason(l.reason.Load())
	if cfg := l.config.Load(); cfg != nil {
		reason = cfg.Peer.Ended()
	}
	switch reason {
	case metrics.ClosedNotReading:
		return metrics.FateClientNotReading
	case metrics.ClosedShutdown:
		return metrics.FateShutdown
	}
	return metrics.FateClientGone
}
