//go:build !(linux && (amd64 || arm64))

package datagram

import (
	"net"
	"net/netip"
)

// Peer is the address at the other end of a Listener's datagram. It may be copied.
type Peer struct {
	address netip.AddrPort
	local   netip.Addr
}

// AddrPort returns the peer's address and port.
func (p *Peer) AddrPort() netip.AddrPort {
	return netip.AddrPortFrom(p.address.Addr().Unmap(), p.address.Port())
}

// Local returns the address of this machine that the datagram came to. It is known only of a
// socket of NewLocalListener that is bound to one address.
func (p *Peer) Local() netip.Addr { return p.local }

// listenerSocket moves one datagram with each call.
type listenerSocket struct {
	conn  *net.UDPConn
	in    *Inbox
	local netip.Addr
}

func (s *listenerSocket) init(u *net.UDPConn, size int, withLocal bool) error {
	s.conn, s.in = u, newInbox(size, true, false)
	if a := u.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(); withLocal && !a.IsUnspecified() {
		s.local = a
	}
	return nil
}

func (s *listenerSocket) receive(handle func(*Inbox)) error {
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(s.in.memory(0))
		if err != nil {
			return err
		}
		s.in.n, s.in.sizes[0], s.in.peers[0] = 1, n, Peer{from, s.local}
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
