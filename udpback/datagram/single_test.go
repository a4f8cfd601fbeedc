package datagram

import (
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
)

// fullConn takes some datagrams, then fails.
type fullConn struct {
	net.Conn
	takes  int
	took   []string
	gives  []string
	closed bool
}

var errFull = errors.New("full")

func (c *fullConn) Write(b []byte) (int, error) {
	if len(c.took) == c.takes {
		return 0, errFull
	}
	c.took = append(c.took, string(b))
	return len(b), nil
}

func (c *fullConn) Read(b []byte) (int, error) {
	if len(c.gives) == 0 {
		return 0, net.ErrClosed
	}
	n := copy(b, c.gives[0])
	c.gives = c.gives[1:]
	return n, nil
}

func (c *fullConn) Close() error {
	c.closed = true
	return errFull
}

// Datagrams are sent one by one; the number accepted is returned, with the error that
// ended the send.
func TestSingle(t *testing.T) {
	c := &fullConn{takes: 2, gives: []string{"one", "", "three"}}
	made := 0
	s := &single{conn: c, inboxes: &sync.Pool{New: func() any { made++; return newInbox(MaxSize, false, false) }}}
	if n, err := s.Send([][]byte{[]byte("a"), []byte("b")}); n != 2 || err != nil {
		t.Errorf("send returned %d, %v; expected 2 and no error", n, err)
	}
	c.takes = 3
	if n, err := s.Send([][]byte{[]byte("c"), []byte("d"), []byte("e")}); n != 1 || err != errFull {
		t.Errorf("send returned %d, %v; expected 1, the first, and the error of the second", n, err)
	}
	if want := []string{"a", "b", "c"}; !slices.Equal(c.took, want) {
		t.Errorf("sent %q, expected %q", c.took, want)
	}
	var got []string
	err := s.Receive(func(in *Inbox) {
		if in.n != 1 {
			t.Errorf("%d datagrams handed over at once, expected 1", in.n)
		}
		got = append(got, string(in.Datagram(0)))
	})
	if want := []string{"one", "", "three"}; err != net.ErrClosed || !slices.Equal(got, want) {
		t.Errorf("received %q and %v, expected %q and the socket's error", got, err, want)
	}
	if s.Unread() {
		t.Error("unread reports true, expected false: it is not known")
	}
	if err := s.Close(); !c.closed || err != errFull {
		t.Errorf("close returned %v, closed %t; expected the socket's error, closed", err, c.closed)
	}
}
