//go:build linux && (amd64 || arm64)

package datagram

import (
	"encoding/binary"
	"net"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The local address of a datagram is a control message of recvmsg(2) and sendmsg(2): IP_PKTINFO
// on a socket of IPv4 (ip(7)), IPV6_PKTINFO on one of IPv6 (ipv6(7)), which has IPv4 addresses
// as IPv4-mapped ones.

// controlSize is the size of the longer of the two control messages, with its header.
const controlSize = (unix.SizeofCmsghdr + unix.SizeofInet6Pktinfo + 7) &^ 7

// control is the memory for the control messages of one system call.
type control [BatchSize][controlSize]byte

// askForLocal has the kernel give the local address of each datagram.
func askForLocal(u *net.UDPConn) (failed error) {
	raw, err := u.SyscallConn()
	if err != nil {
		return err
	}
	err = raw.Control(func(fd uintptr) {
		if u.LocalAddr().(*net.UDPAddr).IP.To4() != nil && !isIPv6(fd) {
			failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
			return
		}
		// Answers may come from an address that only a local route has (AnyIP). Best effort:
		// without it they need an interface's.
		unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_FREEBIND, 1)
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
	})
	if err != nil {
		return err
	}
	return failed
}

// isIPv6 reports whether a socket is one of IPv6, which may be bound to an IPv4-mapped address.
func isIPv6(fd uintptr) bool {
	domain, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DOMAIN)
	return err == nil && domain == unix.AF_INET6
}

// localIn returns the local address in the control message of a datagram that was received;
// the zero Addr if there is none.
func localIn(b []byte) netip.Addr {
	if len(b) < unix.SizeofCmsghdr {
		return netip.Addr{}
	}
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	data := b[unix.SizeofCmsghdr:]
	switch {
	case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
		return netip.AddrFrom4([4]byte(data[8:12])) // after the interface and the routing's address
	case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
		return netip.AddrFrom16([16]byte(data[:16])).Unmap()
	}
	return netip.Addr{}
}

// putLocal writes to b the control message that has a datagram to p sent from p's local
// address, and returns it.
func (p *Peer) putLocal(b *[controlSize]byte) []byte {
	clear(b[:])
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	if p.raw.Family == unix.AF_INET {
		h.Level, h.Type = unix.IPPROTO_IP, unix.IP_PKTINFO
		a := p.local.As4()
		copy(b[unix.SizeofCmsghdr+4:], a[:])
		h.SetLen(unix.SizeofCmsghdr + unix.SizeofInet4Pktinfo)
		return b[:unix.CmsgSpace(unix.SizeofInet4Pktinfo)]
	}
	h.Level, h.Type = unix.IPPROTO_IPV6, unix.IPV6_PKTINFO
	a := p.local.As16()
	copy(b[unix.SizeofCmsghdr:], a[:])
	if p.local.Is6() && p.local.IsLinkLocalUnicast() {
		binary.NativeEndian.PutUint32(b[unix.SizeofCmsghdr+16:], p.raw.Scope_id)
	}
	h.SetLen(unix.SizeofCmsghdr + unix.SizeofInet6Pktinfo)
	return b[:unix.CmsgSpace(unix.SizeofInet6Pktinfo)]
}
