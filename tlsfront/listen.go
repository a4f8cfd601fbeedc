package tlsfront

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// Listen opens a TCP listener for each address; ports of 0 are chosen by the
// system. 0.0.0.0 takes IPv4 only. [::] takes IPv4, too, unless an IPv4 address
// with its port is listed. On an error those already open are closed.
func Listen(addresses []netip.AddrPort) ([]net.Listener, error) {
	ls, _, err := Relisten(nil, nil, addresses)
	return ls, err
}

// Relisten is Listen for a list that takes the place of another, of which have
// are the listeners: an address that is in both lists keeps its listener. opened
// are the listeners that are new; have are left open. On an error those already
// opened are closed.
func Relisten(have []net.Listener, of, addresses []netip.AddrPort) (ls, opened []net.Listener, err error) {
	type key struct {
		network string
		address netip.AddrPort
	}
	kept := map[key][]net.Listener{} // of an address with port 0 there may be several
	for i, a := range of {
		k := key{network(a, of), a}
		kept[k] = append(kept[k], have[i])
	}
	for _, a := range addresses {
		k := key{network(a, addresses), a}
		if same := kept[k]; len(same) > 0 {
			ls, kept[k] = append(ls, same[0]), same[1:]
			continue
		}
		l, err := net.Listen(k.network, a.String())
		if err != nil {
			closeListeners(opened)
			if i := slices.IndexFunc(of, func(o netip.AddrPort) bool { return errors.Is(err, syscall.EADDRINUSE) && overlap(o, a) }); i >= 0 {
				return nil, nil, fmt.Errorf("cannot listen for RadSec on %s while this gateway still listens on %s: the kernel gives these to one socket only, and closing the old one first would refuse clients; take another port, or restart", a, of[i])
			}
			return nil, nil, fmt.Errorf("cannot listen for RadSec on %s: %w; is another program using the port?", a, err)
		}
		ls, opened = append(ls, l), append(opened, l)
	}
	return ls, opened, nil
}

// overlap reports whether a connection to one of the addresses may be one to the
// other, too. [::] takes IPv4.
func overlap(a, b netip.AddrPort) bool {
	takes := func(a, b netip.Addr) bool { return a.IsUnspecified() && (a.Is6() || b.Is4()) }
	return a.Port() == b.Port() && (a.Addr() == b.Addr() || takes(a.Addr(), b.Addr()) || takes(b.Addr(), a.Addr()))
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
