package udpback

import (
	"math/rand/v2"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// mover is an exchange on its way to another server or socket, with the slot that it
// leaves.
type mover struct {
	ex         *Exchange
	id         wire.ServerID
	generation uint32
	own        health.State  // of the server that it leaves
	here       bool          // it goes to another socket of the same server
	afresh     bool          // its schedule begins anew there
	early      bool          // it is not due: if it cannot go, nothing is sent
	try        bool          // it only tried the server that it leaves
	sends      int           // transmissions that claim has added to the exchange's
	asked      time.Duration // Exchange.asked, as it was
}

// leavesSocket reports whether a request that is due goes to its server by the socket
// that has taken this one's place, instead of being resent: when its address is gone, or
// nothing has arrived here since it was sent. A socket that was renewed though its port
// was up keeps its requests for as long as their route allows: the server may only take
// its time, and is not to be asked twice. With mu held.
func (s *socket) leavesSocket(sl *slot, now time.Duration) bool {
	if s.orders&(leaveSocketWhenDue|leaveSocketLate) == 0 || sl.ex.group == nil || s.end.uses(s) {
		return false
	}
	if !s.current() {
		return true
	}
	late := s.orders&leaveSocketWhenDue != 0 || s.end.health.State() != health.Up || now-sl.ex.askedAt() >= sl.ex.group.patience
	return movable(sl.ex.Kind) && s.heardAt <= sl.lastSent && late
}

// obey has a request leave that is ordered to, if it can. One whose time is over does
// not: it ends. With mu held.
func (s *socket) obey(id wire.ServerID, o orders, now time.Duration, w *sweepings) bool {
	sl := &s.slots[id]
	if o&(leaveServer|leaveSocket|endDynamic) == 0 || sl.ex.group == nil || sl.end <= now+sweepGrain {
		return false
	}
	early := sl.due > now+sweepGrain
	own, replaced := s.end.rank(), !s.end.uses(s)
	// That the network cannot get there now says nothing of a new socket. That the server
	// is failing or down does.
	bad := s.end.health.State() >= health.Failing
	leaves := (bad || o&leaveServer != 0) && s.mayLeave(sl) && sl.ex.group.elsewhere(sl.ex, own)
	switch {
	case o&endDynamic != 0 && o&leaveSocket == 0:
		s.endRefused(id, w)
	case o&leaveSocket != 0 && replaced && !(leaves && bad):
		w.moving = append(w.moving, s.claim(id, mover{here: true, early: early, afresh: true}))
	case leaves:
		w.moving = append(w.moving, s.claim(id, mover{own: own, early: early}))
	case replaced && movable(sl.ex.Kind) && s.wasBlocked(sl): // ordered to leave the server
		w.moving = append(w.moving, s.claim(id, mover{here: true, early: early}))
	default:
		return false
	}
	return true
}

// remindSpread is the time over which the requests that wait for a server are spread when
// it answers again, so that they do not all reach it at once.
const remindSpread = time.Second

// remindSoon plans an early transmission of a request whose server was silent or failing
// and answers again: what was sent before may be lost, and the next transmission of the
// schedule may be 16 s away. There is none before the last one could have been answered,
// shortly before the schedule sends the request anyway, or when its transmissions are
// used up. With mu held.
func (s *socket) remindSoon(sl *slot, now time.Duration) {
	if sl.ex.group == nil || sl.remindAt != 0 || s.parked() {
		return
	}
	sch := s.schedule(sl)
	at := max(now, sl.lastSent+lately) + rand.N(remindSpread)
	rest := lately // for the answer, before the request ends
	if sl.due < sl.end {
		rest = sch.Initial
	}
	if sl.due-at < rest || int(sl.sends) >= sch.Count {
		return
	}
	sl.remindAt = at
}

// remind sends a request before it is due. That counts as one of its transmissions (MRC
// of RFC 5080 §2.2.1); when it is due stays as it was. With mu held.
func (s *socket) remind(id wire.ServerID, now time.Duration, w *sweepings) {
	sl := &s.slots[id]
	sl.remindAt = 0
	switch {
	case sl.ex.isCancelled():
	case s.leavesSocket(sl, now):
		sl.reminded = true
		w.moving = append(w.moving, s.claim(id, mover{here: true}))
	default:
		w.packets = append(w.packets, s.end.server.back.Buffers.Copy(sl.packet))
		sl.sends++
		sl.lastSent, sl.reminded = now, true
		s.lastWait(sl)
	}
}

// lastWait makes a request whose transmissions are used up wait until the end of its
// schedule if one of them was early: it must not fail sooner for that. With mu held.
func (s *socket) lastWait(sl *slot) {
	if sl.reminded && int(sl.sends) >= s.schedule(sl).Count {
		sl.due = sl.end
	}
}

// wasBlocked reports whether the network has said that it could not get to the server
// since the request was last sent, and the request was not sent again for that already:
// it is once in each wait. With mu held.
func (s *socket) wasBlocked(sl *slot) bool {
	return s.troubledAt != 0 && s.troubledAt >= sl.lastSent && !sl.early
}

// outOfPatience decides what becomes of a request that its server has left unanswered
// for as long as the route allows, or that only tries a server. With mu held.
func (s *socket) outOfPatience(id wire.ServerID, now time.Duration, w *sweepings) {
	sl := &s.slots[id]
	ex := sl.ex
	patience := ex.askedAt() + ex.group.patience
	if now+sweepGrain < patience { // it was a try
		sl.leaveAt = patience
	} else {
		sl.leaveAt = 0
		if s.isEvidence(sl) {
			s.countOverdue(sl, now, false, w)
		}
	}
	if own := s.end.rank(); s.mayLeave(sl) && ex.group.elsewhere(ex, own) {
		w.moving = append(w.moving, s.claim(id, mover{own: own, early: true}))
	}
}

// shouldMove reports whether a request that is due goes to another server: it may
// leave, and there is somewhere to go; and its server is failing or down, or has left
// it unanswered for the route's patience, or has been silent altogether since the last
// of move_on_after transmissions. A server that has answered anything since, a probe
// included, shows life, and keeps the request: see askForLife. With mu held.
func (s *socket) shouldMove(sl *slot, now time.Duration, own health.State) bool {
	if !s.mayLeave(sl) {
		return false
	}
	g := sl.ex.group
	switch {
	case own >= health.Failing, s.parked():
	case now-sl.ex.askedAt() >= g.patience:
	case sl.sends < g.moveAfter, s.end.health.HeardSince(sl.lastSent - lately):
		return false
	}
	return g.elsewhere(sl.ex, own)
}

// mayLeave reports whether a request may go to another server at all. CoA and
// Disconnect stay, because only the NAS that holds the session can act (RFC 5176
// §2.3). What carries a State stays with the server that issued it, because no
// other can carry the conversation on, until that server is down or silent
// altogether: a lost datagram or two are no reason (RFC 5080 §2.1.2). What was never
// sent may go anywhere. With mu held.
func (s *socket) mayLeave(sl *slot) bool {
	ex := sl.ex
	if ex.group == nil {
		return false
	}
	if s.parked() {
		return true
	}
	return movable(ex.Kind) && (!ex.group.issued(ex) || s.end.health.Lost())
}

func movable(k wire.Kind) bool { return k == wire.KindAccess || k == wire.KindAccounting }

// claim takes the exchange out of its slot, so that nobody else ends it while it
// moves. The slot keeps the packet until leave or stay. With mu held.
func (s *socket) claim(id wire.ServerID, m mover) mover {
	sl := &s.slots[id]
	m.ex, m.id, m.generation, m.try, m.asked = sl.ex, id, sl.generation, sl.ex.try, sl.ex.asked
	m.ex.before = before{}
	switch {
	case !m.here || m.afresh:
		m.sends = s.sendsOf(sl)
	case s.parked():
	case m.early: // the wait goes on; what did not get there does not count in the schedule
		m.ex.before = before{sends: sl.sends, first: sl.first, wait: sl.wait, due: sl.due, overdue: sl.overdue, reminded: sl.reminded}
		m.sends = 1
	default: // the schedule goes on, and the slot there counts these sends, too
		m.ex.before = before{sends: sl.sends, first: sl.first, wait: sl.wait, overdue: sl.overdue, reminded: sl.reminded}
	}
	m.ex.sends += m.sends
	sl.ex, sl.state = nil, slotMoving
	return m
}

// sendsOf is how often a slot's request was really sent. With mu held.
func (s *socket) sendsOf(sl *slot) int {
	if s.parked() {
		return 0
	}
	return int(sl.sends)
}

// move launches the claimed exchanges on their next servers or sockets, as new
// requests: new Identifier, Request Authenticator, hiding and signature (RFC 2865
// §2.5). What finds no place stays where it was and is resent there.
func (s *socket) move(w *sweepings, now time.Duration) {
	if len(w.moving) == 0 {
		return
	}
	back := s.end.server.back
	batch := back.AcquireBatch()
	defer back.ReleaseBatch(batch)
	moved := 0
	for _, m := range w.moving {
		if m.ex.isCancelled() { // its client is gone: nothing more is sent (RFC 6613 §2.6.1)
			s.leave(m, now, leaver{})
			m.ex.Handler.Fail(batch.Hasher, FailSilent, 0, &w.touched)
			continue
		}
		if err := s.relaunch(m, batch); err != nil {
			s.stay(m, now, w)
			continue
		}
		s.leave(m, now, leaver{ex: m.ex, use: m.ex.uses(), try: m.try})
		if !m.here {
			moved++
		}
	}
	s.end.metrics.Count(metrics.ServerMoved, moved)
	batch.Flush()
}

// relaunch sends a mover where it goes. After an error its exchange is as before.
func (s *socket) relaunch(m mover, batch *Batch) error {
	if m.here {
		return m.ex.group.relaunchAt(m.ex, batch, s.end)
	}
	return m.ex.group.relaunch(m.ex, batch, m.own)
}

// leave turns the slot that an exchange left into an abandoned one: the server
// may still answer (RFC 5080 §2.2.2), for whom left names.
func (s *socket) leave(m mover, now time.Duration, left leaver) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sl := &s.slots[m.id]
	if sl.generation != m.generation {
		return
	}
	if s.parked() { // nothing was sent that could be answered
		s.free(m.id)
		s.end.add(-1)
		return
	}
	s.forsake(sl)
	sl.left = left
	if !s.end.uses(s) { // its Identifier is given to nobody else, and takes none from others
		sl.uncounted = true
		s.end.add(-1)
		sl.held.add(-1)
		sl.held = nil
	}
	s.arm(sl.due, now)
}

// stay puts an exchange back into its slot and resends it, unless its
// transmissions are used up. If the socket was closed meanwhile the slot is gone,
// and the exchange ends as silent.
func (s *socket) stay(m mover, now time.Duration, w *sweepings) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sl := &s.slots[m.id]
	if sl.generation != m.generation {
		w.ended = append(w.ended, m.ex)
		w.forgotten-- // finish takes one off for every ended exchange; this slot was counted already
		return
	}
	sl.ex, sl.state = m.ex, slotWaiting
	m.ex.sends -= m.sends
	m.ex.asked = m.asked
	m.ex.end = s.end
	switch {
	case m.early && m.ex.place(s, m.id, m.generation): // it waits on
	case m.early:
		sl.onlyWait()
	case int(sl.sends) >= s.schedule(sl).Count:
		w.ended = append(w.ended, s.free(m.id))
		return
	case m.ex.place(s, m.id, m.generation):
		s.again(sl, now, w)
	default: // cancelled on its way: nobody wants it resent
		sl.onlyWait()
	}
	s.armFor(sl.next(), now)
}
