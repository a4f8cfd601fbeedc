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

// The whole gateway between a client of RADIUS/1.1 and servers of RADIUS/1.0: PAP
// with keys, what is not served, and a client that reuses a Token.
// Rules: P120, P122, P123, P124, P126, P127, P128, P130
func TestRadius11(t *testing.T) {
	port := gatewaytest.Serve(t, func(w radius.ResponseWriter, r *radius.Request) {
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
	})
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
			t.Errorf("the client reads\n% x, want\n% x", got, want)
		}
	}
	for _, x := range []struct {
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
	} {
		c.write(x.request)
		if got, want := c.read(), reply11(x.request, x.code, x.attrs...); !bytes.Equal(got, want) {
			t.Errorf("code %d: the client reads\n% x, want\n% x", x.request[0], got, want)
		}
	}
	g.await("plain/access/bad_user_password=1 plain/access/no_route=1 plain/access/relayed=2 plain/accounting/no_route=1 plain/accounting/relayed=1 plain/coa/relayed=1 plain/disconnect/relayed=1 plain/status/status_answered=1",
		func(now map[string]float64) string { return fatesSince(before, now) })

	// Two requests with one Token: the connection ends.
	one := rawRequest11(1, 8, nameOf("a@example.org"))
	c.write(append(one, rawRequest11(4, 8, nameOf("b@example.org"))...))
	for b := c.read(); b != nil; b = c.read() {
		if b[0] != 3 {
			t.Errorf("the client reads code %d", b[0])
		}
	}
	old, q := g.connect("plain"), rawRequest(12, 1, emptyMAC) // and RADIUS/1.0 beside it
	old.write(q)
	old.believe(q, old.read(), 2)
}
