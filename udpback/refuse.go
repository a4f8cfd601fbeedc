package udpback

import (
	"time"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// portUnreachable acts on ICMP port unreachable: nobody listens where the requests that
// wait were sent. It can be forged, so it is a hint: what can go to another
// server goes there, and a true reply of this one still counts; what can go
// nowhere else is resent when it is due, because a server that restarts may be
// back in time. CoA and Disconnect have one NAS only, and end (RFC 5176 §3.5).
func (s *socket) portUnreachable() {
	now := s.ep.server.backend.Now()
	s.ep.server.requestLookup()
	if s.ep.inUse(s) {
		s.ep.server.tryNextAddress(s.address)
	}
	if latest := s.latestWaiting(); latest != 0 { // one message is as good as one silent request: without probes nothing else would count
		s.ep.health.Silent(latest)
	}
	o := moveServer
	if s.ep.label == metrics.PortCoA {
		o = failDynamic
	}
	s.order(o, now)
}

// latestWaiting is when the latest of the requests that wait was first sent; 0: none waits.
func (s *socket) latestWaiting() (latest time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.slots {
		if sl := &s.slots[id]; sl.state == slotWaiting && sl.ex.group != nil {
			latest = max(latest, sl.firstSent)
		}
	}
	return latest
}

// failRefused ends a CoA or Disconnect that waits where nobody listens. With mu held.
func (s *socket) failRefused(id wire.ServerID, w *dueWork) {
	sl := &s.slots[id]
	sl.ex.sends += s.sendsOf(sl)
	w.refused = append(w.refused, sl.ex)
	s.abandonSlot(sl)
}
