package gateway

import (
	"bytes"
	"errors"
	"testing"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2868"
	"layeh.com/radius/vendors/microsoft"

	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/probe"
)

// answer11 is a RADIUS/1.0 server that accepts the right password, with keys in its
// replies.
func answer11(t *testing.T) radius.HandlerFunc {
	return func(w radius.ResponseWriter, r *radius.Request) {
		code := radius.CodeAccessReject
		if rfc2865.UserPassword_GetString(r.Packet) == "hello" && rfc2865.UserName_GetString(r.Packet) == "bob@example.org" {
			code = radius.CodeAccessAccept
		}
		p := r.Response(code)
		if err := errors.Join(rfc2868.TunnelPassword_AddString(p, 2, "tunnel"), microsoft.MSMPPERecvKey_Add(p, []byte("32 octets of a key, or less")), rfc2865.Class_Add(p, []byte("class"))); err != nil {
			t.Error(err)
		}
		probe.AddMessageAuthenticator(p)
		if _, err := probe.Sign(p); err != nil {
			t.Error(err)
		}
		w.Write(p)
	}
}

// requests11 lists requests of RADIUS/1.1 with their answers.
var requests11 = []struct {
	request []byte
	code    byte
	attrs   [][]byte
}{
	{rawRequest11(12, 1, emptyMAC), 2, nil},
	{rawRequest11(4, 2, nameOf("bob@example.org")), 5, [][]byte{tlv(25, []byte("bob@example.org")...)}},
	{rawRequest11(43, 3, nameOf("bob@example.org"), tlv(126, []byte("1example.org")...)), 44, [][]byte{tlv(25, []byte("bob@example.org")...)}},
	{rawRequest11(40, 4, nameOf("bob@example.org"), tlv(126, []byte("1example.org")...)), 41, [][]byte{tlv(25, []byte("bob@example.org")...)}},
	{rawRequest11(1, 5, nameOf("bob@nowhere")), 52, [][]byte{tlv(101, 0, 0, 1, 0xf6)}},
	{rawRequest11(4, 6, nameOf("bob@nowhere")), 52, [][]byte{tlv(101, 0, 0, 1, 0xf6)}},
	{rawRequest11(1, 7, nameOf("bob@example.org"), tlv(3, make([]byte, 17)...)), 52, [][]byte{tlv(101, 0, 0, 1, 0xf9)}},
}

// The gateway is between a client of RADIUS/1.1 and servers of RADIUS/1.0: logins with
// hidden keys in the replies, other kinds of requests, and requests without a route.
// Rules: P120, P122, P123, P124, P126, P127, P128
func TestRadius11(t *testing.T) {
	port := gatewaytest.Serve(t, answer11(t))
	g := startGateway(t, [3]int{port, gatewaytest.Serve(t, gatewaytest.Accept), gatewaytest.Serve(t, gatewaytest.Accept)})
	before := g.scrape()
	c := g.connect11("plain")
	for token, password := range map[uint32]string{0: "hello", 0xffffffff: "wrong"} {
		q := rawRequest11(1, token, nameOf("bob@example.org"), tlv(2, []byte(password)...), tlv(33, []byte("mine")...))
		c.write(q)
		want := reply11(q, 3, tlv(69, []byte("\x02tunnel")...), tlv(26, append([]byte{0, 0, 1, 55, 17, 29}, "32 octets of a key, or less"...)...),
			tlv(25, []byte("class")...), tlv(33, []byte("mine")...))
		if password == "hello" {
			want[0] = 2
		}
		if got := c.read(); !bytes.Equal(got, want) {
			t.Errorf("expected\n% x, got\n% x", want, got)
		}
	}
	for _, x := range requests11 {
		c.write(x.request)
		if got, want := c.read(), reply11(x.request, x.code, x.attrs...); !bytes.Equal(got, want) {
			t.Errorf("code %d: expected\n% x, got\n% x", x.request[0], want, got)
		}
	}
	g.await("plain/access/bad_user_password=1 plain/access/no_route=1 plain/access/relayed=2 plain/accounting/no_route=1 plain/accounting/relayed=1 plain/coa/relayed=1 plain/disconnect/relayed=1 plain/status/status_answered=1",
		func(now map[string]float64) string { return fatesSince(before, now) })
}

// Two requests in flight with the same Token end the connection. A connection of RADIUS/1.0
// beside it is served.
// Rules: P130
func TestTokenReused(t *testing.T) {
	port := gatewaytest.Serve(t, answer11(t))
	g := startGateway(t, [3]int{port, gatewaytest.Serve(t, gatewaytest.Accept), gatewaytest.Serve(t, gatewaytest.Accept)})
	c := g.connect11("plain")
	c.write(append(rawRequest11(1, 8, nameOf("a@example.org")), rawRequest11(4, 8, nameOf("b@example.org"))...))
	for b := c.read(); b != nil; b = c.read() {
		if b[0] != 3 {
			t.Errorf("expected Access-Reject or the end of the connection, got code %d", b[0])
		}
	}
	old, q := g.connect("plain"), rawRequest(12, 1, emptyMAC)
	old.write(q)
	old.believe(q, old.read(), 2)
}
