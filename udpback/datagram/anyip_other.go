//go:build !linux

package datagram

import (
	"net/netip"
	"syscall"
)

// allowAnyIP returns nil where there is no AnyIP.
func allowAnyIP(netip.Addr) func(network, address string, c syscall.RawConn) error { return nil }
