package dev

import (
	"bytes"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// A port in use is replaced by a free one, and dev says so.
func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var out bytes.Buffer
	address, err := freeAddress(l.Addr().String(), &out)
	if err != nil || address == l.Addr().String() || !strings.Contains(out.String(), "using "+address) {
		t.Errorf("took %q (%v) and said %q, want another port and a word about it", address, err, out.String())
	}
	if _, err := freeAddress("192.0.2.1:2083", &out); err == nil {
		t.Error("an address that is not this machine's was taken")
	}
}

// A listener on all addresses is reached at the loopback address, which is in the certificate.
func TestReachable(t *testing.T) {
	for listener, want := range map[string]string{
		"[::]:2083":     "127.0.0.1:2083",
		"0.0.0.0:2083":  "127.0.0.1:2083",
		"[::1]:2083":    "[::1]:2083",
		"127.0.0.2:443": "127.0.0.2:443",
	} {
		if got := reachable(netip.MustParseAddrPort(listener)); got != want {
			t.Errorf("%s: expected %s, got %s", listener, want, got)
		}
	}
}
