package importer

import (
	"net/netip"
	"slices"
	"strconv"
)

// IsPort reports whether s is the number of a port.
func IsPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

// SameFamily reports whether a source may be that of a server's address: an IP address of
// the other family may not.
func SameFamily(source netip.Addr, address string) bool {
	addr, err := netip.ParseAddr(address)
	return err != nil || addr.Is4() == source.Is4()
}

// ListenAddresses removes addresses that are listed twice, and those that an unspecified
// one with the same port covers, which the gateway would refuse.
func ListenAddresses(all []string) (kept []string) {
	var parsed []netip.AddrPort
	for _, s := range all {
		if a, err := netip.ParseAddrPort(s); err == nil && !slices.Contains(parsed, a) {
			parsed = append(parsed, a)
		}
	}
	for _, a := range parsed {
		covered := slices.ContainsFunc(parsed, func(b netip.AddrPort) bool {
			if a == b || a.Port() != b.Port() || !b.Addr().IsUnspecified() {
				return false
			}
			return a.Addr().Is6() == b.Addr().Is6() || a.Addr().Is4() && !a.Addr().IsUnspecified()
		})
		if !covered {
			kept = append(kept, a.String())
		}
	}
	return kept
}
