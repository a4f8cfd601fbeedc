package dtlsfront_test

import (
	"net"
	"net/netip"
	"testing"

	"radsec-gw/dtlsfront"
	"radsec-gw/dtlsfront/handshake"
)

// A socket of all addresses, of both families, answers from the address that it was asked at.
// Rules: DT4
func TestAllAddresses(t *testing.T) {
	f := start(t, func(c *dtlsfront.Config, _ *handshake.Config) {
		c.Listeners[0].Close()
		l, err := dtlsfront.Listen(netip.MustParseAddrPort("[::]:0"))
		if err != nil {
			t.Fatal(err)
		}
		c.Listeners[0] = l
	})
	port := f.address.Port()
	for _, address := range []string{"127.0.0.1", "127.0.0.9", "::1"} {
		t.Run(address, func(t *testing.T) {
			f.address = netip.AddrPortFrom(netip.MustParseAddr(address), port)
			c, err := net.ListenPacket("udp", net.JoinHostPort(address, "0"))
			if err != nil {
				t.Fatal(err)
			}
			ask(t, f.dial(c), packet(1, 4096))
			s := f.session().session
			if got := s.LocalAddr(); got != f.address {
				t.Errorf("the session is at %v, expected %v", got, f.address)
			}
			if got := s.RemoteAddr(); got != c.LocalAddr().(*net.UDPAddr).AddrPort() {
				t.Errorf("its client is at %v, expected %v", got, c.LocalAddr())
			}
		})
	}
}

// An address that is in use is an error that names it.
func TestListenOnAnAddressInUse(t *testing.T) {
	f := start(t)
	if _, err := dtlsfront.Listen(f.address); err == nil {
		t.Error("the same address is listened on twice")
	}
}
