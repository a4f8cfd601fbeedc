package gatewaytest

import (
	"net"
	"testing"
)

// UnusedAddress returns a loopback address with a port that was free a moment ago.
func UnusedAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Listening reports whether anybody listens on a TCP address.
func Listening(address string) bool {
	c, err := net.DialTimeout("tcp", address, Patience)
	if err != nil {
		return false
	}
	c.Close()
	return true
}
