package udpback

import (
	"errors"
	"syscall"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/udpback/datagram"
)

// failed notes that sending on a socket, or receiving, has failed. The socket's sweep
// soon does what follows from it: the caller may be relaying a packet.
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
	if blocked || datagram.IsLocal(err) { // the silence that follows says nothing about the server
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

// portUnreachable handles ICMP port unreachable: nothing listens on the port that the
// requests were sent to. It can be forged, so it is only a hint: a request that can go to
// another server goes there, and a valid reply of this one still counts; one that cannot
// is resent when it is due, because a server that restarts may be up in time. CoA and
// Disconnect have only one NAS, and end (RFC 5176 §3.5).
func (s *socket) portUnreachable() {
	now := s.ep.server.backend.Now()
	s.ep.server.requestLookup()
	if s.ep.sockets.uses(s) {
		s.ep.server.tryNextAddress(s.address)
	}
	if latest := s.latestWaiting(); latest != 0 { // one message counts as one silent request: without checks nothing else would count
		s.ep.health.Silent(latest)
	}
	o := moveServer
	if s.ep.label == metrics.PortCoA {
		o = failDynamic
	}
	s.order(o, now)
}

// latestWaiting returns when the latest of the requests that wait was first sent; 0: none
// waits.
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
