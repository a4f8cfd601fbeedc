package config

import (
	"net"
	"net/netip"
	"slices"
)

// readAddresses reads the addresses of [listen].
func readAddresses(t *table, l *Listen) {
	given := readListeners(t, "2083", &l.Address)
	if given && len(t.values["address"].([]any)) == 0 {
		t.r.wrong(joinKey(t.path, "address"), `expected at least one address such as "0.0.0.0:2083", got an empty array`)
	}
}

// readListeners reads addresses to listen on, none of which takes in another. Mistakes have
// the usual port.
func readListeners(t *table, port string, to *[]netip.AddrPort) bool {
	var list []netip.AddrPort
	given := t.texts("address", func(path, s string) {
		a, err := parseListenAddress(s, port)
		switch {
		case err != nil:
			t.r.wrong(path, "%v", err)
		case a.Port() != 0 && slices.Contains(list, a):
			t.r.wrong(path, "%q is listed twice: remove one", s)
		case slices.ContainsFunc(list, func(b netip.AddrPort) bool { return a.Addr().Is4() == b.Addr().Is4() && overlap(a, b) }):
			t.r.wrong(path, "%q is taken in by the unspecified address with the same port: remove one of them", s)
		default:
			list = append(list, a)
		}
	})
	if given {
		*to = list
	}
	return given
}

// overlap reports whether two listeners cannot both have their address. The
// unspecified IPv6 address takes IPv4, too.
func overlap(a, b netip.AddrPort) bool {
	takes := func(a, b netip.Addr) bool { return a.IsUnspecified() && (a.Is6() || b.Is4()) }
	return a.Port() != 0 && a.Port() == b.Port() && (a.Addr() == b.Addr() || takes(a.Addr(), b.Addr()) || takes(b.Addr(), a.Addr()))
}

// checkPorts notes a mistake when [metrics] has an address of [listen].
func checkPorts(r *reader, c *Config) {
	host, port, err := net.SplitHostPort(c.Metrics.Address)
	if err != nil {
		return // noted already
	}
	switch host {
	case "":
		host = "::"
	case "localhost":
		host = "127.0.0.1"
	}
	m, err := netip.ParseAddrPort(net.JoinHostPort(host, port))
	if err != nil {
		return // a name: its address is known when it is opened
	}
	for _, f := range c.Fronts() {
		for i, a := range f.Listen.Address {
			if f.Transport == TransportTLS && overlap(a, m) {
				at := joinIndex(f.Key("address"), i)
				r.wrong("metrics.address", "%q is where %s (%s) listens for RadSec: expected another port", c.Metrics.Address, at, r.places.where(at, "metrics.address"))
				return
			}
		}
	}
}
