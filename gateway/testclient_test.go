package gateway

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"layeh.com/radius"

	"radsec-gw/certs"
	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/probe"
)

// testClient is a client's connection.
type testClient struct {
	t *testing.T
	*tls.Conn
}

// connect opens a connection of the named client, which must be accepted.
func (g *testGateway) connect(name string) *testClient {
	g.t.Helper()
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: gatewaytest.Patience}, "tcp", g.gw.Addr().String(), g.tls(name))
	if err != nil {
		g.t.Fatalf("client %s cannot connect: %v", name, err)
	}
	g.t.Cleanup(func() { c.Close() })
	return &testClient{g.t, c}
}

// connect11 opens a connection of RADIUS/1.1.
func (g *testGateway) connect11(name string) *testClient {
	g.t.Helper()
	cfg := g.tls(name)
	cfg.NextProtos = []string{"radius/1.1", "radius/1.0"}
	c, err := tls.Dial("tcp", g.gw.Addr().String(), cfg)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { c.Close() })
	if got := c.ConnectionState().NegotiatedProtocol; got != "radius/1.1" {
		g.t.Fatalf("expected radius/1.1, got %q", got)
	}
	return &testClient{g.t, c}
}

func (g *testGateway) tls(name string) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{g.pairs[name].TLS()}, RootCAs: certs.Pool(g.ca.Certificate), ServerName: "radsec-server"}
}

// presents reports whether the gateway presents this certificate, to a client that does not
// verify it.
func (g *testGateway) presents(pair *certs.Pair) bool {
	g.t.Helper()
	cfg := g.tls("plain")
	cfg.InsecureSkipVerify = true // a client would refuse what the test is about
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: gatewaytest.Patience}, "tcp", g.gw.Addr().String(), cfg)
	if err != nil {
		g.t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].Equal(pair.Certificate)
}

// read returns the next packet; nil at the end of the connection.
func (c *testClient) read() []byte {
	c.t.Helper()
	c.SetReadDeadline(time.Now().Add(gatewaytest.Patience))
	head := make([]byte, 4)
	if _, err := io.ReadFull(c, head); err != nil {
		if timedOut(err) {
			c.t.Fatal("expected an answer or the end of the connection, got neither")
		}
		return nil
	}
	b := append(head, make([]byte, int(binary.BigEndian.Uint16(head[2:]))-4)...)
	if _, err := io.ReadFull(c, b[4:]); err != nil {
		c.t.Fatalf("the connection ended within a packet: %v", err)
	}
	return b
}

func timedOut(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// write sends octets as they are. It is not an error if the connection is closed: read shows
// that.
func (c *testClient) write(b []byte) {
	c.SetWriteDeadline(time.Now().Add(gatewaytest.Patience))
	if _, err := c.Write(b); timedOut(err) {
		c.t.Fatal("the gateway does not read")
	}
}

// good sends a good request, and fails the test unless the next packet is its answer.
func (c *testClient) good() {
	c.t.Helper()
	q := rawRequest(1, 250, emptyMAC, nameOf("good@example.org"), tlv(33, []byte("good")...))
	c.write(q)
	a := c.read()
	if a == nil {
		c.t.Fatal("a good request: expected an answer, the connection is closed")
	}
	c.believe(q, a, 2)
	if !bytes.Contains(a, tlv(25, []byte("good@example.org")...)) {
		c.t.Error("a good request: expected the server's answer, got another")
	}
}

// believe fails the test unless a is an answer to q with the code, and its authenticators
// verify.
func (c *testClient) believe(q, a []byte, code byte) {
	c.t.Helper()
	if a[0] != code || a[1] != q[1] {
		c.t.Fatalf("expected %v with Identifier %d, got %v with %d", radius.Code(code), q[1], radius.Code(a[0]), a[1])
	}
	if !radius.IsAuthenticResponse(a, q, []byte("radsec")) {
		c.t.Errorf("the Response Authenticator of %v is wrong", radius.Code(a[0]))
	}
	if q[0] == 1 || q[0] == 12 {
		if err := probe.VerifyMessageAuthenticator(a, []byte("radsec"), [16]byte(q[4:20])); err != nil {
			c.t.Errorf("the Message-Authenticator of %v: %v", radius.Code(a[0]), err)
		}
	}
}
