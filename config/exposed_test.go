package config

import (
	"net/netip"
	"testing"
)

// RADIUS over UDP is for this machine and private networks (RFC 6613 §2,
// draft-ietf-radext-deprecating-radius §6.1).
// Rules: C12
func TestExposedAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1": false, "127.9.9.9": false, "::1": false, "::ffff:127.0.0.1": false,
		"10.0.0.1": false, "172.31.255.255": false, "192.168.0.1": false, "fd00::1": false, "::ffff:10.0.0.1": false,
		"169.254.0.1": false, "fe80::1": false,
		"172.32.0.1": true, "192.0.2.1": true, "8.8.8.8": true, "2001:db8::1": true, "::ffff:192.0.2.1": true, "100.64.0.1": true,
	} {
		if got := exposed(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: expected that a server there is warned of to be %t, got %t", address, want, got)
		}
	}
}
