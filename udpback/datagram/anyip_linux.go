package datagram

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A local route makes every address of a prefix this machine's (AnyIP): of IPv4 a socket can
// be bound to such an address as to one of an interface, of IPv6 only with IPV6_FREEBIND. With
// that it could be bound to any address at all, so the route is looked up first.

// allowAnyIP lets a socket of IPv6 be bound to an address that a local route has.
func allowAnyIP(from netip.Addr) func(network, address string, c syscall.RawConn) error {
	if !from.Is6() || !hasLocalRoute(from) {
		return nil
	}
	return func(network, _ string, c syscall.RawConn) (failed error) {
		if !strings.HasSuffix(network, "6") {
			return nil
		}
		err := c.Control(func(fd uintptr) {
			failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_FREEBIND, 1)
		})
		if err != nil {
			return err
		}
		return failed
	}
}

// hasLocalRoute reports whether the kernel's route to an address ends at this machine. It
// makes system calls, and does not wait: netlink answers at once.
func hasLocalRoute(a netip.Addr) bool {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	const header, route, attribute = unix.SizeofNlMsghdr, unix.SizeofRtMsg, unix.SizeofRtAttr
	b := make([]byte, header+route+attribute+16)
	order := binary.NativeEndian
	order.PutUint32(b, uint32(len(b)))
	order.PutUint16(b[4:], unix.RTM_GETROUTE)
	order.PutUint16(b[6:], unix.NLM_F_REQUEST)
	b[header], b[header+1] = unix.AF_INET6, 128 // family, length of the destination
	order.PutUint16(b[header+route:], attribute+16)
	order.PutUint16(b[header+route+2:], unix.RTA_DST)
	octets := a.As16()
	copy(b[header+route+attribute:], octets[:])
	if unix.Sendto(fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}) != nil {
		return false
	}
	reply := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, reply, 0)
	typeAt := header + int(unsafe.Offsetof(unix.RtMsg{}.Type))
	return err == nil && n > typeAt && order.Uint16(reply[4:]) == unix.RTM_NEWROUTE && reply[typeAt] == unix.RTN_LOCAL
}
