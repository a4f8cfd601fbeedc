package udpback

import (
	"errors"
	"net"
	"net/netip"
	"sync"

	"radsec-gw/udpback/datagram"
)

// park keeps an exchange for which no socket can be opened: it waits as if its server
// were silent, is tried again at each of its transmissions, and is sent at once when a
// socket is open. It has an Identifier of a parked socket, whose Conn is a nowhere.
func (set *socketSet) park(ex *Exchange) (reservation, error) {
	u, err := set.ep.admit(ex)
	if err != nil {
		return reservation{}, err
	}
	set.mu.Lock()
	defer set.mu.Unlock()
	if set.closed {
		return reservation{}, ErrNoSocket
	}
	for _, s := range set.parked {
		if it, ok := s.reserve(ex, u); ok {
			set.ep.addOutstanding(1)
			return it, nil
		}
	}
	if len(set.parked) >= set.ep.server.settings.Load().maxSockets {
		return reservation{}, ErrNoIdentifier
	}
	s := newSocket(set.ep, netip.Addr{}, newNowhere())
	set.parked = append(set.parked, s)
	it, _ := s.reserve(ex, u)
	set.ep.addOutstanding(1)
	return it, nil
}

// unpark orders the parked requests to move to the sockets in use. With mu held.
func (set *socketSet) unpark() {
	if len(set.parked) == 0 {
		return
	}
	parked := set.parked
	set.parked = nil
	set.retired = append(set.retired, parked...)
	now := set.ep.server.backend.Now()
	for _, s := range parked {
		s.order(moveSocket|moveSocketWhenDue, now)
	}
	set.closeLater(parked)
}

// reopen tries to open a socket for the parked requests.
func (set *socketSet) reopen() {
	if none := set.current.Load(); len(*none) == 0 {
		_ = set.grow(none) // reported by open
	}
}

// errNowhere is the error of sending on a parked socket.
var errNowhere = errors.New("no socket is open")

// nowhere is a Conn in place of one that cannot be opened: it sends and receives nothing.
type nowhere struct {
	once   sync.Once
	closed chan struct{}
}

func newNowhere() *nowhere { return &nowhere{closed: make(chan struct{})} }

func (n *nowhere) Send([][]byte) (int, error) { return 0, errNowhere }

func (n *nowhere) Receive(func(*datagram.Inbox)) error {
	<-n.closed
	return net.ErrClosed
}

func (n *nowhere) Unread() bool { return false }

func (n *nowhere) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}
