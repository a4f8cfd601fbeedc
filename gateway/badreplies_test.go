package gateway

import (
	"strings"
	"testing"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
)

// Forged, damaged, misdirected and duplicate replies are counted and ignored: the client gets
// the server's answer.
// Rules: P2, P16, P21, P49, P64
func TestBadReplies(t *testing.T) {
	server, stranger := openServer(t), openServer(t)
	g := startGateway(t, [3]int{server.port(), server.port(), server.port()})
	before := g.scrape()
	c := g.connect("plain")
	q := rawRequest(1, 9, emptyMAC, nameOf("nemo@example.org"))
	c.write(q)
	p := server.request()

	// A good reply from another port of the server's address: only the kernel of the
	// gateway's host sees it, and the host counts it.
	good := server.reply(p, 2)
	stranger.from = server.from
	stranger.send(good)
	for _, b := range badReplies(t, server, p) {
		server.send(b)
	}
	g.await("bad_message_authenticator=1 bad_response_authenticator=1 malformed=2 missing_message_authenticator=1 unmatched=1 wrong_code=1",
		func(now map[string]float64) string {
			return since("radsec_gw_server_replies_total", before, now, "result")
		})
	g.await("counted", func(now map[string]float64) string {
		if noPorts(now) > noPorts(before) {
			return "counted"
		}
		return "the reply from another port is not in the host's count of datagrams without a port"
	})
	if fates := fatesSince(before, g.scrape()); fates != "" {
		t.Errorf("expected no fate of the request yet, got %s", fates)
	}

	server.send(append(good, "octets beyond Length"...))
	server.send(good)
	a := c.read()
	c.believe(q, a, 2)
	g.await("plain/access/relayed=1", func(now map[string]float64) string { return fatesSince(before, now) })
	g.await("accepted=1 bad_message_authenticator=1 bad_response_authenticator=1 malformed=2 missing_message_authenticator=1 unmatched=2 wrong_code=1",
		func(now map[string]float64) string {
			return since("radsec_gw_server_replies_total", before, now, "result")
		})
}

// badReplies returns replies to p that are not valid.
func badReplies(t *testing.T, server *testServer, p *radius.Packet) [][]byte {
	t.Helper()
	forged := flip(6, server.reply(p, 2))
	truncated := server.reply(p, 2)[:19]
	otherIdentifier := server.reply(p, 2)
	otherIdentifier[1]++
	unsigned, err := p.Response(radius.CodeAccessAccept).Encode()
	if err != nil {
		t.Fatal(err)
	}
	badMAC := p.Response(radius.CodeAccessAccept) // the Response Authenticator is right, so that the other is what fails
	badMAC.Add(80, make([]byte, 16))
	wrongMAC, err := badMAC.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return [][]byte{forged, server.reply(p, 5), truncated, unsigned, otherIdentifier, wrongMAC, {}}
}

// noPorts returns how many datagrams the host has received for a port that is not open.
func noPorts(m map[string]float64) (n float64) {
	for key, v := range m {
		if strings.HasPrefix(key, "radsec_gw_host_udp_no_ports_total") {
			n += v
		}
	}
	return n
}

// A reply that arrives after the end of the schedule, when the client has its answer,
// changes nothing, and the next request is served.
// Rules: P64
func TestLateReply(t *testing.T) {
	server := openServer(t)
	g := startGateway(t, [3]int{server.port(), server.port(), server.port()})
	g.rewrite("duration = \"30s\"", "duration = \"1s\"")
	g.resendSoon()
	g.reload()
	before := g.scrape()
	c := g.connect("plain")
	q := rawRequest(1, 10, emptyMAC, nameOf("late@example.org"))
	c.write(q)
	c.believe(q, c.read(), 3)
	p := server.request()
	server.send(server.reply(p, 2))
	g.await("unmatched=1", func(now map[string]float64) string {
		return since("radsec_gw_server_replies_total", before, now, "result")
	})
	g.await("plain/access/server_silent=1", func(now map[string]float64) string { return fatesSince(before, now) })

	g.rewrite("duration = \"1s\"", "duration = \"30s\"")
	g.reload()
	q = rawRequest(1, 11, emptyMAC, nameOf("next@example.org"))
	c.write(q)
	for p = server.request(); rfc2865.UserName_GetString(p) != "next@example.org"; {
		p = server.request()
	}
	server.send(server.reply(p, 11))
	c.believe(q, c.read(), 11)
}
