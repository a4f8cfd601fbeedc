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
	ex          *Exchange
	id          wire.ServerID
	generation  uint32
	state       health.State  // of the server that it leaves
	sameServer  bool          // it goes to another socket of the same server
	newSchedule bool          // its schedule begins anew there
	notDue      bool          // it is not due: if it cannot go, nothing is sent
	trying      bool          // it only tried the server that it leaves
	sends       int           // transmissions that claim has added to the exchange's
	firstSent   time.Duration // Exchange.asked, as it was
}

// movesSocket reports whether a request that is due goes to its server by the socket
// that has taken this one's place, instead of being resent: when its address is gone, or
// nothing has arrived here since it was sent. A socket that was renewed though its port
// was up keeps its requests for as long as their route allows: the server may only take
// its time, and is not to be asked twice. With mu held.
func (s *socket) movesSocket(sl *slot, now time.Duration) bool {
	if s.orders&(moveSocketWhenDue|moveSocketLate) == 0 || sl.ex.group == nil || s.ep.inUse(s) {
		return false
	}
	if !s.current() {
		return true
	}
	late := s.orders&moveSocketWhenDue != 0 || s.ep.health.State() != health.Up || now-sl.ex.unansweredSince() >= sl.ex.group.patience
	return movable(sl.ex.Kind) && s.repliedAt <= sl.lastSent && late
}

// followOrders has a request leave that is ordered to, if it can. One whose time is over does
// not: it ends. With mu held.
func (s *socket) followOrders(id wire.ServerID, o orders, now time.Duration, w *dueWork) bool {
	sl := &s.slots[id]
	if o&(moveServer|moveSocket|failDynamic) == 0 || sl.ex.group == nil || sl.expires <= now+sweepGrain {
		return false
	}
	early := sl.due > now+sweepGrain
	own, replaced := s.ep.rank(), !s.ep.inUse(s)
	// That the network cannot get there now says nothing of a new socket. That the server
	// is failing or down does.
	bad := s.ep.health.State() >= health.Failing
	leaves := (bad || o&moveServer != 0) && s.mayMove(sl) && sl.ex.group.canMove(sl.ex, own)
	switch {
	case o&failDynamic != 0 && o&moveSocket == 0:
		s.failRefused(id, w)
	case o&moveSocket != 0 && replaced && !(leaves && bad):
		w.moving = append(w.moving, s.beginMove(id, mover{sameServer: true, notDue: early, newSchedule: true}))
	case leaves:
		w.moving = append(w.moving, s.beginMove(id, mover{state: own, notDue: early}))
	case replaced && movable(sl.ex.Kind) && s.wasUnreachable(sl): // ordered to leave the server
		w.moving = append(w.moving, s.beginMove(id, mover{sameServer: true, notDue: early}))
	default:
		return false
	}
	return true
}

// earlySpread is the time over which the requests that wait for a server are spread when
// it answers again, so that they do not all reach it at once.
const earlySpread = time.Second

// planEarly plans an early transmission of a request whose server was silent or failing
// and answers again: what was sent before may be lost, and the next transmission of the
// schedule may be 16 s away. There is none before the last one could have been answered,
// shortly before the schedule sends the request anyway, or when its transmissions are
// used up. With mu held.
func (s *socket) planEarly(sl *slot, now time.Duration) {
	if sl.ex.group == nil || sl.earlyAt != 0 || s.parked() {
		return
	}
	sch := s.schedule(sl)
	at := max(now, sl.lastSent+recently) + rand.N(earlySpread)
	rest := recently // for the answer, before the request ends
	if sl.due < sl.expires {
		rest = sch.Initial
	}
	if sl.due-at < rest || int(sl.sends) >= sch.Count {
		return
	}
	sl.earlyAt = at
}

// sendEarly sends a request before it is due. That counts as one of its transmissions (MRC
// of RFC 5080 §2.2.1); when it is due stays as it was. With mu held.
func (s *socket) sendEarly(id wire.ServerID, now time.Duration, w *dueWork) {
	sl := &s.slots[id]
	sl.earlyAt = 0
	switch {
	case sl.ex.isCancelled():
	case s.movesSocket(sl, now):
		sl.sentEarly = true
		w.moving = append(w.moving, s.beginMove(id, mover{sameServer: true}))
	default:
		w.packets = append(w.packets, s.ep.server.backend.Buffers.Copy(sl.packet))
		sl.sends++
		sl.lastSent, sl.sentEarly = now, true
		s.extendLastWait(sl)
	}
}

// extendLastWait makes a request whose transmissions are used up wait until the end of its
// schedule if one of them was early: it must not fail sooner for that. With mu held.
func (s *socket) extendLastWait(sl *slot) {
	if sl.sentEarly && int(sl.sends) >= s.schedule(sl).Count {
		sl.due = sl.expires
	}
}

// wasUnreachable reports whether the network has said that it could not get to the server
// since the request was last sent, and the request was not sent again for that already:
// it is once in each wait. With mu held.
func (s *socket) wasUnreachable(sl *slot) bool {
	return s.sendFailedAt != 0 && s.sendFailedAt >= sl.lastSent && !sl.resentAfterError
}

// outOfPatience decides what becomes of a request that its server has left unanswered
// for as long as the route allows, or that only tries a server. With mu held.
func (s *socket) outOfPatience(id wire.ServerID, now time.Duration, w *dueWork) {
	sl := &s.slots[id]
	ex := sl.ex
	patience := ex.unansweredSince() + ex.group.patience
	if now+sweepGrain < patience { // it was a try
		sl.moveAt = patience
	} else {
		sl.moveAt = 0
		if s.isEvidence(sl) {
			s.noteOverdue(sl, now, false, w)
		}
	}
	if own := s.ep.rank(); s.mayMove(sl) && ex.group.canMove(ex, own) {
		w.moving = append(w.moving, s.beginMove(id, mover{state: own, notDue: true}))
	}
}

// shouldMove reports whether a request that is due goes to another server: it may
// leave, and there is somewhere to go; and its server is failing or down, or has left
// it unanswered for the route's patience, or has been silent altogether since the last
// of move_on_after transmissions. A server that has answered anything since, a probe
// included, shows life, and keeps the request: see askForLife. With mu held.
func (s *socket) shouldMove(sl *slot, now time.Duration, own health.State) bool {
	if !s.mayMove(sl) {
		return false
	}
	g := sl.ex.group
	switch {
	case own >= health.Failing, s.parked():
	case now-sl.ex.unansweredSince() >= g.patience:
	case sl.sends < g.moveAfter, s.ep.health.HeardSince(sl.lastSent - recently):
		return false
	}
	return g.canMove(sl.ex, own)
}

// mayMove reports whether a request may go to another server at all. CoA and
// Disconnect stay, because only the NAS that holds the session can act (RFC 5176
// §2.3). What carries a State stays with the server that issued it, because no
// other can carry the conversation on, until that server is down or silent
// altogether: a lost datagram or two are no reason (RFC 5080 §2.1.2). What was never
// sent may go anywhere. With mu held.
func (s *socket) mayMove(sl *slot) bool {
	ex := sl.ex
	if ex.group == nil {
		return false
	}
	if s.parked() {
		return true
	}
	return movable(ex.Kind) && (!ex.group.issuedState(ex) || s.ep.health.Lost())
}

func movable(k wire.Kind) bool { return k == wire.KindAccess || k == wire.KindAccounting }

// beginMove takes the exchange out of its slot, so that nobody else ends it while it
// moves. The slot keeps the packet until leave or stay. With mu held.
func (s *socket) beginMove(id wire.ServerID, m mover) mover {
	sl := &s.slots[id]
	m.ex, m.id, m.generation, m.trying, m.firstSent = sl.ex, id, sl.generation, sl.ex.trying, sl.ex.firstSent
	m.ex.prior = priorSchedule{}
	switch {
	case !m.sameServer || m.newSchedule:
		m.sends = s.sendsOf(sl)
	case s.parked():
	case m.notDue: // the wait goes on; what did not get there does not count in the schedule
		m.ex.prior = priorSchedule{sends: sl.sends, first: sl.firstSent, wait: sl.wait, due: sl.due, overdue: sl.overdue, sentEarly: sl.sentEarly}
		m.sends = 1
	default: // the schedule goes on, and the slot there counts these sends, too
		m.ex.prior = priorSchedule{sends: sl.sends, first: sl.firstSent, wait: sl.wait, overdue: sl.overdue, sentEarly: sl.sentEarly}
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
func (s *socket) move(w *dueWork, now time.Duration) {
	if len(w.moving) == 0 {
		return
	}
	back := s.ep.server.backend
	batch := back.AcquireBatch()
	defer back.ReleaseBatch(batch)
	moved := 0
	for _, m := range w.moving {
		if m.ex.isCancelled() { // its client is gone: nothing more is sent (RFC 6613 §2.6.1)
			s.finishMove(m, now, previous{})
			m.ex.Handler.Fail(batch.Hasher, FailSilent, 0, &w.touched)
			continue
		}
		if err := s.startMoved(m, batch); err != nil {
			s.undoMove(m, now, w)
			continue
		}
		s.finishMove(m, now, previous{ex: m.ex, use: m.ex.useCount(), trying: m.trying})
		if !m.sameServer {
			moved++
		}
	}
	s.ep.metrics.Count(metrics.ServerMoved, moved)
	batch.Flush()
}

// startMoved sends a mover where it goes. After an error its exchange is as before.
func (s *socket) startMoved(m mover, batch *Batch) error {
	if m.sameServer {
		return m.ex.group.moveToSocket(m.ex, batch, s.ep)
	}
	return m.ex.group.moveToServer(m.ex, batch, m.state)
}

// finishMove turns the slot that an exchange left into an abandoned one: the server
// may still answer (RFC 5080 §2.2.2), for whom left names.
func (s *socket) finishMove(m mover, now time.Duration, left previous) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sl := &s.slots[m.id]
	if sl.generation != m.generation {
		return
	}
	if s.parked() { // nothing was sent that could be answered
		s.free(m.id)
		s.ep.addOutstanding(-1)
		return
	}
	s.abandonSlot(sl)
	sl.previous = left
	if !s.ep.inUse(s) { // its Identifier is given to nobody else, and takes none from others
		sl.uncounted = true
		s.ep.addOutstanding(-1)
		sl.usage.add(-1)
		sl.usage = nil
	}
	s.arm(sl.due, now)
}

// undoMove puts an exchange back into its slot and resends it, unless its
// transmissions are used up. If the socket was closed meanwhile the slot is gone,
// and the exchange ends as silent.
func (s *socket) undoMove(m mover, now time.Duration, w *dueWork) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sl := &s.slots[m.id]
	if sl.generation != m.generation {
		w.timedOut = append(w.timedOut, m.ex)
		w.expired-- // finish takes one off for every ended exchange; this slot was counted already
		return
	}
	sl.ex, sl.state = m.ex, slotWaiting
	m.ex.sends -= m.sends
	m.ex.firstSent = m.firstSent
	m.ex.ep = s.ep
	switch {
	case m.notDue && m.ex.setSlot(s, m.id, m.generation): // it waits on
	case m.notDue:
		sl.stopSending()
	case int(sl.sends) >= s.schedule(sl).Count:
		w.timedOut = append(w.timedOut, s.free(m.id))
		return
	case m.ex.setSlot(s, m.id, m.generation):
		s.resend(sl, now, w)
	default: // cancelled on its way: nobody wants it resent
		sl.stopSending()
	}
	s.armFor(sl.next(), now)
}
