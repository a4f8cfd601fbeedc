package datagram

import (
	"net"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// setOptions prepares a UDP socket before it is connected.
//
// Datagrams may be fragmented on the way (IP_MTU_DISCOVER off): RADIUS packets of up
// to 4096 octets must pass tunnels whose routers' ICMP messages get lost, and no other
// RADIUS program sets the DF bit. And every ICMP error is reported (IP_RECVERR), where by
// default a connected socket gets only those about closed ports.
func setOptions(network, _ string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		if strings.HasSuffix(network, "6") {
			failed = set(int(fd), unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_DONT, unix.IPV6_RECVERR)
			return
		}
		failed = set(int(fd), unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT, unix.IP_RECVERR)
	})
	if err != nil {
		return err
	}
	return failed
}

func set(fd, level, discover, off, report int) error {
	if err := unix.SetsockoptInt(fd, level, discover, off); err != nil {
		return err
	}
	return unix.SetsockoptInt(fd, level, report, 1)
}

// allowFragments has the datagrams of an unconnected socket fragmented on the way. One of IPv6
// may send to IPv4 addresses, too.
func allowFragments(u *net.UDPConn) (failed error) {
	raw, err := u.SyscallConn()
	if err != nil {
		return err
	}
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT)
		if domain, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DOMAIN); err == nil && domain == unix.AF_INET6 {
			failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_DONT)
		}
	})
	if err != nil {
		return err
	}
	return failed
}
