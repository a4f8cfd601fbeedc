package dev

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"
)

// freeAddress returns address if it can be listened on, else the same host with a free port.
func freeAddress(address string, out io.Writer) (string, error) {
	l, err := net.Listen("tcp", address)
	if err == nil {
		return l.Addr().String(), l.Close()
	}
	host, _, splitErr := net.SplitHostPort(address)
	if splitErr != nil || !(errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.EACCES)) {
		return "", err
	}
	l, other := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if other != nil {
		return "", errors.Join(err, other)
	}
	fmt.Fprintf(out, "%s cannot be used (%v): using %s\n", address, errors.Unwrap(errors.Unwrap(err)), l.Addr())
	return l.Addr().String(), l.Close()
}

// udpAddress returns the UDP port of the same number as that of an address for TCP, if it is
// free, or else a free one of the loopback address.
func udpAddress(address string) (string, error) {
	if _, port, err := net.SplitHostPort(address); err == nil && port != "0" {
		if c, err := net.ListenPacket("udp", address); err == nil {
			return address, c.Close()
		}
	}
	return freeUDPAddress()
}

// freeUDPAddress returns a free UDP port of the loopback address.
func freeUDPAddress() (string, error) {
	l, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.LocalAddr().String(), l.Close()
}

// reachable returns where this machine reaches a listener on address: at the loopback
// address, which the development certificate has, if it listens on all addresses.
func reachable(address netip.AddrPort) string {
	if !address.Addr().IsUnspecified() {
		return address.String()
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), address.Port()).String()
}
