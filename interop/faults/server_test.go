package faults

import (
	"errors"
	"net"
	"sync"
	"testing"
)

// server is a UDP server on one port for all kinds of requests.
type server struct {
	// static after construction
	conn   *net.UDPConn
	reader sync.WaitGroup

	mu     sync.Mutex // guards the fields below
	answer func(request []byte) (reply []byte)
	seen   [][]byte
}

// startServer starts one that grants everything, until the test ends.
func startServer(t testing.TB) *server {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{conn: conn, answer: grant}
	s.reader.Go(s.read)
	t.Cleanup(func() {
		conn.Close()
		s.reader.Wait()
	})
	return s
}

func (s *server) port() int { return s.conn.LocalAddr().(*net.UDPAddr).Port }

// answers sets how requests are answered from now on; nil: not at all.
func (s *server) answers(how func(request []byte) []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = how
}

// requests are the datagrams so far, unchanged.
func (s *server) requests() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([][]byte(nil), s.seen...)
}

func (s *server) read() {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || n < 20 {
			continue // an ICMP error of an earlier answer
		}
		request := append([]byte(nil), buf[:n]...)
		s.mu.Lock()
		s.seen = append(s.seen, request)
		how := s.answer
		s.mu.Unlock()
		if answer := how(request); answer != nil {
			_, _ = s.conn.WriteToUDPAddrPort(answer, from) // the gateway may have ended
		}
	}
}

// grant answers a request with its positive code.
func grant(request []byte) []byte {
	positive := map[byte]byte{accessRequest: accessAccept, accountingRequest: accountingResponse, disconnectRequest: disconnectACK, coaRequest: coaACK}
	return reply(request, positive[request[0]])
}
