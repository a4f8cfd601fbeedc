package main

import (
	"context"
	"net"
	"net/netip"
	"testing"

	"radsec-gw/config"
	"radsec-gw/probe"
)

// hosts is a resolver with the addresses of each name. It answers as net.Resolver does.
type hosts map[string][]string

func (h hosts) LookupNetIP(_ context.Context, network, host string) (list []netip.Addr, err error) {
	for _, text := range h[host] {
		if a := netip.MustParseAddr(text); network == "ip" || network == "ip6" && a.Unmap().Is6() || network == "ip4" && a.Unmap().Is4() {
			list = append(list, a)
		}
	}
	switch {
	case h[host] == nil:
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	case list == nil:
		return nil, &net.AddrError{Err: "no suitable address found", Addr: host}
	}
	return list, nil
}

// probe -server sends to the address that the gateway sends to: of those that the server's
// source can reach, the first.
func TestFirstAddressIsOfTheSourcesFamily(t *testing.T) {
	names := hosts{"both": {"2001:db8::2", "2001:db8::1", "::ffff:192.0.2.9", "192.0.2.10"}, "old": {"192.0.2.1"}}
	for _, x := range []struct{ host, source, want, err string }{
		{"both", "", "192.0.2.9", ""},
		{"both", "192.0.2.77", "192.0.2.9", ""},
		{"both", "2001:db8::77", "2001:db8::1", ""},
		{"198.51.100.1", "", "198.51.100.1", ""},
		{"old", "2001:db8::77", "", "expected an IPv6 address of old, to which source = 2001:db8::77 can send, got none"},
		{"nobody", "", "", "looking up the address: lookup nobody: no such host"},
	} {
		var source netip.Addr
		if x.source != "" {
			source = netip.MustParseAddr(x.source)
		}
		got, err := firstAddress(t.Context(), names, x.host, source)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if got != x.want || text != x.err {
			t.Errorf("%s from %q: %q, %q; want %q, %q", x.host, x.source, got, text, x.want, x.err)
		}
	}
}

// Status-Server goes to whichever of the two ports there is, and the text for none names
// both.
func TestServerPort(t *testing.T) {
	for _, x := range []struct {
		kind             probe.Kind
		auth, acct, want uint16
		keys             string
	}{
		{probe.Status, 1812, 1813, 1812, "auth_port = 0 and acct_port"},
		{probe.Status, 0, 1813, 1813, "auth_port = 0 and acct_port"},
		{probe.Status, 0, 0, 0, "auth_port = 0 and acct_port"},
		{probe.Access, 0, 1813, 0, "auth_port"},
		{probe.Accounting, 1812, 0, 0, "acct_port"},
		{probe.CoA, 1812, 1813, 3799, "coa_port"},
	} {
		port, keys := serverPort(&config.Server{AuthPort: x.auth, AcctPort: x.acct, CoAPort: 3799}, x.kind)
		if port != x.want || keys != x.keys {
			t.Errorf("%s with auth %d, acct %d: %d, %q; want %d, %q", x.kind, x.auth, x.acct, port, keys, x.want, x.keys)
		}
	}
}
