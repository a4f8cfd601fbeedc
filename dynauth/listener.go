package dynauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"radsec-gw/logs"
	"radsec-gw/udpback/datagram"
)

// Listener is a UDP socket that requests arrive on.
type Listener struct {
	// static after construction
	Address netip.AddrPort // as it was asked for
	socket  *datagram.Listener
	conn    *net.UDPConn
	// send sends answers; one that the kernel does not accept is lost, and its sender asks
	// again.
	send func(bufs [][]byte, to []origin)
	// passed says that the Listener is not a socket, but what another gateway has passed on; none
	// is called for a request that gets no answer. They are not set otherwise.
	passed bool
	none   func(lost bool)

	peers   sync.Pool   // *[]datagram.Peer
	retired atomic.Bool // no new requests are taken
	closing *time.Timer // of Retire; owned by its caller
}

// Listen opens a socket for one of some addresses. It does not wait. An unspecified address of
// IPv6 accepts IPv4, too, unless there is one of IPv4 with the same port.
func Listen(address netip.AddrPort, all ...netip.AddrPort) (*Listener, error) {
	conn, err := datagram.Listen(address, all...)
	if err != nil {
		return nil, err
	}
	socket, err := datagram.NewLocalListener(conn)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("cannot listen on %v: %w", address, err)
	}
	l := &Listener{Address: address, socket: socket, conn: conn}
	l.send = l.sendAll
	return l, nil
}

// sendAll sends answers on the socket.
func (l *Listener) sendAll(bufs [][]byte, to []origin) {
	peers, _ := l.peers.Get().(*[]datagram.Peer)
	if peers == nil {
		peers = new([]datagram.Peer)
	}
	*peers = (*peers)[:0]
	for i := range to {
		*peers = append(*peers, to[i].peer)
	}
	l.socket.Send(bufs, *peers)
	l.peers.Put(peers)
}

// Addr returns the address of the socket.
func (l *Listener) Addr() netip.AddrPort {
	a := l.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// Close closes the socket.
func (l *Listener) Close() error { return l.socket.Close() }

// Retire has the socket take no new requests: it closes when those that are pending must have
// been answered. It does not wait.
func (l *Listener) Retire(pending time.Duration) {
	l.retired.Store(true)
	l.closing = time.AfterFunc(pending, func() { l.Close() })
}

// Revive has the socket take requests again after Retire. It reports false if it has closed.
func (l *Listener) Revive() bool {
	if !l.closing.Stop() {
		return false
	}
	l.retired.Store(false)
	return true
}

// Serve handles the requests that arrive on a listener until it is closed or ctx is done, when
// it closes it.
func (s *Server) Serve(ctx context.Context, l *Listener) {
	defer context.AfterFunc(ctx, func() { l.Close() })()
	w := s.workers.Get().(*worker)
	defer s.workers.Put(w)
	for {
		err := l.socket.Receive(func(in *datagram.Inbox) { w.handle(l, in) })
		if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
			return
		}
		// An ICMP error about an answer, or one of this machine's.
		s.limits.receive.Log(func() logs.Line {
			return logs.Line{Log: s.log, Level: slog.LevelWarn, Text: "an error on a socket of [dynamic_authorization]; it is read on",
				Fields: []any{"address", l.Addr().String(), "error", err}}
		})
		if !datagram.IsUnreachable(err) && !isRefused(err) {
			time.Sleep(receivePause)
		}
	}
}

// receivePause is how long a socket rests after an error that may come again at once.
const receivePause = 100 * time.Millisecond
