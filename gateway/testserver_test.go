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

// testServer is a server whose every datagram the test sends itself.
type testServer struct {
	t    *testing.T
	conn *net.UDPConn
	from *net.UDPAddr // of the last request
}

func openServer(t *testing.T) *testServer {
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &testServer{t: t, conn: c}
}

func (u *testServer) port() int { return u.conn.LocalAddr().(*net.UDPAddr).Port }

// request reads the next request, as the field's library understands it.
func (u *testServer) request() *radius.Packet {
	u.t.Helper()
	b := make([]byte, 4096)
	u.conn.SetReadDeadline(time.Now().Add(gatewaytest.Patience))
	n, from, err := u.conn.ReadFromUDP(b)
	if err != nil {
		u.t.Fatalf("no request came: %v", err)
	}
	p, err := radius.Parse(b[:n], []byte(gatewaytest.Secret))
	if err != nil {
		u.t.Fatal(err)
	}
	u.from = from
	return p
}

// reply makes a rightly signed reply, with Message-Authenticator.
func (u *testServer) reply(p *radius.Packet, code radius.Code) []byte {
	u.t.Helper()
	r := p.Response(code)
	if err := rfc2865.Class_Add(r, []byte(rfc2865.UserName_GetString(p))); err != nil {
		u.t.Fatal(err)
	}
	probe.AddMessageAuthenticator(r)
	b, err := probe.Sign(r)
	if err != nil {
		u.t.Fatal(err)
	}
	return b
}

func (u *testServer) send(b []byte) {
	u.t.Helper()
	if _, err := u.conn.WriteToUDP(b, u.from); err != nil {
		u.t.Fatal(err)
	}
}
