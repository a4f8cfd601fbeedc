//go:build !(linux && (amd64 || arm64))

package datagram

import (
	"net"
	"net/netip"
	"testing"
)

// A socket that is bound to no address in particular has no local address here.
func TestLocalOfASocketThatHasManyAddresses(t *testing.T) {
	l, port := listenLocal(t, "udp4", "0.0.0.0:0")
	c, err := net.Dial("udp", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port).String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write([]byte("hello"))
	if got := localOf(t, l); got.IsValid() {
		t.Errorf("the local address is %v, expected none", got)
	}
}
