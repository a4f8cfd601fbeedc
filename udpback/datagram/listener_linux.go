//go:build linux && (amd64 || arm64)

package datagram

import (
	"net"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Peer is the address at the other end of a Listener's datagram. It may be copied.
type Peer struct {
	raw  unix.RawSockaddrInet6 // or a RawSockaddrInet4, which is shorter, as Family says
	size uint32                // of raw, as the kernel counts it

	local netip.Addr
}

// AddrPort returns the peer's address and port.
func (p *Peer) AddrPort() netip.AddrPort {
	port := (*[2]byte)(unsafe.Pointer(&p.raw.Port)) // the port is in the same place in both
	address := netip.AddrFrom16(p.raw.Addr)
	if p.raw.Family == unix.AF_INET {
		address = netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(&p.raw)).Addr)
	}
	return netip.AddrPortFrom(address.Unmap(), uint16(port[0])<<8|uint16(port[1]))
}

// Local returns the address of this machine that the datagram came to; the zero Addr if the
// Listener is not one of NewLocalListener, or it is not known.
func (p *Peer) Local() netip.Addr { return p.local }

// listenerSocket is an mmsg whose datagrams have peers.
type listenerSocket struct{ *mmsg }

func (s *listenerSocket) init(u *net.UDPConn, size int, withLocal bool) (err error) {
	if withLocal {
		if err := askForLocal(u); err != nil {
			return err
		}
	}
	if s.mmsg, err = newMmsg(u, newMemory(size, true, withLocal)); err == nil {
		s.lossy = withLocal
	}
	return err
}

func (s *listenerSocket) receive(handle func(*Inbox)) error { return s.Receive(handle) }

func (s *listenerSocket) send(bufs [][]byte, to []Peer) (int, error) { return s.sendTo(bufs, to) }

func (s *listenerSocket) close() error { return s.Close() }
