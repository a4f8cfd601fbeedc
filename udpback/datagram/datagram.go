package datagram

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"syscall"
)

const (
	// BatchSize is how many datagrams one system call moves at most.
	BatchSize = 32

	// MaxSize is how many octets of a received datagram are kept; the rest is cut off.
	// No RADIUS packet is longer, and what follows one is padding (RFC 2865 §3).
	MaxSize = 4096

	// MaxRecordSize is the same for a Listener of NewRecordListener: the largest record of
	// DTLS, of 2^14 octets, with its header and what its encryption adds.
	MaxRecordSize = 1<<14 + 256
)

// Conn is a connected socket that moves several datagrams at a time.
type Conn interface {
	// Send sends each of bufs as one datagram, in order, and returns how many the
	// kernel accepted; fewer than all only with an error. An error although all were
	// accepted is about an earlier datagram, as when nothing listens at the other end.
	Send(bufs [][]byte) (int, error)
	// Receive waits for datagrams and calls handle with each batch, until there is an
	// error. It may be called again after one. An Inbox is valid until handle returns.
	Receive(handle func(*Inbox)) error
	// Unread reports whether datagrams have arrived that are not handled yet. It reports
	// false where that is not known.
	Unread() bool
	// Close closes the socket: Receive returns net.ErrClosed. It waits for a handle that
	// is running, and so must not be called from one.
	Close() error
}

// Inbox is one batch of received datagrams.
type Inbox struct {
	n      int
	sizes  [BatchSize]int
	peers  [BatchSize]Peer // of a Listener's datagrams
	vector vector          // the arguments of the system call that fills it
	size   int             // of the memory for a datagram; 0: none was allocated yet
	octets []byte          // of BatchSize datagrams
}

// Len returns the number of datagrams.
func (in *Inbox) Len() int { return in.n }

// Datagram returns the i-th datagram.
func (in *Inbox) Datagram(i int) []byte { return in.memory(i)[:in.sizes[i]] }

// memory returns the memory for the i-th datagram.
func (in *Inbox) memory(i int) []byte { return in.octets[i*in.size:][:in.size] }

// Peer returns the sender of the i-th datagram of a Listener.
func (in *Inbox) Peer(i int) *Peer { return &in.peers[i] }

// Append adds a copy of a datagram; there is space for BatchSize. It is for other
// implementations of Conn, such as a test's network, to which the zero Inbox is empty.
func (in *Inbox) Append(d []byte) {
	if in.octets == nil {
		in.allocate(MaxSize)
	}
	in.sizes[in.n] = copy(in.memory(in.n), d)
	in.n++
}

func (in *Inbox) allocate(size int) { in.size, in.octets = size, make([]byte, BatchSize*size) }

// Reset removes all datagrams.
func (in *Inbox) Reset() { in.n = 0 }

// Dial connects a packet socket to an address and port, from a local address; the zero Addr
// leaves that to the system. It does not wait.
type Dial func(from netip.Addr, to netip.AddrPort) (net.Conn, error)

// socketBuffer is the size of the kernel's buffer in each direction: a burst of 256
// replies of full length and its overhead.
const socketBuffer = 4 << 20

// DialUDP is the Dial that opens UDP sockets. The kernel drops what arrives from anywhere
// but the address and port (RFC 2865 §3), and reports every error of the network.
func DialUDP(from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{Control: setOptions}
	if from.IsValid() {
		d.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
		if allow := allowAnyIP(from); allow != nil {
			d.Control = func(network, address string, c syscall.RawConn) error {
				if err := allow(network, address, c); err != nil {
					return err
				}
				return setOptions(network, address, c)
			}
		}
	}
	c, err := d.Dial("udp", to.String())
	if err != nil {
		return nil, err
	}
	u := c.(*net.UDPConn)
	// Best effort: the kernel caps both at net.core.rmem_max and wmem_max.
	u.SetReadBuffer(socketBuffer)
	u.SetWriteBuffer(socketBuffer)
	return c, nil
}

// CheckSource reports why no UDP socket can be bound to an address, nil if one can.
func CheckSource(from netip.Addr) error {
	l := net.ListenConfig{Control: allowAnyIP(from)}
	c, err := l.ListenPacket(context.Background(), "udp", netip.AddrPortFrom(from, 0).String())
	if err != nil {
		return err
	}
	return c.Close()
}

// NewDialer returns a function that opens a socket by dial. UDP sockets move datagrams
// in batches where the system can, others one by one. The memory to send from and
// to receive into is shared by all sockets of one dialer: an idle one has none.
func NewDialer(dial Dial) func(from netip.Addr, to netip.AddrPort) (Conn, error) {
	shared := newMemory(MaxSize, false, false)
	return func(from netip.Addr, to netip.AddrPort) (Conn, error) {
		c, err := dial(from, to)
		if err != nil {
			return nil, err
		}
		if u, ok := c.(*net.UDPConn); ok {
			return newConn(u, shared)
		}
		return &single{conn: c, inboxes: &shared.inboxes}, nil
	}
}

// memory is what sockets share: each uses it only while it sends or receives.
type memory struct {
	inboxes  sync.Pool // *Inbox
	outboxes sync.Pool // *outbox, where there are any
}

// newMemory returns the memory for sockets that keep size octets of a datagram, and that note
// the senders' addresses, or do not, and likewise the local addresses.
func newMemory(size int, withPeers, withLocal bool) *memory {
	return &memory{inboxes: sync.Pool{New: func() any { return newInbox(size, withPeers, withLocal) }}}
}

// newInbox returns an Inbox for the sockets of this package. withPeers has the senders'
// addresses noted, withLocal those that the datagrams came to.
func newInbox(size int, withPeers, withLocal bool) *Inbox {
	in := new(Inbox)
	in.allocate(size)
	in.vector.init(in, withPeers, withLocal)
	return in
}
