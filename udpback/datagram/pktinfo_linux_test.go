//go:build linux && (amd64 || arm64)

package datagram

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// dialLocal returns a connected client of a Listener's port at each address.
func dialLocal(t *testing.T, port uint16, addresses ...string) (clients []net.Conn) {
	t.Helper()
	for _, a := range addresses {
		c, err := net.Dial("udp", netip.AddrPortFrom(netip.MustParseAddr(a), port).String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		clients = append(clients, c)
	}
	return clients
}

// A Listener knows at which of its addresses it was asked, and answers from there: a connected
// client gets nothing that comes from another.
// Rules: RC8
func TestListenerAnswersFromTheAddressThatWasAsked(t *testing.T) {
	for _, row := range []struct {
		network, address string
		asked            []string
	}{
		{"udp4", "127.0.0.1:0", []string{"127.0.0.1"}},
		{"udp4", "0.0.0.0:0", []string{"127.0.0.1", "127.0.1.7", "127.200.0.3"}},
		{"udp6", "[::1]:0", []string{"::1"}},
		{"udp", "[::]:0", []string{"::1", "127.0.0.1", "127.0.1.7"}},
		{"udp", ":0", []string{"127.0.1.9", "::1"}},
	} {
		t.Run(row.network+" "+row.address, func(t *testing.T) {
			l, port := listenLocal(t, row.network, row.address)
			go l.Receive(func(in *Inbox) {
				var bufs [][]byte
				var to []Peer
				for i := range in.Len() {
					p := *in.Peer(i)
					bufs = append(bufs, fmt.Appendf(nil, "%s at %v", in.Datagram(i), p.Local()))
					to = append(to, p)
				}
				if n, err := l.Send(bufs, to); n != len(bufs) || err != nil {
					t.Errorf("Send of %d answers returned %d, %v", len(bufs), n, err)
				}
			})
			clients := dialLocal(t, port, row.asked...)
			for i := range BatchSize { // the addresses mixed in each batch
				for _, c := range clients {
					fmt.Fprintf(c, "%d", i)
				}
			}
			b := make([]byte, 100)
			for n, c := range clients {
				c.SetReadDeadline(time.Now().Add(20 * time.Second))
				for i := range BatchSize {
					size, err := c.Read(b)
					if want := fmt.Sprintf("%d at %s", i, row.asked[n]); err != nil || string(b[:size]) != want {
						t.Fatalf("the answer is %q, and %v, expected %q", b[:size], err, want)
					}
				}
			}
		})
	}
}

// A Listener that did not ask for local addresses has none, nor has a datagram whose control
// message is missing, cut off or another one; what an earlier datagram had is not kept.
func TestNoLocalAddress(t *testing.T) {
	l, c := greeted(t)
	l.Receive(func(in *Inbox) {
		if a := in.Peer(0).Local(); a.IsValid() {
			t.Errorf("the local address is %v, expected none", a)
		}
		go l.Close()
	})
	c.Close()
	p := Peer{local: netip.MustParseAddr("127.0.1.7")}
	p.raw.Family = 2 // AF_INET
	var b [controlSize]byte
	whole := p.putLocal(&b)
	copy(whole[24:28], p.local.AsSlice()) // where the kernel writes the header's destination
	if got := localIn(whole); got != p.local {
		t.Errorf("the control message has %v, expected %v", got, p.local)
	}
	for n := range len(whole) - 4 {
		if got := localIn(whole[:n]); got.IsValid() {
			t.Errorf("%d octets of a control message have the address %v, expected none", n, got)
		}
	}
	other := bytes.Clone(whole)
	other[12]++ // its type
	if got := localIn(other); got.IsValid() {
		t.Errorf("another control message has the address %v, expected none", got)
	}
}

// One Send carries more than a system call does, to peers of several local addresses and to
// one that has none: each datagram comes from its own peer's address, and no memory of a call
// keeps an address for the next.
// Rules: RC8
func TestSendFromSeveralLocalAddresses(t *testing.T) {
	for address, asked := range map[string][]string{
		"0.0.0.0:0": {"127.0.1.7", "127.0.0.1", "127.200.0.3"},
		"[::]:0":    {"127.0.1.7", "::1", "127.200.0.3"},
	} {
		l, port := listenLocal(t, "udp", address)
		clients := dialLocal(t, port, asked...)
		var peers []Peer
		for _, c := range clients {
			c.Write([]byte("hello"))
		}
		received := make(chan Peer, len(clients))
		go l.Receive(func(in *Inbox) {
			for i := range in.Len() {
				received <- *in.Peer(i)
			}
		})
		for range clients {
			peers = append(peers, <-received) // in the order in which they were sent
		}
		peers[1].local = netip.Addr{} // the system's choice, which is right for a main address

		const rounds = 3 * BatchSize // of three datagrams each, so that each place in a call has each peer
		var bufs [][]byte
		var to []Peer
		for i := range rounds {
			for n := range peers {
				bufs, to = append(bufs, fmt.Appendf(nil, "%d to %s", i, asked[n])), append(to, peers[n])
			}
		}
		if n, err := l.Send(bufs, to); n != len(bufs) || err != nil {
			t.Fatalf("Send of %d datagrams returned %d, %v", len(bufs), n, err)
		}
		b := make([]byte, 100)
		for n, c := range clients {
			c.SetReadDeadline(time.Now().Add(20 * time.Second))
			for i := range rounds {
				size, err := c.Read(b)
				if want := fmt.Sprintf("%d to %s", i, asked[n]); err != nil || string(b[:size]) != want {
					t.Fatalf("on %s: got %q, %v, expected %q", address, b[:size], err, want)
				}
			}
		}
	}
}

// The kernel cuts a control message off where the memory for it ends (MSG_CTRUNC): there is no
// local address then, rather than part of one.
func TestLocalOfATruncatedControlMessage(t *testing.T) {
	const whole = unix.SizeofCmsghdr + unix.SizeofInet4Pktinfo
	u, err := net.ListenUDP("udp4", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	if err := askForLocal(u); err != nil {
		t.Fatal(err)
	}
	c := dialLocal(t, u.LocalAddr().(*net.UDPAddr).AddrPort().Port(), "127.0.1.7")[0]
	var b [10]byte
	for size := range whole + 1 {
		c.Write([]byte("hello"))
		u.SetReadDeadline(time.Now().Add(20 * time.Second))
		control := bytes.Repeat([]byte{127}, size)
		_, n, flags, _, err := u.ReadMsgUDP(b[:], control)
		if err != nil {
			t.Fatal(err)
		}
		if truncated := flags&unix.MSG_CTRUNC != 0; truncated == (size == whole) {
			t.Fatalf("with %d octets for the control message, truncated: %v", size, truncated)
		}
		if got := localIn(control[:n]); got.IsValid() != (size == whole) {
			t.Errorf("with %d octets for the control message the local address is %v", size, got)
		}
	}
}

// A datagram without a local address, or with another control message in its place, does not
// have that of the datagram which was in the same memory before.
func TestLocalIsNotThatOfAnEarlierDatagram(t *testing.T) {
	for name, option := range map[string]struct{ level, name, value int }{
		"absent":    {unix.IPPROTO_IP, unix.IP_PKTINFO, 0},
		"displaced": {unix.SOL_SOCKET, unix.SO_TIMESTAMP, 1}, // comes first, and leaves no space
	} {
		l, port := listenLocal(t, "udp4", "0.0.0.0:0")
		c := dialLocal(t, port, "127.0.1.7")[0]
		received := make(chan netip.Addr)
		go l.Receive(func(in *Inbox) { received <- in.Peer(0).Local() })
		c.Write([]byte("with"))
		if got := <-received; got != netip.MustParseAddr("127.0.1.7") {
			t.Errorf("%s: the local address is %v, expected 127.0.1.7", name, got)
		}
		var err error
		l.socket.raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), option.level, option.name, option.value) })
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			c.Write([]byte("without"))
			if got := <-received; got.IsValid() {
				t.Errorf("%s: the local address is %v, expected none", name, got)
			}
		}
	}
}
