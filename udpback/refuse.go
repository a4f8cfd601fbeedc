package udpback

import (
	"time"

	"radsec-gw/wire"
)

// refuse acts on ICMP port unreachable: nobody listens where the requests that
// wait were sent. It can be forged, so it is a hint: what can go to another
// server goes there, and a true reply of this one still counts; what can go
// nowhere else is resent when it is due, because a server that restarts may be
// back in time. CoA and Disconnect have one NAS only, and end (RFC 5176 §3.5).
func (s *socket) refuse() {
	if s.end.label == coaLabel {
		s.refuseDynamic()
		return
	}
	s.sweeping.Lock()
	defer s.sweeping.Unlock()
	b := s.end.server.back
	w := b.sweepings.Get().(*sweepings)
	defer w.giveBack(b)
	s.mu.Lock()
	own, latest := s.end.judge.now(), time.Duration(0)
	for id := range s.slots {
		sl := &s.slots[id]
		if sl.state == slotWaiting && s.mayLeave(sl) && sl.ex.group.elsewhere(sl.ex, own) {
			latest = max(latest, sl.first)
			w.moving = append(w.moving, mover{ex: sl.claim(), id: wire.ServerID(id), generation: sl.generation, own: own, early: true})
		}
	}
	s.mu.Unlock()
	if latest != 0 { // one message is as good as one silent request: without probes nothing else would count
		s.end.judge.silence(latest)
	}
	s.move(w, b.Now())
	s.finish(w)
}

// refuseDynamic ends every CoA and Disconnect that waits.
func (s *socket) refuseDynamic() {
	var refused []*Exchange
	latest := time.Duration(0)
	s.mu.Lock()
	for id := range s.slots {
		if sl := &s.slots[id]; sl.state == slotWaiting && sl.ex.group != nil {
			sl.ex.sends += int(sl.sends)
			refused, latest = append(refused, sl.ex), max(latest, sl.first)
			s.forsake(sl)
			s.arm(sl.due, s.end.server.back.Now())
		}
	}
	s.mu.Unlock()
	if latest != 0 {
		s.end.judge.silence(latest)
	}
	h := wire.NewHasher()
	for _, ex := range refused {
		if f := ex.Handler.Fail(h, FailRefused, 0); f != nil {
			f.Flush()
		}
	}
}
