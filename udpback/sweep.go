package udpback

import (
	"time"

	"radsec-gw/config/defaults"
	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// sweepGrain is how much earlier than due a resend or a move may go, so that requests
// that fall due one after the other share a sweep and a system call.
const sweepGrain = 5 * time.Millisecond

// longestPostponed bounds how long a sweep waits until the datagrams that have arrived
// are read.
const longestPostponed = time.Second

// dueWork is what a sweep has to do: it is found with socket.mu held, and done without
// it.
type dueWork struct {
	socket     *socket
	hasher     *wire.Hasher
	touched    Touched
	packets    [][]byte        // copies to send again, from the buffers
	timedOut   []*Exchange     // whose schedule is over
	refused    []*Exchange     // CoA and Disconnect to a port that nothing listens on
	moving     []mover         // that go to another server or socket
	silent     []time.Duration // when requests that fell due were first sent
	unanswered []time.Duration // when requests that are overdue were first sent
	freed      int             // slots that were among the port's outstanding
	parkedDue  bool            // a parked request fell due
	resent     bool            // a request fell due, and stays with its server
	unknown    bool            // the server answers others, and has never answered this source
}

// release returns the copies to the buffers, and w itself to its pool.
func (w *dueWork) release(b *Backend) {
	for i, p := range w.packets {
		b.Buffers.Return(p)
		w.packets[i] = nil
	}
	clear(w.timedOut)
	clear(w.moving)
	clear(w.refused)
	w.socket = nil
	w.packets, w.timedOut, w.moving, w.freed, w.parkedDue, w.resent, w.unknown = w.packets[:0], w.timedOut[:0], w.moving[:0], 0, false, false, false
	w.silent, w.unanswered, w.refused = w.silent[:0], w.unanswered[:0], w.refused[:0]
	b.dueWork.Put(w)
}

// run resends the requests that are due, and ends those whose schedule is over (RFC 5080
// §2.2.1). It checks all 256 slots, which is cheaper than a timer or a heap entry for
// each request, because most requests are answered before they are due.
//
//  1. Datagrams that have arrived are read before any request is given up.
//  2. Where sending fails, or nothing is heard, another socket or address is tried.
//  3. Each slot that is due, or ordered to move, is decided on.
//  4. The port's health is updated; requests move, are resent, or end.
func (w *dueWork) run() {
	ep := w.socket.ep
	now := ep.server.backend.Now()
	if w.postpone(now) { // 1
		return
	}
	w.repairPath(now) // 2
	w.decide(now)     // 3

	for _, first := range w.silent { // 4
		ep.noteSilent(w.socket.set, first)
	}
	for _, first := range w.unanswered {
		ep.health.Unanswered(first)
	}
	w.move(now)
	w.sendPackets()
	w.failEnded()
	if w.parkedDue {
		w.socket.set.reopen()
	}
	if w.resent {
		w.requestCheck(now)
	}
	if w.unknown {
		ep.log.unknownSource(w.socket.set.source)
	}
}

// recently is how long after a reply silence is not evidence: a reply that arrived so
// shortly before a request was sent counts as one that arrived since.
const recently = 500 * time.Millisecond

// requestCheck requests a check of a port from which nothing was heard recently, so that
// a request which is sent again now moves when it is due the next time, or stays with a
// server that is only slow.
func (w *dueWork) requestCheck(now time.Duration) {
	if !w.socket.ep.health.HeardSince(now - recently) {
		w.socket.ep.health.RequestCheck()
	}
}

// postpone puts the sweep off while datagrams that have arrived are unread: a process
// that was paused, or starved of processor time, would give up requests whose replies
// are there.
func (w *dueWork) postpone(now time.Duration) bool {
	s := w.socket
	unread := s.conn.Unread()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timerAt = 0
	if !unread || !w.anyDue(now) {
		s.postponedSince = 0
		return false
	}
	if s.postponedSince == 0 {
		s.postponedSince = now
	}
	if now-s.postponedSince >= longestPostponed {
		s.postponedSince = 0
		return false
	}
	s.arm(now+sweepGrain, now)
	return true
}

// anyDue reports whether a slot is to be checked now. With socket.mu held.
func (w *dueWork) anyDue(now time.Duration) bool {
	for id := range identifierCount {
		if sl := w.socket.slot(wire.ServerID(id)); (sl.state == slotWaiting || sl.state == slotAbandoned) && sl.next() <= now+sweepGrain {
			return true
		}
	}
	return false
}

// repairPath tries another socket or address when sending on this socket fails, or when a
// request is due again that was sent twice and nothing at all was heard since. A renewal
// that is not possible yet is tried again as long as anything waits.
func (w *dueWork) repairPath(now time.Duration) {
	s := w.socket
	s.mu.Lock()
	renew, lost := s.orders&renewSocket != 0, s.orders&loseSource != 0
	s.orders &^= loseSource
	silent := s.set.uses(s) && !s.ep.isProvenUp() && w.silentTwice(now)
	s.mu.Unlock()
	if renew && (!s.set.uses(s) || s.set.renew(true)) {
		s.mu.Lock()
		s.orders &^= renewSocket
		s.mu.Unlock()
	}
	if lost && s.set.uses(s) {
		s.set.sourceGone()
	}
	if silent {
		s.ep.tryOtherPath(s.set, now, longestRenewPause)
	}
}

// silentTwice reports whether a request is due that was sent at least twice, with nothing
// verified since the last time. With socket.mu held.
func (w *dueWork) silentTwice(now time.Duration) bool {
	s := w.socket
	for id := range identifierCount {
		sl := s.slot(wire.ServerID(id))
		if sl.state == slotWaiting && sl.sends >= 2 && sl.due <= now+sweepGrain && sl.ex.group != nil && w.isEvidence(sl) && !s.ep.health.HeardSince(sl.lastSent-recently) {
			return true
		}
	}
	return false
}

// decide decides on each slot that is due or ordered to move. What must be done
// without the lock is noted in w.
func (w *dueWork) decide(now time.Duration) {
	s := w.socket
	s.mu.Lock()
	defer s.mu.Unlock()
	o, next := s.orders, time.Duration(0)
	s.orders &^= sendEarly
	if o&renewSocket == 0 {
		s.orders &= moveSocketWhenDue | moveSocketLate
	}
	for id := range identifierCount {
		sl := s.slot(wire.ServerID(id))
		if sl.state != slotWaiting && sl.state != slotAbandoned {
			continue
		}
		w.decideSlot(wire.ServerID(id), o, now)
		sl = s.slot(wire.ServerID(id)) // it may be free now, and its memory another's
		if (sl.state == slotWaiting || sl.state == slotAbandoned) && (next == 0 || sl.next() < next) {
			next = sl.next()
		}
	}
	if next != 0 {
		s.armFor(next, now)
	}
}

// decideSlot decides on one slot that waits or is abandoned. With socket.mu held.
func (w *dueWork) decideSlot(id wire.ServerID, o orders, now time.Duration) {
	sl := w.socket.slot(id)
	if o&sendEarly != 0 && sl.state == slotWaiting {
		w.planEarly(sl, now)
	}
	switch {
	case sl.state == slotWaiting && w.followOrders(id, o, now):
	case sl.due <= now+sweepGrain:
		w.fallDue(id, now)
	case sl.moveAt != 0 && sl.moveAt <= now+sweepGrain:
		w.outOfPatience(id, now)
	case sl.earlyAt != 0 && sl.earlyAt <= now+sweepGrain:
		w.sendEarly(id, now)
	}
}

// fallDue decides what to do with a slot whose wait is over. With socket.mu held.
func (w *dueWork) fallDue(id wire.ServerID, now time.Duration) {
	s := w.socket
	sl := s.slot(id)
	if sl.state == slotAbandoned {
		if !sl.uncounted {
			w.freed++
		}
		s.free(id)
		return
	}
	over := now+sweepGrain >= sl.expires
	if sl.ex.group != nil && w.isEvidence(sl) {
		if sl.sends == 1 { // each request counts once
			w.silent = append(w.silent, sl.firstSent)
		}
		w.noteOverdue(sl, now, over)
	}
	w.parkedDue = w.parkedDue || s.parked()
	if over {
		w.timeOut(id)
		return
	}
	own := s.ep.rank()
	switch {
	case w.shouldMove(sl, now, own):
		w.moving = append(w.moving, w.beginMove(id, mover{state: own}))
	case int(sl.sends) >= s.schedule(sl).Count:
		w.timeOut(id)
	case w.movesSocket(sl, now):
		w.moving = append(w.moving, w.beginMove(id, mover{sameServer: true}))
	default:
		w.resend(sl, now)
	}
}

// timeOut frees the slot of a request whose schedule is over. With socket.mu held.
func (w *dueWork) timeOut(id wire.ServerID) {
	w.freed++
	w.timedOut = append(w.timedOut, w.socket.free(id))
}

// noteOverdue notes once for the port's health a request that should have been
// answered by now. Where a route's patience is longer than the default, its answers
// are known to take that long, or to the end of the schedule. With socket.mu held.
func (w *dueWork) noteOverdue(sl *slot, now time.Duration, over bool) {
	now += sweepGrain
	patience := sl.ex.group.patience
	if !w.socket.set.isKnown() { // it may only be this source that the server does not answer
		w.unknown = w.unknown || w.socket.ep.health.HeardSince(sl.firstSent)
		return
	}
	if !sl.overdue && w.socket.ep.health.Overdue(sl.firstSent, now) && (over || patience <= defaults.Patience || now-sl.ex.unansweredSince() >= patience) {
		sl.overdue = true
		w.unanswered = append(w.unanswered, sl.firstSent)
	}
}

// isEvidence reports whether the silence after a request says anything about the
// server: not when it was not sent, was sent to a previous address of the server, or
// this machine could not send. With socket.mu held.
func (w *dueWork) isEvidence(sl *slot) bool {
	s := w.socket
	return s.current() && (s.sendFailedAt == 0 || s.sendFailedAt < sl.firstSent)
}

// resend notes a slot's packet for another transmission: octet-identical,
// from the same port to the same port (RFC 2865 §2.5). It is copied, because a
// reply may free the packet while the copy is being sent. With socket.mu held.
func (w *dueWork) resend(sl *slot, now time.Duration) {
	s := w.socket
	w.packets = append(w.packets, s.ep.server.backend.Buffers.Copy(sl.packet))
	w.resent = true
	sl.sends++
	sl.resentAfterError = false
	sl.lastSent, sl.earlyAt = now, 0
	sl.wait = s.schedule(sl).next(sl.wait, jitter())
	sl.due = min(now+sl.wait, sl.expires)
	s.extendLastWait(sl)
	s.observeSent(sl, StepResent)
}

// sendPackets sends what fallDue noted.
func (w *dueWork) sendPackets() {
	s := w.socket
	if len(w.packets) == 0 {
		return
	}
	n, err := s.conn.Send(w.packets)
	s.countSent(metrics.ServerResent, w.packets, n)
	if err != nil {
		s.failed(err)
	}
}

// failEnded ends the exchanges whose server stayed silent, or whose port nothing listens
// on.
func (w *dueWork) failEnded() {
	w.socket.ep.addOutstanding(-w.freed)
	for _, ex := range w.timedOut {
		if ex.group != nil { // checks are counted separately
			w.socket.ep.metrics.Count(metrics.ServerTimeouts, 1)
		}
		ex.fail(w.hasher, ex.silent(), 0, &w.touched)
	}
	for _, ex := range w.refused {
		ex.fail(w.hasher, FailRefused, 0, &w.touched)
	}
	w.touched.Flush()
}
