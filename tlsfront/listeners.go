package tlsfront

import (
	"context"
	"net"
	"slices"

	"radsec-gw/locks"
)

// listeners are the listeners of a server. They can be replaced while it serves.
type listeners struct {
	mu     locks.Mutex[locks.Listeners] // guards what follows
	ctx    context.Context
	open   []net.Listener
	closed bool // the server drains or stops
}

// SetListeners makes the server accept connections on ls only: it starts new listeners,
// closes those that are not in ls, and keeps the others. Connections stay open. Before
// Serve, it only replaces the listeners that Serve starts with; after Drain, or the end
// of Serve, it closes ls.
func (s *Server) SetListeners(ls []net.Listener) {
	l := &s.listeners
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.open
	l.open = slices.Clone(ls)
	if l.closed {
		closeListeners(l.open)
		return
	}
	for _, one := range l.open {
		if l.ctx != nil && !slices.Contains(before, one) {
			s.serveOn(one)
		}
	}
	for _, one := range before {
		if !slices.Contains(l.open, one) {
			one.Close()
			s.cfg.Log.Info("no longer listening for RadSec", "address", one.Addr().String())
		}
	}
}

// startListeners starts accepting on every listener, until ctx is done.
func (s *Server) startListeners(ctx context.Context) {
	l := &s.listeners
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.ctx = ctx
	for _, one := range l.open {
		s.serveOn(one)
	}
}

// serveOn starts accepting on one listener, until it is closed. Called with listeners.mu
// held, and not closed: Serve is not waiting for the goroutines yet.
func (s *Server) serveOn(one net.Listener) {
	s.cfg.Log.Info("listening for RadSec", "address", one.Addr().String())
	ctx := s.listeners.ctx
	s.wg.Go(func() { s.accept(ctx, one) })
}

// stopListeners closes every listener permanently.
func (s *Server) stopListeners() {
	l := &s.listeners
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	closeListeners(l.open)
}

// Addrs returns the addresses of the listeners, in their order.
func (s *Server) Addrs() []net.Addr {
	l := &s.listeners
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []net.Addr
	for _, one := range l.open {
		list = append(list, one.Addr())
	}
	return list
}

func closeListeners(ls []net.Listener) {
	for _, l := range ls {
		l.Close()
	}
}
