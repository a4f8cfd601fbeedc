package datagram

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"
)

// listen returns a Listener and its address.
func listen(t *testing.T, network, address string) (*Listener, netip.AddrPort) {
	t.Helper()
	c, err := net.ListenPacket(network, address)
	if err != nil {
		t.Fatalf("expected a socket of %s, got: %v", network, err)
	}
	l, err := NewListener(c.(*net.UDPConn))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, c.LocalAddr().(*net.UDPAddr).AddrPort()
}

// greeted returns a Listener and a client that has sent a datagram to it.
func greeted(t *testing.T) (*Listener, net.Conn) {
	t.Helper()
	l, address := listen(t, "udp4", "127.0.0.1:0")
	c, err := net.Dial("udp", address.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.Write([]byte("hello"))
	return l, c
}

// echo answers everything that l receives with the same octets, until l is closed.
func echo(t *testing.T, l *Listener) (ended chan error) {
	ended = make(chan error, 1)
	go func() {
		ended <- l.Receive(func(in *Inbox) {
			var bufs [][]byte
			var to []Peer
			for i := range in.Len() {
				bufs, to = append(bufs, in.Datagram(i)), append(to, *in.Peer(i))
			}
			if n, err := l.Send(bufs, to); n != len(bufs) || err != nil {
				t.Errorf("Send of %d answers returned %d, %v", len(bufs), n, err)
			}
		})
	}()
	return ended
}

// Several clients send to one Listener at a time: each gets its own answers, more than
// one system call carries.
func TestListenerAnswersItsPeers(t *testing.T) {
	for _, row := range []struct{ network, address string }{{"udp4", "127.0.0.1:0"}, {"udp6", "[::1]:0"}, {"udp", ":0"}} {
		t.Run(row.network, func(t *testing.T) {
			l, address := listen(t, row.network, row.address)
			ended := echo(t, l)
			if address.Addr().IsUnspecified() {
				address = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), address.Port())
			}
			var clients []net.Conn
			for range 3 {
				c, err := net.Dial("udp", address.String())
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				clients = append(clients, c)
			}
			for i := range 2 * BatchSize {
				for n, c := range clients {
					fmt.Fprintf(c, "client %d, %d", n, i)
				}
			}
			b := make([]byte, 100)
			for n, c := range clients {
				c.SetReadDeadline(time.Now().Add(20 * time.Second))
				for i := range 2 * BatchSize {
					size, err := c.Read(b)
					if want := fmt.Sprintf("client %d, %d", n, i); err != nil || string(b[:size]) != want {
						t.Fatalf("client %d has %q as its answer, and %v, expected %q", n, b[:size], err, want)
					}
				}
			}
			l.Close()
			if err := <-ended; !errors.Is(err, net.ErrClosed) {
				t.Errorf("Receive returned %v after Close, expected net.ErrClosed", err)
			}
		})
	}
}

// A Peer has the address that its datagram came from.
func TestPeerHasTheSendersAddress(t *testing.T) {
	for _, row := range []struct{ network, address, reach string }{
		{"udp4", "127.0.0.1:0", "127.0.0.1"}, {"udp6", "[::1]:0", "::1"}, {"udp", ":0", "127.0.0.1"},
	} {
		t.Run(row.network, func(t *testing.T) {
			l, address := listen(t, row.network, row.address)
			c, err := net.Dial("udp", netip.AddrPortFrom(netip.MustParseAddr(row.reach), address.Port()).String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c.Write([]byte("hello"))
			want := c.LocalAddr().(*net.UDPAddr).AddrPort()
			l.Receive(func(in *Inbox) {
				if got := in.Peer(0).AddrPort(); got != want || !bytes.Equal(in.Datagram(0), []byte("hello")) {
					t.Errorf("%q is from %v, expected \"hello\" from %v", in.Datagram(0), got, want)
				}
				go l.Close()
			})
		})
	}
}

// A datagram that the kernel does not accept is skipped, and those after it are sent.
func TestListenerSkipsWhatIsRefused(t *testing.T) {
	l, c := greeted(t)
	var to []Peer
	l.Receive(func(in *Inbox) {
		to = []Peer{*in.Peer(0), *in.Peer(0), *in.Peer(0)}
		tooLong := make([]byte, 70_000)
		for _, row := range []struct {
			bufs   [][]byte
			sent   int
			failed bool
		}{
			{[][]byte{{1}, {2}, {3}}, 3, false},
			{[][]byte{{4}, tooLong, {5}}, 2, true},
			{[][]byte{tooLong, {6}, tooLong}, 1, true},
			{[][]byte{tooLong, tooLong, tooLong}, 0, true},
			{nil, 0, false},
		} {
			if n, err := l.Send(row.bufs, to[:len(row.bufs)]); n != row.sent || (err != nil) != row.failed {
				t.Errorf("Send of %d returned %d, %v; expected %d, and an error: %t", len(row.bufs), n, err, row.sent, row.failed)
			}
		}
		go l.Close()
	})
	if n, err := l.Send([][]byte{{1}, {2}}, to[:2]); n != 0 || !errors.Is(err, net.ErrClosed) {
		t.Errorf("Send after Close returned %d, %v; expected 0 and net.ErrClosed", n, err)
	}
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	b := make([]byte, 10)
	for want := range byte(6) {
		if n, err := c.Read(b); n != 1 || b[0] != want+1 {
			t.Fatalf("the client has got %v, %v; expected %d", b[:n], err, want+1)
		}
	}
}
