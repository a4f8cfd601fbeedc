package tlsfront

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// Listen opens a TCP listener for each address; ports of 0 are chosen by the
// system. 0.0.0.0 takes IPv4 only. [::] takes IPv4, too, unless an IPv4 address
// with its port is listed. On an error those already open are closed.
func Listen(addresses []netip.AddrPort) ([]net.Listener, error) {
	var ls []net.Listener
	for _, a := range addresses {
		l, err := net.Listen(network(a, addresses), a.String())
		if err != nil {
			for _, l := range ls {
				l.Close()
			}
			return nil, fmt.Errorf("listening for RadSec on %s: %w", a, err)
		}
		ls = append(ls, l)
	}
	return ls, nil
}

// network is what net.Listen has to be told for one of the addresses, since for
// "tcp" any unspecified address takes both families.
func network(a netip.AddrPort, all []netip.AddrPort) string {
	if a.Addr().Unmap().Is4() {
		return "tcp4"
	}
	if a.Addr().IsUnspecified() && !slices.ContainsFunc(all, func(o netip.AddrPort) bool { return o.Addr().Is4() && o.Port() == a.Port() }) {
		return "tcp"
	}
	return "tcp6"
}
