package udpback

import "net/netip"

// park keeps an exchange for which no socket can be opened: it waits as if its server
// were silent, is tried again at each of its transmissions, and goes on at once when a
// socket is there. Its Identifiers are those of sockets that lead nowhere.
func (e *endpoint) park(ex *Exchange) (reservation, error) {
	held, err := e.admit(ex)
	if err != nil {
		return reservation{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return reservation{}, ErrNoSocket
	}
	for _, s := range e.parked {
		if it, ok := s.reserve(ex, held); ok {
			e.addOutstanding(1)
			return it, nil
		}
	}
	if len(e.parked) >= e.server.settings.Load().maxSockets {
		return reservation{}, ErrNoIdentifier
	}
	s := newSocket(e, netip.Addr{}, newNowhere())
	e.parked = append(e.parked, s)
	it, _ := s.reserve(ex, held)
	e.addOutstanding(1)
	return it, nil
}

// unpark has what was parked go to the sockets in use. With mu held.
func (e *endpoint) unpark() {
	if len(e.parked) == 0 {
		return
	}
	parked := e.parked
	e.parked = nil
	e.retired = append(e.retired, parked...)
	now := e.server.backend.Now()
	for _, s := range parked {
		s.order(moveSocket|moveSocketWhenDue, now)
	}
	e.closeLater(parked)
}

// reopen tries to open a socket for what is parked.
func (e *endpoint) reopen() {
	if none := e.sockets.Load(); len(*none) == 0 {
		_ = e.grow(none) // told of by open
	}
}
