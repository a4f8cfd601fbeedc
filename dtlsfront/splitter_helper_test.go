package dtlsfront_test

import (
	"bytes"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/dtls/v4"
)

// splitter is a socket of a client that gives what is not encrypted to somebody else.
type splitter struct {
	net.PacketConn
	splitting atomic.Bool
	other     chan []byte
}

func (s *splitter) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := s.PacketConn.ReadFrom(b)
		if err != nil || b[4] != 0 {
			return n, from, err
		}
		if !s.splitting.Load() {
			select {
			case s.other <- bytes.Clone(b[:n]):
			default:
			}
			return n, from, err
		}
		select {
		case s.other <- bytes.Clone(b[:n]):
		default:
		}
	}
}

// next returns the last datagram so far that was not encrypted.
func (s *splitter) next(t *testing.T, c *dtls.Conn) (d []byte) {
	t.Helper()
	eventually(t, "there is a HelloVerifyRequest", func() bool {
		for {
			select {
			case b := <-s.other:
				if len(b) > 13 && b[13] == 3 {
					d = b
				}
			case <-time.After(50 * time.Millisecond):
				return d != nil
			}
		}
	})
	return d
}

// unclosed is a socket of a client that dies: nothing is sent at its end.
type unclosed struct {
	net.PacketConn
	dead atomic.Bool
}

func (u *unclosed) WriteTo(b []byte, to net.Addr) (int, error) {
	if u.dead.Load() {
		return len(b), nil
	}
	return u.PacketConn.WriteTo(b, to)
}

// Close leaves the socket open: the next client has the same port.
func (u *unclosed) Close() error { return nil }
