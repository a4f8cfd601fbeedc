package udpback

import (
	"net"
	"sync"
)

// single moves one datagram a call over any connected packet socket: where there
// is no sendmmsg, and in tests, where the network is a fake.
type single struct {
	conn net.Conn
	ins  *sync.Pool // *inbox
}

func (s *single) send(bufs [][]byte) (int, error) {
	for i, b := range bufs {
		if _, err := s.conn.Write(b); err != nil {
			return i, err
		}
	}
	return len(bufs), nil
}

func (s *single) receive(handle func(*inbox)) error {
	for {
		in := s.ins.Get().(*inbox)
		n, err := s.conn.Read(in.octets[0][:])
		if err == nil {
			in.n, in.sizes[0] = 1, n
			handle(in)
		}
		s.ins.Put(in)
		if err != nil {
			return err
		}
	}
}

func (s *single) close() error { return s.conn.Close() }

// unread is not known here.
func (s *single) unread() bool { return false }
