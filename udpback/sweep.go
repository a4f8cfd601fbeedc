package udpback

import (
	"time"

	"radsec-gw/wire"
)

// sweepGrain is how much later than due a resend may go, so that requests that
// fall due one after the other share a sweep and a system call.
const sweepGrain = 5 * time.Millisecond

// sweepings is what a sweep found, put down under the lock and carried out without it.
type sweepings struct {
	hasher    *wire.Hasher
	packets   [][]byte        // copies to send again, from the buffers
	ended     []*Exchange     // whose schedule is over
	moving    []mover         // claimed for another server
	silent    []time.Duration // when requests that fell due were first sent
	forgotten int             // abandoned slots whose schedule is over
}

// giveBack returns the copies and the sweepings themselves to where they came from.
func (w *sweepings) giveBack(b *Back) {
	for i, p := range w.packets {
		b.Buffers.Return(p)
		w.packets[i] = nil
	}
	clear(w.ended)
	clear(w.moving)
	w.packets, w.ended, w.moving, w.forgotten = w.packets[:0], w.ended[:0], w.moving[:0], 0
	w.silent = w.silent[:0]
	b.sweepings.Put(w)
}

// sweep runs when a slot may be due: it resends what is, and ends what has come
// to the end of its schedule (RFC 5080 §2.2.1). It looks at all 256 slots, which
// is cheaper than a timer or a heap entry for each request, because most
// requests are answered before they are ever due.
func (s *socket) sweep() {
	s.sweeping.Lock()
	defer s.sweeping.Unlock()
	b := s.end.server.back
	w := b.sweepings.Get().(*sweepings)
	defer w.giveBack(b)
	now := b.Now()

	s.mu.Lock()
	s.armed = 0
	next := time.Duration(0)
	for id := range s.slots {
		sl := &s.slots[id]
		if sl.state != slotWaiting && sl.state != slotAbandoned {
			continue
		}
		if sl.due <= now+sweepGrain {
			s.fallDue(wire.ServerID(id), now, w)
		}
		if (sl.state == slotWaiting || sl.state == slotAbandoned) && (next == 0 || sl.due < next) {
			next = sl.due
		}
	}
	if next != 0 {
		s.arm(next, now)
	}
	s.mu.Unlock()

	for _, first := range w.silent {
		s.end.judge.silence(first)
	}
	s.move(w, now)
	s.resend(w)
	s.finish(w)
}

// fallDue decides what becomes of a slot whose wait is over. With mu held: what
// must be done without the lock is put down in w.
func (s *socket) fallDue(id wire.ServerID, now time.Duration, w *sweepings) {
	sl := &s.slots[id]
	if sl.state == slotAbandoned {
		s.free(id)
		w.forgotten++
		return
	}
	if sl.ex.group != nil && sl.sends == 1 { // each request counts once
		w.silent = append(w.silent, sl.first)
	}
	if now+sweepGrain >= sl.end {
		w.ended = append(w.ended, s.free(id))
		return
	}
	if own := s.end.judge.now(); s.shouldMove(sl, now, own) {
		w.moving = append(w.moving, mover{ex: sl.claim(), id: id, generation: sl.generation, own: own})
		return
	}
	if int(sl.sends) >= s.schedule(sl).Count {
		w.ended = append(w.ended, s.free(id))
		return
	}
	s.again(sl, now, w)
}

// again puts a slot's packet down for another transmission: octet-identical,
// from the same port to the same port (RFC 2865 §2.5). It is copied, because a
// reply may free the packet while the copy is being sent. With mu held.
func (s *socket) again(sl *slot, now time.Duration, w *sweepings) {
	w.packets = append(w.packets, s.end.server.back.Buffers.Copy(sl.packet))
	sl.sends++
	sl.wait = s.schedule(sl).next(sl.wait, jitter())
	sl.due = min(now+sl.wait, sl.end)
}

// schedule is the one that the slot's exchange follows. With mu held.
func (s *socket) schedule(sl *slot) *Schedule {
	if sl.ex.schedule != nil {
		return sl.ex.schedule
	}
	return &s.end.server.schedule
}

// resend sends what fallDue put down.
func (s *socket) resend(w *sweepings) {
	if len(w.packets) == 0 {
		return
	}
	n, err := s.conn.send(w.packets)
	s.end.metrics.Resent(n)
	if err != nil {
		s.end.socketError(err)
	}
}

// finish ends the exchanges whose server stayed silent.
func (s *socket) finish(w *sweepings) {
	s.end.add(-w.forgotten - len(w.ended))
	for _, ex := range w.ended {
		if ex.group != nil { // probes are counted by themselves
			s.end.metrics.Timeout(1)
		}
		if f := ex.Handler.Fail(w.hasher, FailSilent, 0); f != nil {
			f.Flush()
		}
	}
}
