//go:build unix

package web

import (
	"net"
	"syscall"
)

// peek copies to b what has arrived on a connection and has not been read, without waiting.
// Another goroutine may be reading.
func peek(c net.Conn, b []byte) (n int) {
	s, ok := c.(syscall.Conn)
	if !ok {
		return 0
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) { // an error means that it is closed
		n, _, _ = syscall.Recvfrom(int(fd), b, syscall.MSG_PEEK)
	})
	return max(n, 0)
}
