package answer

import (
	"net"

	"golang.org/x/sys/unix"
)

// enlargeBuffers makes space for a burst from every connection. The forced option needs
// CAP_NET_ADMIN, and is not limited by net.core.rmem_max.
func enlargeBuffers(c *net.UDPConn) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	const size = 32 << 20
	_ = raw.Control(func(fd uintptr) { // an open socket
		for forced, plain := range map[int]int{unix.SO_RCVBUFFORCE: unix.SO_RCVBUF, unix.SO_SNDBUFFORCE: unix.SO_SNDBUF} {
			if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, forced, size) != nil {
				_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, plain, size) // as much as the system allows
			}
		}
	})
}
