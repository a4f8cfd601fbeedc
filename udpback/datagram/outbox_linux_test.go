//go:build linux && (amd64 || arm64)

package datagram

import (
	"bytes"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// scripted is a socket whose sends end as told, and then succeed, or find it closed.
type scripted struct {
	syscall.RawConn
	o      *outbox
	errs   []error
	closed bool
}

func (s *scripted) Control(func(uintptr)) error { return s.next() }

// Write is Control for a sender that waits for space.
func (s *scripted) Write(func(uintptr) bool) error { return s.next() }

func (s *scripted) next() error {
	if s.o.err = nil; len(s.errs) > 0 {
		s.o.err, s.errs = s.errs[0], s.errs[1:]
		return nil
	}
	if s.closed {
		return net.ErrClosed
	}
	s.o.sent = s.o.n
	return nil
}

// An error about an earlier datagram does not end a send: it is tried again, twice, and
// the error is returned. Any other ends it. Whatever happens the outbox, which is used
// again, keeps no reference to the packets and their peers.
// Rules: P84
func TestSendIsTriedAgain(t *testing.T) {
	again, refused, unreachable, other := error(syscall.EAGAIN), error(syscall.ECONNREFUSED), error(syscall.EHOSTUNREACH), error(syscall.EIO)
	for _, row := range []struct {
		name   string
		errs   []error
		closed bool // after these
		sent   int
		want   error
	}{
		{"no error", nil, false, 3, nil},
		{"no space", []error{again}, false, 3, nil},
		{"one refusal", []error{refused}, false, 3, refused},
		{"no way", []error{unreachable}, false, 3, unreachable},
		{"two refusals", []error{refused, refused}, false, 3, refused},
		{"three refusals", []error{refused, refused, refused}, false, 0, refused},
		{"no space, then a refusal", []error{again, refused}, false, 3, refused},
		{"no space, then two refusals", []error{again, refused, refused}, false, 0, refused},
		{"another error", []error{other}, false, 0, other},
		{"a refusal, then another error", []error{refused, other}, false, 0, other},
		{"the socket is closed", nil, true, 0, net.ErrClosed},
		{"no space, then the socket is closed", []error{again}, true, 0, net.ErrClosed},
		{"a refusal, then the socket is closed", []error{refused}, true, 0, net.ErrClosed},
	} {
		o := new(outbox)
		s := &scripted{o: o, errs: row.errs, closed: row.closed}
		if sent, err := o.send(s, datagramsOf(3), make([]Peer, 3), false); sent != row.sent || err != row.want {
			t.Errorf("%s: %d sent, %v; expected %d, %v", row.name, sent, err, row.sent, row.want)
		}
		for i := range o.iovecs {
			if o.iovecs[i].Base != nil || o.headers[i].hdr.Name != nil {
				t.Errorf("%s: the outbox holds on to packet %d or its peer", row.name, i)
			}
		}
	}
}

// A lossy send does not wait for space.
func TestLossySendDoesNotWait(t *testing.T) {
	o := new(outbox)
	s := &scripted{o: o, errs: []error{syscall.EAGAIN}}
	if sent, err := o.send(s, datagramsOf(3), make([]Peer, 3), true); sent != 0 || err != syscall.EAGAIN {
		t.Errorf("%d sent, %v; expected none, and EAGAIN", sent, err)
	}
}

// crowded is a socket whose buffer holds few datagrams, and which says when somebody
// waits for space.
type crowded struct {
	syscall.RawConn
	once  sync.Once
	waits chan struct{} // closed then
}

func (c *crowded) Write(f func(uintptr) bool) error {
	c.once.Do(func() { close(c.waits) })
	return c.RawConn.Write(f)
}

// newCrowded returns an mmsg of a socket of few datagrams, and the other end. They are
// Unix sockets: the loopback interface takes everything.
func newCrowded(t *testing.T) (m *mmsg, c *crowded, local, other *net.UnixConn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]*net.UnixConn
	for i, fd := range fds {
		file := os.NewFile(uintptr(fd), "")
		conn, err := net.FileConn(file)
		file.Close()
		if err != nil {
			t.Fatal(err)
		}
		ends[i] = conn.(*net.UnixConn)
		t.Cleanup(func() { conn.Close() })
	}
	local, other = ends[0], ends[1]
	local.SetWriteBuffer(8 << 10)
	raw, err := local.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	c = &crowded{RawConn: raw, waits: make(chan struct{})}
	return &mmsg{raw: c, outboxes: new(sync.Pool)}, c, local, other
}

// A sender for whom there is no space waits for it, and then all goes out in order. When
// the socket is closed meanwhile, or the other end goes, it says how much was sent.
func TestSendWaitsForSpace(t *testing.T) {
	out := datagramsOf(3*BatchSize + 5)
	for i := range out {
		out[i] = append(out[i], make([]byte, 500)...)
	}
	for _, row := range []struct {
		name string
		then func(local, other *net.UnixConn)
		want error
	}{
		{"read", nil, nil},
		{"closed", func(local, _ *net.UnixConn) { local.Close() }, net.ErrClosed},
		{"gone", func(_, other *net.UnixConn) { other.Close() }, syscall.ENOTCONN},
	} {
		m, c, local, other := newCrowded(t)
		got := make(chan int)
		go func() { // once the sender waits
			<-c.waits
			if row.then != nil {
				row.then(local, other)
				got <- 0
				return
			}
			b := make([]byte, 1000)
			for i, want := range out {
				if n, err := other.Read(b); err != nil || !bytes.Equal(b[:n], want) {
					t.Errorf("datagram %d is %.8q of %d octets, %v; expected %.8q of %d", i, b[:n], n, err, want, len(want))
				}
			}
			got <- len(out)
		}()
		sent, err := m.Send(out)
		read := <-got
		if row.want == nil && (sent != len(out) || read != len(out) || err != nil) {
			t.Errorf("%d sent, %d read, %v; expected all %d", sent, read, err, len(out))
		}
		if row.want != nil && (sent < 1 || sent >= len(out) || !errors.Is(err, row.want)) {
			t.Errorf("%s: %d sent, %v; expected some of %d, and %v", row.name, sent, err, len(out), row.want)
		}
	}
}
