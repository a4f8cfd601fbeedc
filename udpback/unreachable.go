package udpback

import (
	"errors"
	"syscall"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/udpback/datagram"
)

// failed notes that sending on a socket, or receiving, has failed. What follows from
// it is left to the socket's sweep, soon: the caller may be on a packet's way.
func (s *socket) failed(err error) {
	switch {
	case errors.Is(err, errNowhere):
		return // reported when the socket could not be opened
	case !s.current():
		s.ep.metrics.Count(metrics.ServerSocketErrors, 1) // what waits has been ordered to move
		return
	case errors.Is(err, syscall.ECONNREFUSED):
		s.ep.log.socketError(err)
		s.portUnreachable()
		return
	}
	s.ep.log.socketError(err)
	now := s.ep.server.backend.Now()
	blocked := datagram.IsUnreachable(err)
	if blocked || datagram.IsLocal(err) { // the silence that follows is not the server's
		s.mu.Lock()
		s.sendFailedAt = now
		s.mu.Unlock()
	}
	if !blocked {
		return
	}
	s.ep.unreachableAt.Store(int64(now))
	if datagram.IsSourceGone(err) {
		s.order(renewSocket|moveSocket|moveServer, now)
	} else {
		s.order(renewSocket|moveServer, now)
	}
}

// portUnreachable acts on ICMP port unreachable: nobody listens where the requests that
// wait were sent. It can be forged, so it is a hint: what can go to another
// server goes there, and a true reply of this one still counts; what can go
// nowhere else is resent when it is due, because a server that restarts may be
// back in time. CoA and Disconnect have one NAS only, and end (RFC 5176 §3.5).
func (s *socket) portUnreachable() {
	now := s.ep.server.backend.Now()
	s.ep.server.requestLookup()
	if s.ep.sockets.uses(s) {
		s.ep.server.tryNextAddress(s.address)
	}
	if latest := s.latestWaiting(); latest != 0 { // one message is as good as one silent request: without checks nothing else would count
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
