package spool

import "time"

// index knows the order of all records, and what is left of each session. It keeps no packets
// and does no I/O.
//
// The records of one session are in its queue, in the order in which they happened, and one of
// them at a time is sent. Accounting-On and Accounting-Off are about all sessions of their NAS:
// they are in a queue of the NAS as a whole, which begins when its sessions have nothing left,
// and every later record of the NAS joins that queue until it is empty.
//
// A request that is on its way to a server without the spool is live. It counts as a
// predecessor of what follows it in its session, which goes to the spool meanwhile: so
// nothing overtakes it.
//
// Rules: SP5, SP7, SP8.
type index struct {
	items    slab[item]
	sessions slab[session]
	nases    slab[nas]

	byContent map[uint64]handle // items: the first of those that same links
	bySession map[uint64]handle
	byNAS     map[uint64]handle
	bySeq     map[uint64]handle // items that are in the store; nil: the store is not shared

	lanes  []*lane // by number
	laneOf map[string]uint16

	count  int   // of items
	octets int64 // of items
	replay int   // items that are being sent
}

func newIndex() *index {
	return &index{byContent: map[uint64]handle{}, bySession: map[uint64]handle{}, byNAS: map[uint64]handle{}, laneOf: map[string]uint16{}}
}

// item is one record.
type item struct {
	seq        uint64 // in the store
	order      int64  // when it happened, on the spool's clock
	content    uint64
	prev, next handle // in its session; 0: none
	session    handle
	same       handle // the next with the same content, or with a hash that is equal by chance; 0: none
	size       uint32 // octets in the store
	lane       uint16
	attempts   uint16 // that were not answered although the server answered others
	silences   uint8  // attempts after which nothing was answered, at most 255
	state      itemState
	rank       rank
	held       bool // its live request has not ended
	foreign    bool // that request is another gateway's
	resent     bool // it was sent before: a server may have it
}

type itemState uint8

const (
	itemStoring itemState = iota // it waits to be stored
	itemStored
	itemSending // it is in flight
	itemAside   // it is to be set aside
	itemGone    // a server has it: it is to be removed once it is stored
	itemRemoved // another gateway has removed it from the store: it is until its live request ends
)

// session has the records of one session, or of a NAS as a whole.
type session struct {
	key         uint64 // 0: it is a NAS as a whole
	liveContent uint64 // of the last live request
	notBefore   int64
	nas         handle
	first, last handle // items; 0: none
	place       int32  // in one of the heaps of its lane, from 1; 0: it is in none
	lane        uint16
	live        uint16 // requests
	waits       waits
}

// waits says what a session waits for whose first record was not answered.
type waits uint8

const (
	waitsForNothing waits = iota
	waitsForTime          // until its notBefore
	waitsForOthers        // until its notBefore, or until no other session of its lane has a record to send
)

// nas is what is known of a NAS while it has records or live requests.
type nas struct {
	key      uint64
	items    uint32 // of its sessions, not of whole
	live     uint32 // requests, those of whole included
	sessions uint32 // that exist, whole included
	whole    handle // session; 0: there is none
}

// sessionOf returns the session that a record with these marks belongs to. It makes one if
// necessary, which the caller must give a record or a live request, or drop.
func (x *index) sessionOf(m *Marks) handle {
	nh := x.byNAS[m.nas]
	if nh == 0 {
		nh = x.nases.add()
		x.nases.at(nh).key = m.nas
		x.byNAS[m.nas] = nh
	}
	n := x.nases.at(nh)
	if m.rank == rankWhole || n.whole != 0 {
		if n.whole == 0 {
			n.whole = x.newSession(0, nh)
		}
		return n.whole
	}
	sh := x.bySession[m.session]
	if sh == 0 {
		sh = x.newSession(m.session, nh)
		x.bySession[m.session] = sh
	}
	return sh
}

func (x *index) newSession(key uint64, nh handle) handle {
	sh := x.sessions.add()
	s := x.sessions.at(sh)
	s.key, s.nas = key, nh
	x.nases.at(nh).sessions++
	return sh
}

// dropIfEmpty removes a session that has neither records nor live requests, and its NAS
// with the last session.
func (x *index) dropIfEmpty(sh handle) {
	s := x.sessions.at(sh)
	if s.first != 0 || s.live > 0 {
		return
	}
	if s.place != 0 {
		x.lanes[s.lane].leave(x, s)
	}
	nh := s.nas
	n := x.nases.at(nh)
	if n.whole == sh {
		n.whole = 0
	} else {
		delete(x.bySession, s.key)
	}
	x.sessions.remove(sh)
	if n.sessions--; n.sessions == 0 {
		delete(x.byNAS, n.key)
		x.nases.remove(nh)
	}
}

// begin begins a live request. It reports false if the request must not be live, because
// something of its session is left to be sent before it.
func (x *index) begin(m *Marks) (live handle, ok bool) {
	sh := x.sessionOf(m)
	s := x.sessions.at(sh)
	n := x.nases.at(s.nas)
	switch {
	case s.first != 0, s.live == ^uint16(0):
	case n.whole == sh && (n.items > 0 || n.live > 0):
	case s.live > 0 && s.liveContent != m.content: // a copy of the same record needs no order
	default:
		s.live++
		s.liveContent = m.content
		n.live++
		return sh, true
	}
	x.dropIfEmpty(sh)
	return 0, false
}

// end ends a live request.
func (x *index) end(live handle) {
	s := x.sessions.at(live)
	n := x.nases.at(s.nas)
	s.live--
	n.live--
	whole := n.whole
	x.update(live)
	if whole != 0 && whole != live {
		x.update(whole)
	}
	x.dropIfEmpty(live)
}

// orderSlack is how much the time at which a record happened may be off: Acct-Delay-Time is
// in whole seconds.
const orderSlack = time.Second

// mostSteps is how many records of its session a new one can go before: a client that sends
// them with ever longer delays must not keep the spool busy.
const mostSteps = 1000

// add adds a record that is to be stored, at its place in its session.
func (x *index) add(m *Marks, at int64, lane uint16, size int) handle {
	sh := x.sessionOf(m)
	h := x.items.add()
	it := x.items.at(h)
	it.order, it.content, it.session, it.size, it.lane, it.rank = at-int64(m.delay), m.content, sh, uint32(size), lane, m.rank
	s := x.sessions.at(sh)
	after := s.last
	for steps := 0; after != 0 && steps < mostSteps && x.precedes(it, x.items.at(after), m.delay > 0); steps++ {
		after = x.items.at(after).prev
	}
	x.link(s, h, after)
	it.same = x.byContent[m.content]
	x.byContent[m.content] = h
	if n := x.nases.at(s.nas); n.whole != sh {
		n.items++
	}
	x.count++
	x.octets += int64(size)
	x.lanes[lane].records++
	x.update(sh)
	return h
}

// precedes reports whether a new record goes before one of its session. One that is being
// sent, or was, stays first.
func (x *index) precedes(it, other *item, sentLate bool) bool {
	switch {
	case other.state == itemSending, other.state == itemAside, other.attempts > 0:
		return false
	case it.order < other.order:
		return !(sentLate && other.order-it.order < int64(orderSlack) && it.rank > other.rank)
	}
	return sentLate && it.order-other.order < int64(orderSlack) && it.rank < other.rank
}

// link puts an item into a session after another, or first.
func (x *index) link(s *session, h, after handle) {
	it := x.items.at(h)
	it.prev, it.next = after, s.first
	if after != 0 {
		it.next = x.items.at(after).next
		x.items.at(after).next = h
	} else {
		s.first = h
	}
	if it.next != 0 {
		x.items.at(it.next).prev = h
	} else {
		s.last = h
	}
}

// remove removes a record.
func (x *index) remove(h handle) {
	it := x.items.at(h)
	sh := it.session
	s := x.sessions.at(sh)
	n := x.nases.at(s.nas)
	if it.prev != 0 {
		x.items.at(it.prev).next = it.next
	} else {
		s.first = it.next
	}
	if it.next != 0 {
		x.items.at(it.next).prev = it.prev
	} else {
		s.last = it.prev
	}
	x.count--
	x.octets -= int64(it.size)
	x.lanes[it.lane].records--
	x.unlinkContent(h)
	if x.bySeq[it.seq] == h {
		delete(x.bySeq, it.seq)
	}
	if n.whole != sh {
		n.items--
	}
	x.items.remove(h)
	whole := n.whole
	x.update(sh)
	if whole != 0 && whole != sh {
		x.update(whole)
	}
	x.dropIfEmpty(sh)
}

// unlinkContent removes a record from those with the same content.
func (x *index) unlinkContent(h handle) {
	it := x.items.at(h)
	p := x.byContent[it.content]
	switch {
	case p != h:
		for x.items.at(p).same != h {
			p = x.items.at(p).same
		}
		x.items.at(p).same = it.same
	case it.same != 0:
		x.byContent[it.content] = it.same
	default:
		delete(x.byContent, it.content)
	}
}

// update puts a session into the heap of its lane, or out of it, whichever its first record
// demands. It is called after everything that may change that.
func (x *index) update(sh handle) {
	s := x.sessions.at(sh)
	if s.waits != waitsForNothing {
		return
	}
	if s.place != 0 {
		x.lanes[s.lane].leave(x, s)
	}
	if s.first == 0 || s.live > 0 {
		return
	}
	it := x.items.at(s.first)
	n := x.nases.at(s.nas)
	if it.state != itemStored || it.held || n.whole == sh && (n.items > 0 || n.live > 0) {
		return
	}
	s.lane = it.lane
	x.lanes[s.lane].join(x, sh)
}

// number notes that a record has the number of the store.
func (x *index) number(h handle) {
	if x.bySeq != nil {
		x.bySeq[x.items.at(h).seq] = h
	}
}

// stored notes that a record is in the store.
func (x *index) stored(h handle) {
	it := x.items.at(h)
	it.state = itemStored
	x.update(it.session)
}

// release ends the wait of a record for its live request.
func (x *index) release(h handle) {
	it := x.items.at(h)
	it.held = false
	x.update(it.session)
}

// replacedBy returns the Interim-Updates of a record's session that it makes superfluous: all
// before it that are stored and not being sent.
//
// Rules: SP8.
func (x *index) replacedBy(h handle) (old []handle) {
	it := x.items.at(h)
	if it.rank != rankInterim && it.rank != rankStop {
		return nil
	}
	for p := it.prev; p != 0; p = x.items.at(p).prev {
		o := x.items.at(p)
		if o.rank != rankInterim {
			break
		}
		if o.state == itemStored && !o.held {
			old = append(old, p)
		}
	}
	return old
}

// find returns the record with the content and with the number in the store; 0: there is none.
func (x *index) find(content, seq uint64) handle {
	h := x.byContent[content]
	for h != 0 && x.items.at(h).seq != seq {
		h = x.items.at(h).same
	}
	return h
}

// copies appends the numbers of the records with the content that no server is known to have.
func (x *index) copies(list []uint64, content uint64) []uint64 {
	for h := x.byContent[content]; h != 0; h = x.items.at(h).same {
		if st := x.items.at(h).state; st != itemGone && st != itemRemoved {
			list = append(list, x.items.at(h).seq)
		}
	}
	return list
}
