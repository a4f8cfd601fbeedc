package gateway

import (
	"net"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/probe"
)

// testServer is a UDP server whose datagrams the test sends.
type testServer struct {
	t    *testing.T
	conn *net.UDPConn
	from *net.UDPAddr // of the last request
}

// openServer opens a server that ends with the test.
func openServer(t *testing.T) *testServer {
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &testServer{t: t, conn: c}
}

func (s *testServer) port() int { return s.conn.LocalAddr().(*net.UDPAddr).Port }

// request reads the next request, as layeh.com/radius parses it.
func (s *testServer) request() *radius.Packet {
	s.t.Helper()
	b := make([]byte, 4096)
	s.conn.SetReadDeadline(time.Now().Add(gatewaytest.Patience))
	n, from, err := s.conn.ReadFromUDP(b)
	if err != nil {
		s.t.Fatalf("expected a request, got %v", err)
	}
	p, err := radius.Parse(b[:n], []byte(gatewaytest.Secret))
	if err != nil {
		s.t.Fatal(err)
	}
	s.from = from
	return p
}

// reply makes a reply to p with a Message-Authenticator, rightly signed.
func (s *testServer) reply(p *radius.Packet, code radius.Code) []byte {
	s.t.Helper()
	r := p.Response(code)
	if err := rfc2865.Class_Add(r, []byte(rfc2865.UserName_GetString(p))); err != nil {
		s.t.Fatal(err)
	}
	probe.AddMessageAuthenticator(r)
	b, err := probe.Sign(r)
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

// send sends a datagram to where the last request is from.
func (s *testServer) send(b []byte) {
	s.t.Helper()
	if _, err := s.conn.WriteToUDP(b, s.from); err != nil {
		s.t.Fatal(err)
	}
}
