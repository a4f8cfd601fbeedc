package datagram

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// listenBuffer is the size of the kernel's buffer of a Listener in each direction: thousands of
// requests, of thousands of peers.
const listenBuffer = 4 << 20

// Listen opens an unconnected socket for one of some addresses, with large buffers. It does not
// wait. An unspecified address of IPv6 accepts IPv4, too, unless there is one of IPv4 with the
// same port.
func Listen(address netip.AddrPort, all ...netip.AddrPort) (*net.UDPConn, error) {
	plain := netip.AddrPortFrom(address.Addr().Unmap(), address.Port())
	network := "udp4"
	if plain.Addr().Is6() {
		network = "udp6"
		ofIPv4 := func(o netip.AddrPort) bool { return o.Addr().Unmap().Is4() && o.Port() == plain.Port() }
		if plain.Addr().IsUnspecified() && !slices.ContainsFunc(all, ofIPv4) {
			network = "udp"
		}
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(plain))
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %v: %w", address, err)
	}
	conn.SetReadBuffer(listenBuffer) // best effort, as for the sockets to servers
	conn.SetWriteBuffer(listenBuffer)
	return conn, nil
}
