package gateway

import (
	"strings"
	"sync/atomic"
	"testing"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/probe"
)

// The UDP server is a proxy that sends every login back to the gateway over RadSec: the first
// that returns is refused, and both clients get an answer. If nothing stopped the loop the
// server would get the request again in each round; it stops after a hundred.
// Rules: P31, P33, P34
func TestLoop(t *testing.T) {
	const most = 100
	var g atomic.Pointer[testGateway]
	var rounds atomic.Int32
	back := make(chan []byte, 1)
	port := gatewaytest.Serve(t, func(w radius.ResponseWriter, r *radius.Request) {
		p := r.Response(radius.CodeAccessReject)
		if n := rounds.Add(1); n < most {
			attrs := [][]byte{emptyMAC, nameOf(rfc2865.UserName_GetString(r.Packet))}
			for _, a := range r.Attributes {
				if a.Type == rfc2865.ProxyState_Type {
					attrs = append(attrs, tlv(33, a.Attribute...))
				}
			}
			c := g.Load().connect("plain")
			q := rawRequest(1, byte(n), append(attrs, tlv(33, []byte("the server's")...))...)
			c.write(q)
			a := c.read()
			c.believe(q, a, 3)
			select {
			case back <- a:
			default:
			}
		}
		probe.AddMessageAuthenticator(p)
		if _, err := probe.Sign(p); err != nil {
			t.Error(err)
		}
		w.Write(p)
	})
	gw := startGateway(t, [3]int{port, gatewaytest.Serve(t, gatewaytest.Accept), gatewaytest.Serve(t, gatewaytest.Accept)})
	g.Store(gw)
	before := gw.scrape()
	c := gw.connect("plain")
	q := rawRequest(1, 1, emptyMAC, nameOf("bob@example.org"), tlv(33, []byte("mine")...))
	c.write(q)
	if a := <-back; !strings.Contains(string(a), string(tlv(101, 0, 0, 1, 0xf6))) {
		t.Errorf("expected Error-Cause 502 for what the server has sent back, got % x", a)
	}
	a := c.read()
	c.believe(q, a, 3)
	if n := rounds.Load(); n != 1 {
		t.Errorf("expected one request for one login, got %d", n)
	}
	gw.await("plain/access/loop=1 plain/access/relayed=1", func(now map[string]float64) string { return fatesSince(before, now) })
	if log := gw.log.String(); strings.Count(log, "has returned") != 1 || !strings.Contains(log, "server=udp") {
		t.Errorf("expected one line that names the server, got\n%s", log)
	}
}
