package udpback

import (
	"time"

	"radsec-gw/wire"
)

// mover is an exchange on its way from a silent server to the next, with the
// slot that it leaves.
type mover struct {
	ex         *Exchange
	id         wire.ServerID
	generation uint32
	own        State // of the server that it leaves
	early      bool  // it is not due: if it cannot go, nothing is sent
}

// shouldMove says whether a request that falls due goes to another server
// instead of being resent: it may leave, it has been sent often enough, its
// server has answered no request for half of the wait that is over, and there is
// somewhere to go; that it answers probes does not help. Half a wait, because a server that dies has answered others
// after it was sent the requests that it takes to its grave. From a server that is
// known to be dead once is often enough. With mu held.
func (s *socket) shouldMove(sl *slot, now time.Duration, own State) bool {
	if !s.mayLeave(sl) || sl.sends < sl.ex.group.moveAfter && own != Down {
		return false
	}
	return now-time.Duration(s.end.judge.served.Load()) > sl.wait/2 && sl.ex.group.elsewhere(sl.ex, own)
}

// mayLeave says whether a request may go to another server at all. CoA and
// Disconnect stay, because only the NAS that holds the session can act (RFC 5176
// §2.3). What carries a State stays with the server that issued it, because no
// other can carry the conversation on, until that server is condemned: a lost
// datagram or two are no reason (RFC 5080 §2.1.2). With mu held.
func (s *socket) mayLeave(sl *slot) bool {
	ex := sl.ex
	if ex.group == nil || !movable(ex.Kind) {
		return false
	}
	return !ex.group.issued(ex) || s.end.judge.condemned()
}

func movable(k wire.Kind) bool { return k == wire.KindAccess || k == wire.KindAccounting }

// claim takes the exchange out of its slot, so that nobody else ends it while it
// moves. The slot keeps the packet until moved or unclaim. With mu held.
func (sl *slot) claim() *Exchange {
	ex := sl.ex
	ex.sends += int(sl.sends)
	sl.ex, sl.state = nil, slotMoving
	return ex
}

// move launches the claimed exchanges on their next servers, as new requests:
// new Identifier, Request Authenticator, hiding and signature (RFC 2865 §2.5).
// What finds no place stays where it was and is resent there.
func (s *socket) move(w *sweepings, now time.Duration) {
	if len(w.moving) == 0 {
		return
	}
	back := s.end.server.back
	batch := back.Borrow()
	defer back.GiveBack(batch)
	moved := 0
	for _, m := range w.moving {
		if m.ex.isCancelled() { // its client is gone: nothing more is sent (RFC 6613 §2.6.1)
			s.leave(m, now, leaver{})
			m.ex.Handler.Fail(batch.Hasher, FailSilent, 0)
			continue
		}
		server := m.ex.server
		if err := m.ex.group.relaunch(m.ex, batch, m.own); err != nil {
			s.stay(m, now, w)
			continue
		}
		s.leave(m, now, leaver{ex: m.ex, use: m.ex.uses(), server: server})
		moved++
	}
	s.end.metrics.Moved(moved)
	batch.Flush()
}

// leave turns the slot that an exchange left into an abandoned one: the server
// may still answer (RFC 5080 §2.2.2), for whom left names.
func (s *socket) leave(m mover, now time.Duration, left leaver) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sl := &s.slots[m.id]; sl.generation == m.generation {
		s.forsake(sl)
		sl.left = left
		s.arm(sl.due, now)
	}
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
	m.ex.sends -= int(sl.sends)
	m.ex.end = s.end
	switch {
	case m.early && m.ex.place(s, m.id, m.generation): // it waits on
	case m.early:
		sl.due = sl.end
	case int(sl.sends) >= s.schedule(sl).Count:
		w.ended = append(w.ended, s.free(m.id))
		return
	case m.ex.place(s, m.id, m.generation):
		s.again(sl, now, w)
	default: // cancelled on its way: nobody wants it resent
		sl.due = sl.end
	}
	s.arm(sl.due, now)
}
