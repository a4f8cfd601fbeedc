package peers

import (
	"net"
	"testing"
)

// A UDP socket is found while it is open, without sending it anything.
func TestListeningUDP(t *testing.T) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	address := c.LocalAddr().String()
	if !ListeningUDP(address) {
		t.Errorf("expected a socket at %s", address)
	}
	c.Close()
	if ListeningUDP(address) {
		t.Errorf("expected no socket at %s", address)
	}
	if ListeningUDP("[::1]:1812") || ListeningUDP("nonsense") {
		t.Error("expected no socket at what is no IPv4 address")
	}
}
