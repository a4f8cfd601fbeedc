package udpback

import (
	"cmp"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/udpback/datagram"

	"go.uber.org/goleak"
	"layeh.com/radius"

	"radsec-gw/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const second = time.Second

const secretText = "udp-Secret-1"

// transmission is one datagram as the fake server saw it.
type transmission struct {
	at     time.Duration // since the network was made
	octets []byte
	socket int // which socket of the address it came from
}

// network is a fake of every server's side of the wire, on the test's clock.
type network struct {
	t     *testing.T
	start time.Time

	mu       sync.Mutex
	sockets  []*fakeSocket
	received map[string][]transmission // by address
	// serve, when set, is called for every datagram; its answers go back at once.
	serve   func(address string, datagram []byte) [][]byte
	refused map[string]bool // addresses that nobody listens on
	// unreachable addresses answer with ICMP, which the reader gets.
	unreachable map[string]bool
	names       map[string][]netip.Addr // what host names are looked up to
	hang        bool                    // the name server does not answer
	lookups     int                     // of one family
	noWay       map[string]error        // addresses that no socket can be opened to
	cut         map[string]error        // addresses that every send to fails with
	forgotten   int                     // sockets of a lower number lead nowhere: NAT has another idea of them
	paused      chan struct{}           // while it is open no socket hands anything over; nil: they do
}

// ipOf is the address of a server that a test gives by a name of its own: "a" is
// 192.0.2.1, "b" 192.0.2.2, "s0" 198.51.100.1.
func ipOf(name string) netip.Addr {
	if name == "pods" {
		return netip.Addr{}
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(name, "s")); err == nil {
		return netip.AddrFrom4([4]byte{198, 51, 100, byte(n + 1)})
	}
	return netip.AddrFrom4([4]byte{192, 0, 2, name[0] - 'a' + 1})
}

// nameOf is the way back.
func nameOf(a netip.AddrPort) string {
	b := a.Addr().As4()
	if b[0] == 198 {
		return fmt.Sprintf("s%d:%d", b[3]-1, a.Port())
	}
	return fmt.Sprintf("%c:%d", 'a'+b[3]-1, a.Port())
}

// lookup is the network's name server.
func (n *network) lookup(ctx context.Context, network, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	all, hang := n.names[host], n.hang
	n.lookups++
	n.mu.Unlock()
	if hang {
		<-ctx.Done()
		return nil, &net.DNSError{Err: "i/o timeout", Name: host, IsTimeout: true}
	}
	if network == "ip6" || len(all) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return all, nil
}

// name makes a host name stand for the addresses of servers.
func (n *network) name(host string, servers ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.names[host] = nil
	for _, s := range servers {
		n.names[host] = append(n.names[host], ipOf(s))
	}
}

// waitWhilePaused waits until resume, when pause was called.
func (n *network) waitWhilePaused() {
	n.mu.Lock()
	paused := n.paused
	n.mu.Unlock()
	if paused != nil {
		<-paused
	}
}

// set changes what the network does.
func (n *network) set(change func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change()
}

func newNetwork(t *testing.T) *network {
	return &network{t: t, start: time.Now(), received: map[string][]transmission{}, refused: map[string]bool{},
		names: map[string][]netip.Addr{}, noWay: map[string]error{}, cut: map[string]error{}}
}

func (n *network) dial(_ netip.Addr, to netip.AddrPort) (datagram.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	address := nameOf(to)
	if err := n.noWay[address]; err != nil {
		return nil, err
	}
	s := &fakeSocket{net: n, address: address, number: len(n.sockets), in: make(chan []byte, 4096), icmp: make(chan struct{}, 4096), closed: make(chan struct{})}
	n.sockets = append(n.sockets, s)
	return s, nil
}

func (n *network) seen(address string) []transmission {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]transmission(nil), n.received[address]...)
}

func (n *network) isUnreachable(address string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.unreachable[address]
}

type fakeSocket struct {
	net     *network
	address string
	number  int
	in      chan []byte
	icmp    chan struct{}
	once    sync.Once
	closed  chan struct{}
	stale   error // what every send fails with; nil: none does. Guarded by network.mu
}

func (s *fakeSocket) Send(bufs [][]byte) (int, error) {
	s.net.mu.Lock()
	serve, refused := s.net.serve, s.net.refused[s.address]
	if err := cmp.Or(s.stale, s.net.cut[s.address]); err != nil {
		s.net.mu.Unlock()
		return 0, err
	}
	for _, b := range bufs {
		tr := transmission{at: time.Since(s.net.start), octets: append([]byte(nil), b...), socket: s.number}
		s.net.received[s.address] = append(s.net.received[s.address], tr)
	}
	lost := s.number < s.net.forgotten
	s.net.mu.Unlock()
	if lost {
		return len(bufs), nil
	}
	if refused {
		return 0, syscall.ECONNREFUSED
	}
	if s.net.isUnreachable(s.address) {
		s.icmp <- struct{}{}
		return len(bufs), nil
	}
	for _, b := range bufs {
		if serve == nil {
			break
		}
		for _, reply := range serve(s.address, append([]byte(nil), b...)) {
			s.in <- reply
		}
	}
	return len(bufs), nil
}

func (s *fakeSocket) Receive(handle func(*datagram.Inbox)) error {
	for {
		select {
		case <-s.icmp:
			return syscall.ECONNREFUSED
		case b := <-s.in:
			s.net.waitWhilePaused()
			in := new(datagram.Inbox)
			in.Append(b)
			handle(in)
		case <-s.closed:
			return net.ErrClosed
		}
	}
}

func (s *fakeSocket) Unread() bool { return len(s.in) > 0 }
func (s *fakeSocket) Close() error { s.once.Do(func() { close(s.closed) }); return nil }

// owner is an exchange's owner that records what becomes of it.
type owner struct {
	Exchange
	code     wire.Code
	writeErr error
	writes   int

	mu      sync.Mutex
	replies []wire.Code
	fails   []Failure
	causes  []uint32
	ended   chan struct{}
}

func newOwner(code wire.Code) *owner {
	o := &owner{code: code, ended: make(chan struct{}, 8)}
	o.Handler, o.Code, o.Kind = o, code, wire.KindOf(code)
	return o
}

// Write writes a packet of the owner's code with a random Request Authenticator.
func (o *owner) Write(d *wire.Digests, dst []byte, _ Hop, id wire.ServerID) (int, error) {
	o.writes++
	if o.writeErr != nil {
		return 0, o.writeErr
	}
	p := append(dst[:0], byte(o.code), byte(id), 0, 26)
	p = p[:20]
	d.Random(p[4:20])
	p = append(p, 1, 6, 'n', 'e', 'm', 'o')
	return len(p), nil
}

func (o *owner) Reply(_ *wire.Digests, dst []byte, reply *wire.View, _ *[16]byte, _ Hop) int {
	return copy(dst, reply.Packet)
}

func (o *owner) Deliver(packet []byte, _ *Touched) {
	o.mu.Lock()
	o.replies = append(o.replies, wire.Code(packet[0]))
	o.mu.Unlock()
	o.ended <- struct{}{}
}

func (o *owner) Fail(_ *wire.Hasher, why Failure, cause uint32, _ *Touched) {
	o.mu.Lock()
	o.fails, o.causes = append(o.fails, why), append(o.causes, cause)
	o.mu.Unlock()
	o.ended <- struct{}{}
}

// outcome is one word for what became of the exchange.
func (o *owner) outcome() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return fmt.Sprintf("replies %v fails %v", o.replies, o.fails)
}

// cause is the Error-Cause of the first failure; 0 when there was none.
func (o *owner) cause() uint32 {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.causes) == 0 {
		return 0
	}
	return o.causes[0]
}

// answered reports whether the exchange has had one reply.
func (o *owner) answered() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.replies) == 1
}

// answer is a right reply to request, by the field's library.
func answer(t testing.TB, request []byte, code radius.Code) []byte {
	t.Helper()
	p, err := radius.Parse(request, []byte(secretText))
	if err != nil {
		t.Fatalf("the server cannot read what it was sent: %v", err)
	}
	b, err := p.Response(code).Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// protocolError is a signed Protocol-Error with an Error-Cause, which the
// library has no code for.
func protocolError(request []byte, cause byte) []byte {
	b := []byte{byte(wire.CodeProtocolError), request[1], 0, 26}
	b = append(b, request[4:20]...)
	b = append(b, 101, 6, 0, 0, 1, cause)
	sum := md5.Sum(append(append([]byte(nil), b...), secretText...))
	copy(b[4:20], sum[:])
	return b
}

// pass lets d go by on the bubble's clock.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

var errTest = errors.New("the owner cannot write this")
