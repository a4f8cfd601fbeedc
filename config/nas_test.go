package config

import (
	"fmt"
	"strings"
	"testing"
)

// A NAS is identified by its address unless the file says otherwise; a route may have
// operators and no realms.
// Rules: P87, P90
func TestNASAndOperators(t *testing.T) {
	for _, x := range []struct {
		server, address string
		identifiers     string
		addresses       string
	}{
		{"", "127.0.0.1", "[]", "[]"},
		{"nas=true\n", "192.168.0.7", "[]", "[192.168.0.7]"},
		{"nas=true\n", "::ffff:192.168.0.7", "[]", "[192.168.0.7]"},
		{"nas=true\nnas_identifier=['ap-7','AP 7']\n", "fd00::7", "[ap-7 AP 7]", "[fd00::7]"},
		{"nas=true\nnas_identifier=['ap-7']\nnas_ip_address=[]\n", "fd00::7", "[ap-7]", "[]"},
		{"nas=true\nnas_identifier=['ap-7']\n", "ap.example", "[ap-7]", "[]"},
		{"nas=true\nnas_ip_address=['192.0.2.1','2001:db8::1']\n", "ap.example", "[]", "[192.0.2.1 2001:db8::1]"},
	} {
		c, err := load(t, goodListen+goodClient+strings.Replace(goodServer, "127.0.0.1", x.address, 1)+x.server+"[[route]]\noperators=['wbaid:*', 'icc:x']\npackets=['coa']\nservers=['s']\n")
		if err != nil {
			t.Fatalf("%q: %v", x.server, err)
		}
		s := c.Servers[0]
		if got := fmt.Sprint(s.NASIdentifier); got != x.identifiers {
			t.Errorf("%q at %s is called %s, expected %s", x.server, x.address, got, x.identifiers)
		}
		if got := fmt.Sprint(s.NASIPAddress); got != x.addresses {
			t.Errorf("%q at %s has NAS addresses %s, expected %s", x.server, x.address, got, x.addresses)
		}
		if r := c.Routes[0]; fmt.Sprint(r.Operators) != "[wbaid:* icc:x]" || len(r.Realms) != 0 {
			t.Errorf("the route has operators %q and realms %q", r.Operators, r.Realms)
		}
	}
}
