package rewriting

import (
	"net"
	"testing"
	"time"

	"layeh.com/radius"

	"radsec-gw/interop/testbed"
)

// server answers each request with the reply of the case that is under way, and shows what
// it was sent.
type server struct {
	conn   *net.UDPConn
	secret string
	seen   chan *radius.Packet
	reply  chan radius.Attributes // for the next request
}

func startServer(t *testing.T, secret string) *server {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{conn: conn, secret: secret, seen: make(chan *radius.Packet, 1), reply: make(chan radius.Attributes, 1)}
	t.Cleanup(func() { conn.Close() })
	go s.serve()
	return s
}

func (s *server) port() int { return s.conn.LocalAddr().(*net.UDPAddr).Port }

func (s *server) serve() {
	buf := make([]byte, 4096)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		p, err := radius.Parse(append([]byte(nil), buf[:n]...), []byte(s.secret))
		if err != nil || p.Code == radius.CodeStatusServer {
			continue
		}
		select {
		case attributes := <-s.reply:
			s.seen <- p
			r := p.Response(radius.CodeAccessAccept)
			r.Attributes = append(radius.Attributes{{Type: 80, Attribute: make([]byte, 16)}}, attributes...)
			for _, one := range p.Attributes {
				if one.Type == 33 { // Proxy-State (RFC 2865 §5.33)
					r.Attributes = append(r.Attributes, one)
				}
			}
			octets, err := signed(r, p.Authenticator)
			if err == nil {
				s.conn.WriteToUDPAddrPort(octets, from)
			}
		default: // sent again
		}
	}
}

// next returns the request that has arrived; nil if none does in time.
func (s *server) next(within time.Duration) *radius.Packet {
	select {
	case p := <-s.seen:
		return p
	case <-time.After(within):
		return nil
	}
}

const patience = testbed.Patience
