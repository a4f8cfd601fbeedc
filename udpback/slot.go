package udpback

import (
	"sync"
	"sync/atomic"
	"time"

	"radsec-gw/wire"
)

// slotState is the state of one Identifier of one socket.
//
//	            1 reserve                    3 begin
//	┌──────┐ ────────────▶ ┌──────────┐ ────────────▶ ┌─────────┐
//	│ free │               │ reserved │               │ waiting │ ◀────┐
//	└──────┘ ◀──────────── └──────────┘               └─────────┘      │
//	 ▲  ▲  ▲    2 release                               │  │  │        │
//	 │  │  └──────────────── 4 free ────────────────────┘  │  │        │
//	 │  │                                                  │  │        │
//	 │  │     8 free       ┌───────────┐    5 abandon      │  │        │
//	 │  └───────────────── │ abandoned │ ◀─────────────────┘  │        │
//	 │                     └───────────┘                      │ 6      │ 7
//	 │                       ▲                                │ begin- │ undo-
//	 │                       │ 7 finishMove                   │ Move   │ Move
//	 │         7 free      ┌────────┐                         │        │
//	 └──────────────────── │ moving │ ◀───────────────────────┘        │
//	                       └────────┘ ─────────────────────────────────┘
//
// Each step is made with socket.mu held; most need no other lock:
//
//  1. Whoever starts or moves a request reserves a slot, by socketSet.reserve: the goroutine
//     of a connection, a sweep (with its own socket's sweeping), or a reader.
//  2. The same releases it when the owner could not write the request, or Batch.Flush
//     when the socket was closed meanwhile. Nothing was sent.
//  3. Batch.Flush begins the schedule, and sends.
//  4. A reader frees it after a valid reply; the sweep when the schedule is over.
//  5. Whoever cancels the exchange, or the reader of another socket that has its reply,
//     abandons it; the sweep does when nothing listens on the port.
//  6. The sweep takes the exchange out, with sweeping held from here until 7, so that
//     close waits for it.
//  7. The sweep abandons the slot when the request has moved. It frees it when nothing was
//     sent on it (the socket is parked), or when the request could not move and no
//     transmission is left. It makes it wait again when the request could not move.
//  8. A reader frees it after a valid reply; the sweep when the schedule is over.
//
// close frees all that are not reserved. All that are neither free nor uncounted are among
// the endpoint's outstanding.
type slotState uint8

const (
	slotFree      slotState = iota // may be given out
	slotReserved                   // its packet is being written or waits in a batch
	slotWaiting                    // sent; the schedule runs
	slotMoving                     // its exchange is being started on another server or socket
	slotAbandoned                  // no exchange waits, but the server may still answer
)

// previous is an exchange that has moved from a slot to another server. A valid reply to
// the slot still ends it, as long as it waits.
type previous struct {
	ex       *Exchange // nil: none
	use      uint64    // of ex then; it may be another request by now
	trying   bool      // it only tried the previous server
	asksNext bool      // after a Reject it goes to the next server
}

// slot is the state of one Identifier of a socket. Guarded by socket.mu.
type slot struct {
	state            slotState
	generation       uint32        // number of this use on its socket, so that a reference to an earlier use is noticed; 0: free
	code             wire.Code     // of the request
	sends            int32         // transmissions so far
	overdue          bool          // counted against the port's health
	resentAfterError bool          // it was sent again before it was due, because the server had been unreachable
	sentEarly        bool          // one of its transmissions was early: see planEarly
	uncounted        bool          // it is no longer among the port's outstanding
	sent             [16]byte      // the Request Authenticator as sent
	packet           []byte        // the octets as sent, from the buffers; nil when it is abandoned
	ex               *Exchange     // nil once abandoned
	previous         previous      // the exchange that moved on from here, if one did
	usage            *usage        // of the client that took it; nil: not counted
	firstSent        time.Duration // when it was first sent
	lastSent         time.Duration // when it was last sent
	moveAt           time.Duration // when it looks for another server although it is not due; 0: never
	earlyAt          time.Duration // when it is sent early, because its server answers again; 0: never
	wait             time.Duration // the current RT
	due              time.Duration // when the wait is over
	expires          time.Duration // when the schedule is over
}

// next returns when a sweep must check the slot again.
func (sl *slot) next() time.Duration {
	next := sl.due
	for _, at := range [...]time.Duration{sl.moveAt, sl.earlyAt} {
		if at != 0 {
			next = min(next, at)
		}
	}
	return next
}

// stopSending keeps the Identifier taken until the end of the schedule, and sends nothing
// more.
func (sl *slot) stopSending() { sl.due, sl.moveAt, sl.earlyAt = sl.expires, 0, 0 }

// reserve reserves a free Identifier for ex. It reports false when all 256 are in use, or
// the socket is closed.
func (s *socket) reserve(ex *Exchange, u *usage) (reservation, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return reservation{}, false
	}
	id, ok := s.ids.acquire()
	if !ok {
		return reservation{}, false
	}
	sl := s.takeSlot(id)
	sl.state, sl.ex, sl.code, sl.sends, sl.overdue, sl.uncounted, sl.sentEarly, sl.earlyAt = slotReserved, ex, ex.Code, 0, false, false, false, 0
	ex.ep = s.ep
	sl.usage = u
	sl.usage.add(1)
	return reservation{socket: s, id: id, generation: sl.generation}, true
}

// begin fills the slots of requests that are about to be sent with what will
// be sent, and begins their schedules; Cancel finds them from now on. It returns the
// exchanges of reservations that are lost because the socket is closed.
func (s *socket) begin(items []reservation, now time.Duration) (lost []*Exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range items {
		it := &items[i]
		if s.closed {
			lost = append(lost, s.free(it.id))
			continue
		}
		sl := s.slot(it.id)
		sl.packet = s.ep.server.backend.Buffers.Copy(it.packet)
		sl.sent = [16]byte(it.packet[4:20])
		sch := s.schedule(sl)
		sl.state, sl.sends, sl.firstSent, sl.lastSent = slotWaiting, 1, now, now
		sl.expires = now + sch.Duration
		if sl.ex.deadline != 0 { // the clock keeps running over a move (RFC 5080 §2.2.1)
			sl.expires = min(sl.expires, sl.ex.deadline)
		}
		sl.wait = sch.first(jitter())
		b := sl.ex.prior
		sl.ex.prior = priorSchedule{} // the next server begins a new schedule
		if b.sends > 0 {
			sl.firstSent, sl.overdue, sl.sentEarly = b.first, b.overdue, b.sentEarly
		}
		if b.sends > 0 && b.due == 0 {
			sl.sends, sl.wait = b.sends+1, sch.next(b.wait, jitter())
		}
		sl.due = min(now+sl.wait, sl.expires)
		if sl.resentAfterError = b.due > 0; sl.resentAfterError {
			sl.sends, sl.wait, sl.due = b.sends, b.wait, min(b.due, sl.expires)
		}
		s.extendLastWait(sl)
		if sl.ex.firstSent == 0 && !s.parked() {
			sl.ex.firstSent = now
		}
		sl.moveAt = sl.ex.moveAt(now)
		if !sl.ex.setSlot(s, it.id, sl.generation) { // cancelled: it is not resent
			sl.stopSending()
		}
		s.arm(sl.next(), now)
		s.observeSent(sl, StepSent)
	}
	return lost
}

// release frees a reserved Identifier on which nothing was sent.
func (s *socket) release(id wire.ServerID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free(id)
}

// free ends a slot's use and returns its exchange. With mu held.
func (s *socket) free(id wire.ServerID) *Exchange {
	sl := s.slot(id)
	ex := sl.ex
	if ex != nil {
		ex.sends += s.sendsOf(sl)
	}
	s.ep.server.backend.Buffers.Return(sl.packet)
	sl.usage.add(-1)
	sl.state, sl.generation, sl.ex, sl.packet, sl.usage, sl.previous = slotFree, 0, nil, nil, nil, previous{}
	s.returnSlot(id)
	s.ids.release(id)
	return ex
}

// abandon stops the schedule of a slot that waits for ex. The Identifier stays
// taken until a valid reply or the schedule's end (RFC 5080 §2.2.2).
func (s *socket) abandon(id wire.ServerID, generation uint32, ex *Exchange) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	sl := s.slot(id)
	if sl.ex != ex || sl.generation != generation {
		return false
	}
	ex.sends += s.sendsOf(sl)
	s.abandonSlot(sl)
	return true
}

// abandonSlot removes the exchange from a slot, which stays taken. With mu held.
func (s *socket) abandonSlot(sl *slot) {
	s.ep.server.backend.Buffers.Return(sl.packet)
	sl.state, sl.ex, sl.packet = slotAbandoned, nil, nil
	sl.stopSending()
}

// schedule returns the schedule of the slot's exchange. With mu held.
func (s *socket) schedule(sl *slot) *Schedule {
	if sl.ex.schedule != nil {
		return sl.ex.schedule
	}
	return &s.ep.server.settings.Load().schedule
}

// extendLastWait makes a request whose transmissions are used up wait until the end of its
// schedule if one of them was early: it must not fail sooner because of that. With mu
// held.
func (s *socket) extendLastWait(sl *slot) {
	if sl.sentEarly && int(sl.sends) >= s.schedule(sl).Count {
		sl.due = sl.expires
	}
}

// sendsOf returns how often a slot's request was really sent. With mu held.
func (s *socket) sendsOf(sl *slot) int {
	if s.parked() {
		return 0
	}
	return int(sl.sends)
}

// identifiers hands out the 256 Identifiers of one socket, the longest unused
// first: an Identifier is used again as late as the load allows (RFC 5080 §2.2.2, RFC
// 2865 §2.5).
type identifiers struct {
	ring [256]wire.ServerID // the free ones, oldest at head
	head uint8
	free int
}

func (q *identifiers) init() {
	for i := range q.ring {
		q.ring[i] = wire.ServerID(i)
	}
	q.free = len(q.ring)
}

// acquire returns the Identifier that has been free longest; false when all are in use.
func (q *identifiers) acquire() (wire.ServerID, bool) {
	if q.free == 0 {
		return 0, false
	}
	id := q.ring[q.head]
	q.head++
	q.free--
	return id, true
}

// release puts an Identifier behind all free ones.
func (q *identifiers) release(id wire.ServerID) {
	q.ring[q.head+uint8(q.free)] = id
	q.free++
}

// Quota counts the Identifiers that one client holds at each port, those included whose
// request it has given up: an Identifier stays taken until a valid reply or its
// schedule's end (RFC 5080 §2.2.2). The zero value is ready for use.
type Quota struct{ ports sync.Map } // *endpoint: *usage

// usage counts how many Identifiers one client holds at one port.
type usage struct{ n atomic.Int64 }

// at returns the usage of the client at a port; nil when the client is not counted.
func (q *Quota) at(e *endpoint) *usage {
	if q == nil {
		return nil
	}
	if u, ok := q.ports.Load(e); ok {
		return u.(*usage)
	}
	u, known := q.ports.LoadOrStore(e, new(usage))
	if !known {
		q.removeClosed()
	}
	return u.(*usage)
}

// removeClosed removes the ports that are closed, so that the memory for servers that
// were removed is freed. Slots of such a port keep their usage.
func (q *Quota) removeClosed() {
	q.ports.Range(func(e, _ any) bool {
		if e.(*endpoint).sockets.isClosed() {
			q.ports.Delete(e)
		}
		return true
	})
}

// exceeds reports whether the client holds its share of the port: when only a quarter of
// the Identifiers is free, a client may hold no more Identifiers than are free. The limit
// shrinks with everything that others hold, so that a client that holds few finds some
// free, however many clients hold many.
func (u *usage) exceeds(outstanding, capacity int64) bool {
	return u != nil && outstanding >= capacity*3/4 && u.n.Load() >= max(1, capacity-outstanding)
}

// add changes how many Identifiers the client holds; a nil usage counts nothing.
func (u *usage) add(n int64) {
	if u != nil {
		u.n.Add(n)
	}
}
