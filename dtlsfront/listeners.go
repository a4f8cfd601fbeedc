package dtlsfront

import (
	"net"
	"slices"
	"time"

	"radsec-gw/locks"
	"radsec-gw/metrics"
)

// listeners are the sockets of a server. They can be replaced while it serves.
type listeners struct {
	mu      locks.Mutex[locks.DTLSListeners] // guards what follows
	open    []*Listener
	retired []*Listener // are closed when their sessions have ended
	serving bool
	closed  bool // the server stops
}

// SetListeners makes the server accept sessions on ls only. The sessions of the others end as
// soon as nothing is outstanding on them, or after a time; then their sockets are closed.
// Before Serve it only replaces the listeners that Serve starts with.
func (s *Server) SetListeners(ls []*Listener, within time.Duration) {
	l := &s.listeners
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.open
	l.open = slices.Clone(ls)
	for _, one := range l.open {
		if slices.Contains(before, one) {
			continue
		}
		one.server = s
		switch {
		case l.closed:
			one.Close()
		case l.serving:
			s.wg.Go(func() { s.receive(one) })
		}
	}
	for _, one := range before {
		if slices.Contains(l.open, one) {
			continue
		}
		if !l.serving || l.closed {
			one.Close()
			continue
		}
		one.retired.Store(true)
		l.retired = append(l.retired, one)
		s.wg.Go(func() { s.retire(one, within) })
	}
}

// retire ends the sessions of a listener, then closes it.
func (s *Server) retire(l *Listener, within time.Duration) {
	t := time.NewTicker(drainTick)
	defer t.Stop()
	end := time.NewTimer(within)
	defer end.Stop()
	for over := false; !over; {
		left := 0
		for _, session := range s.all() {
			if session.listener != l {
				continue
			}
			left++
			session.drain(metrics.ClosedShutdown, "its address is no longer configured; nothing was outstanding")
			session.check(time.Now())
		}
		select {
		case <-t.C:
			over = left == 0
		case <-end.C:
			over = true
		case <-s.ctx.Done():
			over = true
		}
	}
	for _, session := range s.all() {
		if session.listener == l {
			session.terminate(metrics.ClosedShutdown, "its address is no longer configured")
		}
	}
	s.closeEnded()
	l.Close()
	s.listeners.mu.Lock()
	defer s.listeners.mu.Unlock()
	s.listeners.retired = slices.DeleteFunc(s.listeners.retired, func(o *Listener) bool { return o == l })
}

// startListeners starts to receive on every listener.
func (s *Server) startListeners() {
	l := &s.listeners
	l.mu.Lock()
	defer l.mu.Unlock()
	l.serving = true
	for _, one := range l.open {
		s.wg.Go(func() { s.receive(one) })
	}
}

// closeListeners closes every listener permanently.
func (s *Server) closeListeners() {
	l := &s.listeners
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, one := range slices.Concat(l.open, l.retired) {
		one.Close()
	}
}

// addrs returns the addresses of the listeners, in their order.
func (s *Server) addrs() (list []net.Addr) {
	s.listeners.mu.Lock()
	defer s.listeners.mu.Unlock()
	for _, l := range s.listeners.open {
		list = append(list, net.UDPAddrFromAddrPort(l.Addr()))
	}
	return list
}

// allListeners returns the listeners, those included that are no longer configured and still
// have sessions.
func (s *Server) allListeners() []*Listener {
	l := &s.listeners
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Concat(l.open, l.retired)
}
