package udpback

import (
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
	ex     *Exchange // nil: none
	use    uint64    // of ex then; it may be another request by now
	trying bool      // it only tried the previous server
}

// slot is the state of one Identifier of a socket. Guarded by socket.mu.
type slot struct {
	state            slotState
	generation       uint32        // counts the uses that are over, so that a reference to an earlier use is noticed
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
