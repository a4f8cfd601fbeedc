package datagram

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The zero Inbox is empty and keeps what is appended, until Reset; a datagram that is too
// long is cut off.
func TestInbox(t *testing.T) {
	in := new(Inbox)
	if in.Len() != 0 {
		t.Errorf("the zero Inbox has %d datagrams, expected none", in.Len())
	}
	for range 2 {
		b := []byte("one")
		in.Append(b)
		b[0] = 'x' // the Inbox has a copy
		in.Append(nil)
		in.Append(bytes.Repeat([]byte{7}, MaxSize+1))
		if in.Len() != 3 || string(in.Datagram(0)) != "one" || len(in.Datagram(1)) != 0 || !bytes.Equal(in.Datagram(2), bytes.Repeat([]byte{7}, MaxSize)) {
			t.Errorf("%d datagrams, %q, %q and one of %d octets; expected 3: \"one\", nothing, one of %d", in.Len(), in.Datagram(0), in.Datagram(1), len(in.Datagram(2)), MaxSize)
		}
		in.Reset()
		if in.Len() != 0 {
			t.Errorf("%d datagrams after Reset, expected none", in.Len())
		}
	}
}

// What dial returns is the socket that is used; an error of it is returned.
func TestNewDialer(t *testing.T) {
	failed := errors.New("no socket")
	to := netip.MustParseAddrPort("192.0.2.1:1812")
	c := &fullConn{takes: 1}
	dial := NewDialer(func(_ netip.Addr, address netip.AddrPort) (net.Conn, error) {
		if address != to {
			return nil, failed
		}
		return c, nil
	})
	if _, err := dial(netip.Addr{}, netip.AddrPort{}); err != failed {
		t.Errorf("the error is %v, expected %v", err, failed)
	}
	s, err := dial(netip.Addr{}, to)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.Send([][]byte{[]byte("hello")}); n != 1 || err != nil || len(c.took) != 1 {
		t.Errorf("Send returned %d, %v, and %d datagrams were written; expected 1", n, err, len(c.took))
	}
}

// A socket cannot be opened to an address that is not one.
func TestDialUDPFails(t *testing.T) {
	if c, err := DialUDP(netip.Addr{}, netip.AddrPort{}); err == nil {
		c.Close()
		t.Error("DialUDP of no address returned no error")
	}
}

// A socket has the local address that it was asked for, or the system's choice.
func TestDialUDPFrom(t *testing.T) {
	for _, from := range []netip.Addr{{}, netip.MustParseAddr("127.0.0.1")} {
		c, err := NewDialer(DialUDP)(from, netip.MustParseAddrPort("127.0.0.1:9"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if got := c.(interface{ LocalAddr() net.Addr }).LocalAddr().(*net.UDPAddr).AddrPort().Addr(); got.Unmap() != netip.MustParseAddr("127.0.0.1") {
			t.Errorf("from %v: the local address is %v", from, got)
		}
	}
	if c, err := DialUDP(netip.MustParseAddr("192.0.2.77"), netip.MustParseAddrPort("127.0.0.1:9")); !IsSourceGone(err) {
		if c != nil {
			c.Close()
		}
		t.Errorf("from an address of another machine: %v, expected an error that says so", err)
	}
}
