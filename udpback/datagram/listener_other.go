//go:build !(linux && (amd64 || arm64))

package datagram

import (
	"net"
	"net/netip"
)

// Peer is the address at the other end of a Listener's datagram. It may be copied.
type Peer struct{ address netip.AddrPort }

// AddrPort returns the peer's address and port.
func (p *Peer) AddrPort() netip.AddrPort {
	return netip.AddrPortFrom(p.address.Addr().Unmap(), p.address.Port())
}

// listenerSocket moves one datagram with each call.
type listenerSocket struct {
	conn *net.UDPConn
	in   *Inbox
}

func (s *listenerSocket) init(u *net.UDPConn) error {
	s.conn, s.in = u, newInbox(true)
	return nil
}

func (s *listenerSocket) receive(handle func(*Inbox)) error {
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(s.in.octets[0][:])
		if err != nil {
			return err
		}
		s.in.n, s.in.sizes[0], s.in.peers[0].address = 1, n, from
		handle(s.in)
	}
}

func (s *listenerSocket) send(bufs [][]byte, to []Peer) (int, error) {
	for i, b := range bufs {
		if _, err := s.conn.WriteToUDPAddrPort(b, to[i].address); err != nil {
			return i, err
		}
	}
	return len(bufs), nil
}

func (s *listenerSocket) close() error { return s.conn.Close() }
