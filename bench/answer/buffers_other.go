//go:build !linux

package answer

import "net"

func enlargeBuffers(*net.UDPConn) {}
