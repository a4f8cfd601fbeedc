//go:build linux && (amd64 || arm64)

package datagram

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// loopback is a server's socket and a socket that leads to it.
func loopback(t *testing.T) (server *net.UDPConn, s *mmsg) {
	t.Helper()
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	d, err := NewDialer(DialUDP)(netip.Addr{}, server.LocalAddr().(*net.UDPAddr).AddrPort())
	if err != nil {
		t.Fatal(err)
	}
	s = d.(*mmsg)
	t.Cleanup(func() { s.Close() })
	return server, s
}

// datagramsOf returns n datagrams of growing length, each of which begins with its
// number.
func datagramsOf(n int) (all [][]byte) {
	for i := range n {
		all = append(all, append(fmt.Appendf(nil, "%03d", i), bytes.Repeat([]byte{byte(i)}, i)...))
	}
	return all
}

// read returns what a server's socket has got, which must be there within seconds.
func read(t *testing.T, server *net.UDPConn, n int) (all [][]byte, from netip.AddrPort) {
	t.Helper()
	server.SetReadDeadline(time.Now().Add(20 * time.Second))
	for range n {
		b := make([]byte, 5000)
		size, a, err := server.ReadFromUDPAddrPort(b)
		if err != nil {
			t.Fatalf("%d datagrams arrived, expected %d: %v", len(all), n, err)
		}
		all, from = append(all, b[:size]), a
	}
	return all, from
}

// More datagrams than one system call can send are sent whole and in order, and those
// that arrive at once are received in the same way.
// Rules: P57
func TestMmsgBothWays(t *testing.T) {
	server, s := loopback(t)
	for _, n := range []int{1, BatchSize - 1, BatchSize, BatchSize + 1, 3*BatchSize + 5} {
		out := datagramsOf(n)
		if sent, err := s.Send(out); sent != n || err != nil {
			t.Fatalf("send of %d returned %d, %v", n, sent, err)
		}
		in, from := read(t, server, n)
		for i := range in {
			if !bytes.Equal(in[i], out[i]) {
				t.Fatalf("of %d, datagram %d arrived as %.8q with %d octets, expected %.8q with %d", n, i, in[i], len(in[i]), out[i], len(out[i]))
			}
		}
		for _, b := range out {
			if _, err := server.WriteToUDPAddrPort(b, from); err != nil {
				t.Fatal(err)
			}
		}
		if !s.Unread() {
			t.Errorf("%d datagrams have arrived, and unread reports false", n)
		}
		collect(t, s, server, from, out)
		if s.Unread() {
			t.Error("all was read, and unread reports true")
		}
	}
}

// collect receives until all that was sent is there, in order.
func collect(t *testing.T, s *mmsg, server *net.UDPConn, from netip.AddrPort, want [][]byte) {
	t.Helper()
	var got [][]byte
	s.conn.SetReadDeadline(time.Time{})
	err := s.Receive(func(in *Inbox) {
		if !s.Unread() {
			t.Error("while datagrams are handled unread reports false")
		}
		if in.n < 1 || in.n > BatchSize {
			t.Errorf("%d datagrams handed over at once, expected 1 to %d", in.n, BatchSize)
		}
		for i := range in.n {
			got = append(got, bytes.Clone(in.Datagram(i)))
		}
		if len(got) >= len(want) {
			s.conn.SetReadDeadline(time.Now()) // nothing else ends receive
		}
	})
	if !errors.Is(err, syscall.ETIMEDOUT) && !isTimeout(err) {
		t.Errorf("receive ended with %v, expected the deadline's error", err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d datagrams handed over, expected %d", len(got), len(want))
	}
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Errorf("datagram %d was handed over as %.8q with %d octets, expected %.8q with %d", i, got[i], len(got[i]), want[i], len(want[i]))
		}
	}
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// A datagram of 4096 octets is received whole, of a longer one the first 4096.
// Rules: P1
func TestMmsgLongest(t *testing.T) {
	server, s := loopback(t)
	if _, err := s.Send([][]byte{[]byte("hello")}); err != nil {
		t.Fatal(err)
	}
	_, from := read(t, server, 1)
	whole, long := bytes.Repeat([]byte{1}, 4096), bytes.Repeat([]byte{2}, 4097)
	server.WriteToUDPAddrPort(whole, from)
	server.WriteToUDPAddrPort(long, from)
	server.WriteToUDPAddrPort([]byte{}, from)
	collect(t, s, server, from, [][]byte{whole, long[:4096], {}})
}

// When nothing listens on the port, the kernel reports it at a later send. The error is
// about an earlier datagram: all are sent nevertheless, and the error is returned.
// Rules: P84
func TestMmsgRefused(t *testing.T) {
	s, again := refused(t)
	sent, err := s.Send(datagramsOf(3))
	if sent != 3 || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("send returned %d, %v; expected 3, all of them, and ECONNREFUSED", sent, err)
	}
	if in, _ := read(t, again, 3); len(in) != 3 {
		t.Errorf("%d arrived, expected 3", len(in))
	}
	if sent, err := s.Send(datagramsOf(1)); sent != 1 || err != nil {
		t.Errorf("the next send returned %d, %v; expected 1 and no error: it was reported already", sent, err)
	}
}

// refused returns a socket that has sent a datagram to a port that nothing listened on,
// and the socket that listens there now.
func refused(t *testing.T) (s *mmsg, again *net.UDPConn) {
	t.Helper()
	for range 100 { // another process may take the port
		server, s := loopback(t)
		address := server.LocalAddr().(*net.UDPAddr)
		server.Close()
		if sent, err := s.Send(datagramsOf(1)); sent != 1 || err != nil {
			t.Fatalf("the first send returned %d, %v; expected 1 and no error: nothing is known yet", sent, err)
		}
		if again, err := net.ListenUDP("udp4", address); err == nil {
			t.Cleanup(func() { again.Close() })
			return s, again
		}
	}
	t.Fatal("no port could be listened on again")
	return nil, nil
}

// A refusal that no send has met is what receive returns.
// Rules: P84
func TestMmsgReceiveRefused(t *testing.T) {
	server, s := loopback(t)
	server.Close()
	if _, err := s.Send(datagramsOf(1)); err != nil {
		t.Fatal(err)
	}
	if err := s.Receive(func(*Inbox) { t.Error("something was handed over, expected an error") }); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("receive returned %v, expected ECONNREFUSED", err)
	}
}

// errorsOf empties a socket's error queue, and returns how many errors were there.
func errorsOf(t *testing.T, s *mmsg) (n int) {
	t.Helper()
	s.raw.Control(func(fd uintptr) {
		for {
			if _, _, _, _, err := unix.Recvmsg(int(fd), nil, make([]byte, 512), unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT); err != nil {
				return
			}
			n++
		}
	})
	return n
}

// The kernel's queue of errors, which takes the space of datagrams, is emptied when
// receive meets an error, and after one that a send has met. Errors are nothing unread.
// Rules: P84
func TestMmsgEmptiesTheErrorQueue(t *testing.T) {
	server, s := loopback(t)
	server.Close()
	if sent, err := s.Send(datagramsOf(4)); sent != 4 || err != nil {
		t.Fatalf("send returned %d, %v; expected 4, and no error: each was met on the way", sent, err)
	}
	if s.Unread() {
		t.Error("unread reports true, and there are but errors")
	}
	if err := s.Receive(func(*Inbox) { t.Error("something was handed over, expected an error") }); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("receive returned %v, expected ECONNREFUSED", err)
	}
	if n := errorsOf(t, s); n != 0 {
		t.Errorf("%d errors are queued after receive, expected none", n)
	}

	s, again := refused(t)
	s.reported.Store(false) // what happened until now is nothing to it
	if _, err := s.Send(datagramsOf(1)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("send returned %v, expected ECONNREFUSED", err)
	}
	_, from := read(t, again, 1)
	hello := []byte("hello")
	again.WriteToUDPAddrPort(hello, from)
	collect(t, s, again, from, [][]byte{hello})
	if n := errorsOf(t, s); n != 0 {
		t.Errorf("%d errors are queued after a send has met one, expected none", n)
	}
}

// A socket that is closed ends receive, and sends nothing more.
func TestMmsgClosed(t *testing.T) {
	_, s := loopback(t)
	ended := make(chan error)
	go func() { ended <- s.Receive(func(*Inbox) {}) }()
	if err := s.Close(); err != nil {
		t.Errorf("close returned %v", err)
	}
	if err := s.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a second close returned %v, expected net.ErrClosed", err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("receive returned %v, expected net.ErrClosed", err)
	}
	if sent, err := s.Send(datagramsOf(2)); sent != 0 || !errors.Is(err, net.ErrClosed) {
		t.Errorf("send returned %d, %v; expected 0 and net.ErrClosed", sent, err)
	}
	if s.Unread() {
		t.Error("unread reports true for a closed socket")
	}
}

// Several goroutines send at a time: nothing is mixed up or lost.
func TestMmsgManySenders(t *testing.T) {
	server, s := loopback(t)
	const senders, each = 4, 40 // no more than the receiving socket keeps
	var wg sync.WaitGroup
	for n := range senders {
		wg.Go(func() {
			var out [][]byte
			for i := range each {
				out = append(out, fmt.Appendf(nil, "%d/%d", n, i))
			}
			if sent, err := s.Send(out); sent != each || err != nil {
				t.Errorf("sender %d: %d sent, %v", n, sent, err)
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	in, _ := read(t, server, senders*each)
	for _, b := range in {
		seen[string(b)] = true
	}
	if len(seen) != senders*each {
		t.Errorf("%d different datagrams arrived, expected %d", len(seen), senders*each)
	}
}

// What a socket sends removes the packets, which belong to others.
func TestMmsgKeepsNoPacket(t *testing.T) {
	_, s := loopback(t)
	if _, err := s.Send(datagramsOf(5)); err != nil {
		t.Fatal(err)
	}
	o, _ := s.outboxes.Get().(*outbox)
	if o == nil {
		return // the pool was emptied, or does not keep things: with the race detector
	}
	for i := range o.iovecs {
		if o.iovecs[i].Base != nil {
			t.Errorf("the outbox holds on to packet %d", i)
		}
	}
}
