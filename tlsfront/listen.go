package tlsfront

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// Addresses are addresses that a listener has, among those of all listeners.
type Addresses struct{ Own, All []netip.AddrPort }

// Listen returns a TCP listener for each of now's own addresses. An address that is also one
// of before keeps its listener in old; for the others Listen opens new ones, which it also
// returns as opened. The old listeners stay open. On an error it closes those that it has
// opened.
//
// The system chooses ports for those that are 0. 0.0.0.0 accepts IPv4 only. [::] accepts
// IPv4, too, unless an IPv4 address with the same port is listed.
func Listen(old []net.Listener, before, now Addresses) (ls, opened []net.Listener, err error) {
	type key struct {
		network string
		address netip.AddrPort
	}
	kept := map[key][]net.Listener{} // an address with port 0 may be listed several times
	for i, a := range before.Own {
		k := key{network(a, before.All), a}
		kept[k] = append(kept[k], old[i])
	}
	for _, a := range now.Own {
		k := key{network(a, now.All), a}
		if same := kept[k]; len(same) > 0 {
			ls, kept[k] = append(ls, same[0]), same[1:]
			continue
		}
		l, err := net.Listen(k.network, a.String())
		if err != nil {
			closeListeners(opened)
			if i := slices.IndexFunc(before.All, func(o netip.AddrPort) bool { return errors.Is(err, syscall.EADDRINUSE) && overlap(o, a) }); i >= 0 {
				return nil, nil, fmt.Errorf("cannot listen for RadSec on %s while this gateway still listens on %s: the kernel allows only one socket for both, and closing the old one first would refuse clients; use another port, or restart", a, before.All[i])
			}
			return nil, nil, fmt.Errorf("cannot listen for RadSec on %s: %w; %s", a, err, BindHint(err, a.Port()))
		}
		ls, opened = append(ls, l), append(opened, l)
	}
	return ls, opened, nil
}

// overlap reports whether a connection may be to both addresses. [::] accepts IPv4.
func overlap(a, b netip.AddrPort) bool {
	covers := func(a, b netip.Addr) bool { return a.IsUnspecified() && (a.Is6() || b.Is4()) }
	return a.Port() == b.Port() && (a.Addr() == b.Addr() || covers(a.Addr(), b.Addr()) || covers(b.Addr(), a.Addr()))
}

// network returns the network to pass to net.Listen for one of the addresses: with "tcp"
// an unspecified address of either family accepts both.
func network(a netip.AddrPort, all []netip.AddrPort) string {
	if a.Addr().Unmap().Is4() {
		return "tcp4"
	}
	if a.Addr().IsUnspecified() && !slices.ContainsFunc(all, func(o netip.AddrPort) bool { return o.Addr().Is4() && o.Port() == a.Port() }) {
		return "tcp"
	}
	return "tcp6"
}

// BindHint returns advice on an error of listening on a port.
func BindHint(err error, port uint16) string {
	switch {
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		if port < 1024 {
			return "ports below 1024 need the capability CAP_NET_BIND_SERVICE (AmbientCapabilities= of the systemd unit, setcap, or the sysctl net.ipv4.ip_unprivileged_port_start): grant it, or use a higher port"
		}
		return "a security policy of this machine forbids it"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "no interface of this machine has that address: is it right, and is the network up?"
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program uses the port, perhaps another radsec-gw or radsecproxy: \"ss -ltnp\" names it"
	}
	return "is the address right?"
}
