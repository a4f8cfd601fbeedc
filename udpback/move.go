package udpback

import (
	"math/rand/v2"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// mover is an exchange on its way to another server or socket, with the slot that it had.
type mover struct {
	ex          *Exchange
	id          wire.ServerID
	generation  uint32
	state       health.State  // of its server so far
	sameServer  bool          // it goes to another socket of the same server
	newSchedule bool          // its schedule begins again there
	notDue      bool          // it is not due: if it cannot go, nothing is sent
	trying      bool          // it only tried its server so far
	sends       int           // transmissions that beginMove has added to the exchange's
	firstSent   time.Duration // of the exchange, before
}

// movesSocket reports whether a request that is due goes to its server through the socket
// that has replaced this one, instead of being resent here: when its address is gone, or
// nothing has arrived here since it was sent. A socket that was renewed though its port
// was up keeps its requests for as long as their route allows: the server may only be
// slow, and should not be asked twice. With socket.mu held.
func (w *dueWork) movesSocket(sl *slot, now time.Duration) bool {
	s := w.socket
	if s.orders&(moveSocketWhenDue|moveSocketLate) == 0 || sl.ex.group == nil || s.set.uses(s) {
		return false
	}
	if !s.current() {
		return true
	}
	late := s.orders&moveSocketWhenDue != 0 || s.ep.health.State() != health.Up || now-sl.ex.unansweredSince() >= sl.ex.group.patience
	return movable(sl.ex.Kind) && s.repliedAt <= sl.lastSent && late
}

// followOrders moves a request that is ordered to move, if it can. One whose schedule is
// over ends instead. With socket.mu held.
func (w *dueWork) followOrders(id wire.ServerID, o orders, now time.Duration) bool {
	s := w.socket
	sl := s.slot(id)
	if o&(moveServer|moveSocket|failDynamic) == 0 || sl.ex.group == nil || sl.expires <= now+sweepGrain {
		return false
	}
	early := sl.due > now+sweepGrain
	own, replaced := s.ep.rank(), !s.set.uses(s)
	// That the server is unreachable from this socket says nothing of a new one. That it
	// is failing or down does.
	bad := s.ep.health.State() >= health.Failing
	leaves := (bad || o&moveServer != 0) && w.mayMove(sl) && sl.ex.group.canMove(sl.ex, own)
	switch {
	case o&failDynamic != 0 && o&moveSocket == 0:
		w.failRefused(id)
	case o&moveSocket != 0 && replaced && !(leaves && bad):
		w.moving = append(w.moving, w.beginMove(id, mover{sameServer: true, notDue: early, newSchedule: true}))
	case leaves:
		w.moving = append(w.moving, w.beginMove(id, mover{state: own, notDue: early}))
	case replaced && movable(sl.ex.Kind) && w.wasUnreachable(sl): // ordered to move to another server
		w.moving = append(w.moving, w.beginMove(id, mover{sameServer: true, notDue: early}))
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
// used up. With socket.mu held.
func (w *dueWork) planEarly(sl *slot, now time.Duration) {
	if sl.ex.group == nil || sl.earlyAt != 0 || w.socket.parked() {
		return
	}
	sch := w.socket.schedule(sl)
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
// of RFC 5080 §2.2.1); when it is due stays as it was. With socket.mu held.
func (w *dueWork) sendEarly(id wire.ServerID, now time.Duration) {
	s := w.socket
	sl := s.slot(id)
	sl.earlyAt = 0
	switch {
	case sl.ex.isCancelled():
	case w.movesSocket(sl, now):
		sl.sentEarly = true
		w.moving = append(w.moving, w.beginMove(id, mover{sameServer: true}))
	default:
		w.packets = append(w.packets, s.ep.server.backend.Buffers.Copy(sl.packet))
		sl.sends++
		sl.lastSent, sl.sentEarly = now, true
		s.extendLastWait(sl)
		s.observeSent(sl, StepResent)
	}
}

// wasUnreachable reports whether the network has reported since the request was last sent
// that the server is unreachable, and the request was not sent again for that already: it
// is once in each wait. With socket.mu held.
func (w *dueWork) wasUnreachable(sl *slot) bool {
	return w.socket.sendFailedAt != 0 && w.socket.sendFailedAt >= sl.lastSent && !sl.resentAfterError
}

// outOfPatience decides what to do with a request that its server has left unanswered for
// as long as the route allows, or that only tries a server. With socket.mu held.
func (w *dueWork) outOfPatience(id wire.ServerID, now time.Duration) {
	sl := w.socket.slot(id)
	ex := sl.ex
	patience := ex.unansweredSince() + ex.group.patience
	if now+sweepGrain < patience { // it was a try
		sl.moveAt = patience
	} else {
		sl.moveAt = 0
		if w.isEvidence(sl) {
			w.noteOverdue(sl, now, false)
		}
	}
	if own := w.socket.ep.rank(); w.mayMove(sl) && ex.group.canMove(ex, own) {
		w.moving = append(w.moving, w.beginMove(id, mover{state: own, notDue: true}))
	}
}

// shouldMove reports whether a request that is due goes to another server: it may move,
// and there is one that it can move to; and its server is failing or down, or has not
// answered it within the route's patience, or has been silent altogether since the last
// of move_on_after transmissions. A server that has answered anything since, a check
// included, keeps the request: see requestCheck. With socket.mu held.
func (w *dueWork) shouldMove(sl *slot, now time.Duration, own health.State) bool {
	if !w.mayMove(sl) {
		return false
	}
	g := sl.ex.group
	switch {
	case own >= health.Failing, w.socket.parked():
	case now-sl.ex.unansweredSince() >= g.patience:
	case sl.sends < g.moveAfter, w.socket.ep.health.HeardSince(sl.lastSent - recently):
		return false
	}
	return g.canMove(sl.ex, own)
}

// mayMove reports whether a request may go to another server at all. CoA and
// Disconnect stay, because only the NAS that holds the session can act (RFC 5176
// §2.3). A request with a State stays with the server that issued it, because no other
// can carry the conversation on, until that server is down or silent altogether: one or
// two lost datagrams are not a reason (RFC 5080 §2.1.2). A request that was never sent
// may go to any server. With socket.mu held.
func (w *dueWork) mayMove(sl *slot) bool {
	ex := sl.ex
	if ex.group == nil {
		return false
	}
	if w.socket.parked() {
		return true
	}
	return movable(ex.Kind) && (!ex.group.issuedState(ex) || w.socket.ep.health.Lost())
}

func movable(k wire.Kind) bool { return k == wire.KindAccess || k == wire.KindAccounting }

// beginMove takes the exchange out of its slot, so that nothing else ends it while it
// moves. The slot keeps the packet until finishMove or undoMove. With socket.mu held.
func (w *dueWork) beginMove(id wire.ServerID, m mover) mover {
	s := w.socket
	sl := s.slot(id)
	m.ex, m.id, m.generation, m.trying, m.firstSent = sl.ex, id, sl.generation, sl.ex.trying, sl.ex.firstSent
	why := s.whyMoves(sl, &m)
	m.ex.prior = priorSchedule{}
	switch {
	case !m.sameServer || m.newSchedule:
		m.sends = s.sendsOf(sl)
	case s.parked():
	case m.notDue: // the wait goes on; a transmission that was not delivered does not count in the schedule
		m.ex.prior = priorSchedule{sends: sl.sends, first: sl.firstSent, wait: sl.wait, due: sl.due, overdue: sl.overdue, sentEarly: sl.sentEarly}
		m.sends = 1
	default: // the schedule goes on, and the slot there counts these sends, too
		m.ex.prior = priorSchedule{sends: sl.sends, first: sl.firstSent, wait: sl.wait, overdue: sl.overdue, sentEarly: sl.sentEarly}
	}
	m.ex.sends += m.sends
	sl.ex, sl.state = nil, slotMoving
	s.observeMove(m.ex, why)
	return m
}

// move starts the exchanges that move on their next servers or sockets, as new
// requests: new Identifier, Request Authenticator, hiding and signature (RFC 2865
// §2.5). One that no server can accept stays where it was, and is resent there.
func (w *dueWork) move(now time.Duration) {
	if len(w.moving) == 0 {
		return
	}
	backend := w.socket.ep.server.backend
	batch := backend.AcquireBatch()
	defer backend.ReleaseBatch(batch)
	moved := 0
	for _, m := range w.moving {
		if m.ex.isCancelled() { // its client is gone: nothing more is sent (RFC 6613 §2.6.1)
			w.finishMove(m, now, previous{})
			m.ex.fail(batch.Hasher, FailSilent, 0, &w.touched)
			continue
		}
		if err := w.startMoved(m, batch); err != nil {
			w.undoMove(m, now)
			continue
		}
		w.finishMove(m, now, previous{ex: m.ex, use: m.ex.useCount(), trying: m.trying, asksNext: m.ex.asksNext()})
		if !m.sameServer {
			moved++
		}
	}
	w.socket.ep.metrics.Count(metrics.ServerMoved, moved)
	batch.Flush()
}

// startMoved starts a mover's exchange at its next server or socket. After an error its
// exchange is as before.
func (w *dueWork) startMoved(m mover, batch *Batch) error {
	if m.sameServer {
		return m.ex.group.moveToSocket(m.ex, batch, w.socket.ep)
	}
	return m.ex.group.moveToServer(m.ex, batch, m.state)
}

// finishMove abandons the slot of an exchange that has moved: the server may still answer
// (RFC 5080 §2.2.2), and prev is the exchange that the reply is for.
func (w *dueWork) finishMove(m mover, now time.Duration, prev previous) {
	s := w.socket
	s.mu.Lock()
	defer s.mu.Unlock()
	sl := s.slot(m.id)
	if sl.generation != m.generation {
		return
	}
	if s.parked() { // nothing was sent that could be answered
		s.free(m.id)
		s.ep.addOutstanding(-1)
		return
	}
	s.abandonSlot(sl)
	sl.previous = prev
	if !s.set.uses(s) { // its Identifier is not used again, so it does not count against the limits
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
func (w *dueWork) undoMove(m mover, now time.Duration) {
	s := w.socket
	s.mu.Lock()
	defer s.mu.Unlock()
	sl := s.slot(m.id)
	if sl.generation != m.generation {
		w.timedOut = append(w.timedOut, m.ex) // close has freed the slot
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
		w.timeOut(m.id)
		return
	case m.ex.setSlot(s, m.id, m.generation):
		w.resend(sl, now)
	default: // cancelled while it moved: it is not resent
		sl.stopSending()
	}
	s.armFor(sl.next(), now)
}

// failRefused ends a CoA or Disconnect to a port that nothing listens on. With socket.mu
// held.
func (w *dueWork) failRefused(id wire.ServerID) {
	s := w.socket
	sl := s.slot(id)
	sl.ex.sends += s.sendsOf(sl)
	w.refused = append(w.refused, sl.ex)
	s.abandonSlot(sl)
}
