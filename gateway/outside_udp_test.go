package gateway

import (
	"net"
	"testing"
	"time"

	"radsec-gw/gateway/gatewaytest"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"radsec-gw/probe"
)

// outsideUDP is a server whose every datagram the test sends itself.
type outsideUDP struct {
	t    *testing.T
	conn *net.UDPConn
	from *net.UDPAddr // of the last request
}

func openUDP(t *testing.T) *outsideUDP {
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &outsideUDP{t: t, conn: c}
}

func (u *outsideUDP) port() int { return u.conn.LocalAddr().(*net.UDPAddr).Port }

// request reads the next request, as the field's library understands it.
func (u *outsideUDP) request() *radius.Packet {
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
func (u *outsideUDP) reply(p *radius.Packet, code radius.Code) []byte {
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

func (u *outsideUDP) send(b []byte) {
	u.t.Helper()
	if _, err := u.conn.WriteToUDP(b, u.from); err != nil {
		u.t.Fatal(err)
	}
}

// Forged, doubled, late and misdirected replies are counted and change nothing:
// the client gets the one true answer.
// Rules: P2, P16, P21, P49, P64
func TestOutsideBadReplies(t *testing.T) {
	server, stranger := openUDP(t), openUDP(t)
	o := startOutside(t, [3]int{server.port(), server.port(), server.port()})
	o.waitLong()
	before := o.scrape()
	c := o.connect("plain")
	q := rawRequest(1, 9, emptyMAC, nameOf("nemo@example.org"))
	c.write(q)
	p := server.request()

	true_ := server.reply(p, 2)
	forged := flip(6, server.reply(p, 2))
	unsigned := p.Response(radius.CodeAccessAccept)
	without, err := unsigned.Encode()
	if err != nil {
		t.Fatal(err)
	}
	otherID := server.reply(p, 2)
	otherID[1]++
	badMAC := p.Response(radius.CodeAccessAccept) // the Response Authenticator holds, so that the other fails
	badMAC.Add(80, make([]byte, 16))
	wrongMAC, err := badMAC.Encode()
	if err != nil {
		t.Fatal(err)
	}
	// From another port of the right address, and else perfect: only the kernel
	// of the gateway's host sees it, and the host's count tells.
	stranger.from = server.from
	stranger.send(true_)
	for _, b := range [][]byte{forged, server.reply(p, 5), true_[:19], without, otherID, wrongMAC, {}} {
		server.send(b)
	}
	o.await("bad_message_authenticator=1 bad_response_authenticator=1 malformed=2 missing_message_authenticator=1 unmatched=1 wrong_code=1",
		func(now map[string]float64) string {
			return since("radsec_gw_server_replies_total", before, now, "result")
		})
	noPorts := func(m map[string]float64) (n float64) {
		for key, v := range m {
			if len(key) > 31 && key[:31] == "radsec_gw_host_udp_no_ports_tot" {
				n += v
			}
		}
		return n
	}
	o.await("counted", func(now map[string]float64) string {
		if noPorts(now) > noPorts(before) {
			return "counted"
		}
		return "the reply from another port is not in the host's count of datagrams without a port"
	})
	if fates := fatesSince(before, o.scrape()); fates != "" {
		t.Errorf("the request has a fate already: %s", fates)
	}

	server.send(append(true_, "octets beyond Length"...))
	server.send(true_)
	a := c.read()
	c.believe(q, a, 2)
	o.await("plain/access/relayed=1", func(now map[string]float64) string { return fatesSince(before, now) })
	o.await("accepted=1 bad_message_authenticator=1 bad_response_authenticator=1 malformed=2 missing_message_authenticator=1 unmatched=2 wrong_code=1",
		func(now map[string]float64) string {
			return since("radsec_gw_server_replies_total", before, now, "result")
		})
}

// waitLong lets a request wait for its answer as long as a slow machine may need.
func (o *outside) waitLong() {
	o.t.Helper()
	o.rewrite("retransmit_duration = \"1s\"", "retransmit_duration = \"30s\"")
	o.reload()
}

// A reply that comes when the schedule has ended, and the client has its answer, changes
// nothing, and the next request is served.
// Rules: P64
func TestOutsideLateReply(t *testing.T) {
	server := openUDP(t)
	o := startOutside(t, [3]int{server.port(), server.port(), server.port()})
	before := o.scrape()
	c := o.connect("plain")
	q := rawRequest(1, 10, emptyMAC, nameOf("late@example.org"))
	c.write(q)
	c.believe(q, c.read(), 3)
	p := server.request()
	server.send(server.reply(p, 2))
	o.await("unmatched=1", func(now map[string]float64) string {
		return since("radsec_gw_server_replies_total", before, now, "result")
	})
	o.await("plain/access/server_silent=1", func(now map[string]float64) string { return fatesSince(before, now) })

	o.waitLong()
	q = rawRequest(1, 11, emptyMAC, nameOf("next@example.org"))
	c.write(q)
	for p = server.request(); rfc2865.UserName_GetString(p) != "next@example.org"; {
		p = server.request()
	}
	server.send(server.reply(p, 11))
	c.believe(q, c.read(), 11)
}
