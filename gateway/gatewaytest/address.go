package gatewaytest

import (
	"testing"

	"radsec-gw/bench/ports"
)

// UnusedAddress returns a loopback address with a port that was free a moment ago.
func UnusedAddress(t testing.TB) string {
	t.Helper()
	address, err := ports.Address()
	if err != nil {
		t.Fatal(err)
	}
	return address
}
