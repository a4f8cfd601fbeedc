package udpback

import (
	"time"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// refuse acts on ICMP port unreachable: nobody listens where the requests that
// wait were sent. It can be forged, so it is a hint: what can go to another
// server goes there, and a true reply of this one still counts; what can go
// nowhere else is resent when it is due, because a server that restarts may be
// back in time. CoA and Disconnect have one NAS only, and end (RFC 5176 §3.5).
func (s *socket) refuse() {
	now := s.end.server.back.Now()
	s.end.server.suspectName()
	if s.end.uses(s) {
		s.end.server.tryNextAddress(s.address)
	}
	if latest := s.lastWaiting(); latest != 0 { // one message is as good as one silent request: without probes nothing else would count
		s.end.health.Silent(latest)
	}
	o := leaveServer
	if s.end.label == metrics.PortCoA {
		o = endDynamic
	}
	s.order(o, now)
}

// lastWaiting is when the latest of the requests that wait was first sent; 0: none waits.
func (s *socket) lastWaiting() (latest time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.slots {
		if sl := &s.slots[id]; sl.state == slotWaiting && sl.ex.group != nil {
			latest = max(latest, sl.first)
		}
	}
	return latest
}

// endRefused ends a CoA or Disconnect that waits where nobody listens. With mu held.
func (s *socket) endRefused(id wire.ServerID, w *sweepings) {
	sl := &s.slots[id]
	sl.ex.sends += s.sendsOf(sl)
	w.refused = append(w.refused, sl.ex)
	s.forsake(sl)
}
