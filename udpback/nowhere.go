package udpback

import (
	"errors"
	"net"
	"sync"

	"radsec-gw/udpback/datagram"
)

// errNowhere is what sending on a parked socket gives.
var errNowhere = errors.New("no socket is open")

// nowhere stands for a socket that cannot be opened: it sends and receives nothing.
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
