package datagram

import (
	"net"
	"net/netip"
	"testing"
)

// listenLocal returns a Listener of NewLocalListener and its port.
func listenLocal(t *testing.T, network, address string) (*Listener, uint16) {
	t.Helper()
	c, err := net.ListenPacket(network, address)
	if err != nil {
		t.Fatalf("expected a socket of %s, got: %v", network, err)
	}
	l, err := NewLocalListener(c.(*net.UDPConn))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, c.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

// localOf returns the local address of the next datagram that l receives.
func localOf(t *testing.T, l *Listener) (local netip.Addr) {
	t.Helper()
	l.Receive(func(in *Inbox) {
		local = in.Peer(0).Local()
		go l.Close()
	})
	return local
}

// On every system the local address is known of a socket that is bound to one.
func TestLocalOfASocketThatHasOneAddress(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "::1"} {
		l, port := listenLocal(t, "udp", net.JoinHostPort(address, "0"))
		a := netip.MustParseAddr(address)
		c, err := net.Dial("udp", netip.AddrPortFrom(a, port).String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.Write([]byte("hello"))
		if got := localOf(t, l); got != a {
			t.Errorf("the local address is %v, expected %v", got, a)
		}
	}
}
