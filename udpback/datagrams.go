package udpback

import (
	"net"
	"net/netip"
	"sync"
)

const (
	batchSize    = 32   // datagrams that one system call moves
	datagramSize = 4096 // octets of a datagram that are looked at: RFC 2865 §3, the rest is padding

	socketBuffer = 4 << 20 // octets asked of the kernel: a burst of 256 full replies and its overhead
)

// datagrams is a connected UDP socket that moves several datagrams at a time.
// Its implementations are mmsg and single.
type datagrams interface {
	// send sends each of bufs as one datagram, in order, and returns how many the
	// kernel took; fewer than all only with an error.
	send(bufs [][]byte) (int, error)
	// receive waits for datagrams and hands over what has arrived, batch by batch, until
	// there is an error. An inbox is valid during the call of handle only.
	receive(handle func(*inbox)) error
	// unread reports whether datagrams have arrived that were not handled yet.
	unread() bool
	close() error
}

// inbox is one batch of received datagrams.
type inbox struct {
	n      int
	sizes  [batchSize]int
	vector vector // the arguments of the system call that fills it
	octets [batchSize][datagramSize]byte
}

func newInbox() *inbox {
	in := new(inbox)
	in.vector.point(in)
	return in
}

// datagram returns the i-th of the n datagrams.
func (in *inbox) datagram(i int) []byte { return in.octets[i][:in.sizes[i]] }

// dialer opens a connected socket to a server's port.
type dialer func(address netip.AddrPort) (datagrams, error)

// Dial connects a packet socket to a server's address and port. It does not wait.
type Dial func(address netip.AddrPort) (net.Conn, error)

// dialUDP connects a real UDP socket. The kernel drops what comes from anywhere
// but the server's address and port (RFC 2865 §3), and reports what the network says
// of them.
func dialUDP(address netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{Control: setOptions}
	c, err := d.Dial("udp", address.String())
	if err != nil {
		return nil, err
	}
	u := c.(*net.UDPConn)
	// Best effort: the kernel caps both at net.core.rmem_max and wmem_max.
	u.SetReadBuffer(socketBuffer)
	u.SetWriteBuffer(socketBuffer)
	return c, nil
}

// batching makes the sockets that dial connects move datagrams in batches where
// the system can. Inboxes are lent to whichever socket has something to read.
func batching(dial Dial) dialer {
	inboxes := &sync.Pool{New: func() any { return newInbox() }}
	return func(address netip.AddrPort) (datagrams, error) {
		c, err := dial(address)
		if err != nil {
			return nil, err
		}
		if u, ok := c.(*net.UDPConn); ok {
			return newDatagrams(u, inboxes)
		}
		return &single{conn: c, ins: inboxes}, nil
	}
}
