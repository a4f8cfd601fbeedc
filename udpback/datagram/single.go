package datagram

import (
	"net"
	"sync"
)

// single moves one datagram with each call over any connected packet socket: where there
// is no sendmmsg, and in tests, whose network is a fake.
type single struct {
	conn    net.Conn
	inboxes *sync.Pool // *Inbox
}

func (s *single) Send(bufs [][]byte) (int, error) {
	for i, b := range bufs {
		if _, err := s.conn.Write(b); err != nil {
			return i, err
		}
	}
	return len(bufs), nil
}

func (s *single) Receive(handle func(*Inbox)) error {
	for {
		in := s.inboxes.Get().(*Inbox)
		n, err := s.conn.Read(in.memory(0))
		if err == nil {
			in.n, in.sizes[0] = 1, n
			handle(in)
		}
		s.inboxes.Put(in)
		if err != nil {
			return err
		}
	}
}

func (s *single) Close() error { return s.conn.Close() }

// Unread reports false: it is not known.
func (s *single) Unread() bool { return false }

// LocalAddr returns the address of the socket.
func (s *single) LocalAddr() net.Addr { return s.conn.LocalAddr() }
