package gateway

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"radsec-gw/gateway/gatewaytest"
)

// reverseGateway is a gateway with reverse CoA, one connection of its client, and a sender.
type reverseGateway struct {
	*testGateway
	client *testClient
	nextID byte
}

// startReverse starts a gateway whose client "plain" takes CoA, and has a NAS log in.
func startReverse(t *testing.T) *reverseGateway {
	g := &reverseGateway{testGateway: startUnwatched(t)}
	g.rewrite("name = \"plain\"", "name = \"plain\"\nreverse_coa = true")
	g.rewrite("[listen]", "[dynamic_authorization]\naddress = [\"127.0.0.1:0\"]\n[listen]")
	g.reload()
	g.client = g.connect("plain")
	g.client.write(rawRequest(1, 1, emptyMAC, nameOf("good@example.org"), tlv(32, []byte("ap-7")...)))
	if a := g.client.read(); a == nil || a[0] != 2 {
		t.Fatalf("the login is answered with % x", a)
	}
	return g
}

// dial returns a socket to the n-th address of [dynamic_authorization].
func (g *reverseGateway) dial(n int) net.Conn {
	g.t.Helper()
	c, err := net.Dial("udp", g.gw.current.Load().dynamic[n].Addr().String())
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { c.Close() })
	return c
}

// disconnect sends a Disconnect-Request for the NAS.
func (g *reverseGateway) disconnect(c net.Conn) []byte {
	g.t.Helper()
	g.nextID++
	p := radius.New(radius.CodeDisconnectRequest, []byte(gatewaytest.Secret))
	p.Identifier = g.nextID
	if err := rfc2865.NASIdentifier_SetString(p, "ap-7"); err != nil {
		g.t.Fatal(err)
	}
	q, err := p.Encode()
	if err == nil {
		_, err = c.Write(q)
	}
	if err != nil {
		g.t.Fatal(err)
	}
	return q
}

// asked returns what the client is sent next, a Disconnect-Request.
func (g *reverseGateway) asked() []byte {
	g.t.Helper()
	down := g.client.read()
	if down == nil || !radius.IsAuthenticRequest(down, []byte("radsec")) || down[0] != byte(radius.CodeDisconnectRequest) {
		g.t.Fatalf("the NAS is sent % x", down)
	}
	return down
}

// acknowledge has the client answer what it was sent.
func (g *reverseGateway) acknowledge(down []byte) {
	g.t.Helper()
	p, err := radius.Parse(down, []byte("radsec"))
	if err != nil {
		g.t.Fatal(err)
	}
	a, err := p.Response(radius.CodeDisconnectACK).Encode()
	if err != nil {
		g.t.Fatal(err)
	}
	g.client.write(a)
}

// answered has the sender of q get a verified answer with a code.
func (g *reverseGateway) answered(c net.Conn, q []byte, code radius.Code) {
	g.t.Helper()
	b := make([]byte, 4096)
	c.SetReadDeadline(time.Now().Add(gatewaytest.Patience))
	n, err := c.Read(b)
	if err != nil || radius.Code(b[0]) != code || !radius.IsAuthenticResponse(b[:n], q, []byte(gatewaytest.Secret)) {
		g.t.Fatalf("the sender gets % x, %v; expected %v", b[:n], err, code)
	}
}

// An address that a reload keeps keeps its socket; one that it removes takes nothing new, but what
// was sent down is answered from it; one that cannot be opened changes nothing. The flag of the
// client that a reload takes away holds for new requests, one that it gives for open connections.
//
// Rules: RC1, RC18
func TestReverseOverReloads(t *testing.T) {
	g := startReverse(t)
	first := g.dial(0)
	q := g.disconnect(first)
	down := g.asked()

	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	g.rewrite(`address = ["127.0.0.1:0"]`+"\n[listen]", fmt.Sprintf("address = [%q]\n[listen]", udp.LocalAddr()))
	if err := g.gw.Reload(); err == nil || !strings.Contains(err.Error(), "[dynamic_authorization].address") {
		t.Errorf("a port in use: the reload returns %v", err)
	}
	g.rewrite(fmt.Sprintf("address = [%q]\n[listen]", udp.LocalAddr()), `address = ["127.0.0.1:0", "127.0.0.2:0"]`+"\n[listen]")
	g.reload()
	if g.dial(0).RemoteAddr().String() != first.RemoteAddr().String() {
		t.Error("the address that stays has another socket")
	}
	g.rewrite(`"127.0.0.1:0", "127.0.0.2:0"`, `"127.0.0.2:0"`)
	g.reload()
	g.disconnect(first) // not taken
	second := g.dial(0)
	g.rewrite("reverse_coa = true", "reverse_coa = false")
	g.reload()
	g.acknowledge(down)
	g.answered(first, q, radius.CodeDisconnectACK)
	if remote := second.RemoteAddr().String(); !strings.HasPrefix(remote, "127.0.0.2:") {
		t.Errorf("the new address is %s", remote)
	}
}

// A reload gives and takes the flag on connections that are open, and changes who may send.
//
// Rules: RC2, RC3, RC18
func TestReverseFlagOverReloads(t *testing.T) {
	g := startReverse(t)
	c := g.dial(0)
	ask := func(code radius.Code) {
		t.Helper()
		q := g.disconnect(c)
		if code == radius.CodeDisconnectACK {
			g.acknowledge(g.asked())
		}
		g.answered(c, q, code)
	}
	ask(radius.CodeDisconnectACK)
	g.rewrite("reverse_coa = true", "reverse_coa = false")
	g.reload()
	ask(radius.CodeDisconnectNAK)
	g.rewrite("reverse_coa = false", "reverse_coa = true")
	g.reload()
	ask(radius.CodeDisconnectACK)
}

// A gateway that stops waits for the answers of NASes, and takes nothing new meanwhile.
//
// Rules: RC18
func TestReverseWhileDraining(t *testing.T) {
	g := startReverse(t)
	c := g.dial(0)
	q := g.disconnect(c)
	down := g.asked()
	g.gw.Drain()
	g.disconnect(c) // not taken: the sender tries another gateway
	g.acknowledge(down)
	g.answered(c, q, radius.CodeDisconnectACK)
	if p := g.client.read(); p != nil {
		t.Errorf("the NAS is sent % x while the gateway stops", p)
	}
	<-g.gw.Ended()
	if err := g.gw.Wait(); err != nil {
		t.Error(err)
	}
}
