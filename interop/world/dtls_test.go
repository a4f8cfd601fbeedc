//go:build linux

package world

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pion/dtls/v4"
	"github.com/pion/dtls/v4/pkg/protocol"
	"layeh.com/radius"
)

// RADIUS/DTLS over a wire with an MTU of 1280 octets that loses a fifth of all IP packets each
// way, doubles a tenth and lets them overtake each other: a client that sends again gets in, and
// each of its requests of nearly 4096 octets, which IP carries in four fragments, is answered, by
// a reply as large. The server sees each once.
// Rules: DT3, DT4, DT8, DT10
func TestDTLSOverABadWire(t *testing.T) {
	t.Parallel()
	w, wire := newWiredWorld(t)
	for n, devices := range map[*namespace][]string{w.gateway: {"eth0"}, w.outside: {"eth0"}, w.between: {"near", "far"}} {
		for _, device := range devices {
			w.run(n, "ip link set "+device+" mtu 1280")
		}
	}
	s := w.serverAt(w.gateway, "127.0.0.9:1812", func(request) reply { return reply{size: 3800} })
	g := w.start(setup{
		clients: "[[listener]]\nname = \"dtls\"\ntransport = \"dtls\"\naddress = [\"10.0.0.1:2083\"]\n" +
			"[[client]]\nname = \"nas\"\nnetworks = [\"10.0.0.0/24\"]\ntransports = [\"dtls\"]\nsecret = \"radsec\"\n",
		rest: backend("server", "127.0.0.9") + route("*", to("server"))})
	wire.set(path{lose: 20, double: 10, delay: time.Millisecond, jitter: 5 * time.Millisecond})
	nas := w.dialDTLS("10.0.0.1:2083")
	const requests = 30
	var sent [requests][]byte
	for i := range sent {
		sent[i] = encode(message{code: radius.CodeAccessRequest, user: fmt.Sprintf("u%d@test", i), size: 3700}, byte(i))
	}
	answers, tries := nas.askAll(sent[:])
	for i, b := range answers {
		if b == nil || !radius.IsAuthenticResponse(b, sent[i], radsec) || len(b) < 3800 {
			t.Errorf("request %d of %d octets: an answer of %d octets, expected a valid one of 3800 or more", i, len(sent[i]), len(b))
		}
	}
	unbroken, _ := wire.counts()
	t.Logf("%d requests of %d octets, sent %d times until each was answered", requests, len(sent[0]), tries)
	if seen := len(s.requests()); seen != requests {
		t.Errorf("the server saw %d requests, expected each of %d once", seen, requests)
	}
	if unbroken > 0 {
		t.Errorf("%d packets to the client may not be fragmented, expected none", unbroken)
	}
	if n := g.Metrics().Sum("radsec_gw_requests_total", `client="nas"`, `fate="relayed"`); n != requests {
		t.Errorf("%v requests were relayed, expected %d", n, requests)
	}
}

// dtlsClient is a NAS outside with a session over DTLS.
type dtlsClient struct {
	t    testing.TB
	conn *dtls.Conn
}

// dialDTLS does the handshake, as often as it takes: the network may lose all of one.
func (w *world) dialDTLS(address string) *dtlsClient {
	w.t.Helper()
	config, err := built.files.Client()
	w.must(err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	socket, err := w.outside.listenUDP("10.0.0.254:0")
	w.must(err)
	w.t.Cleanup(func() { socket.Close() })
	c, err := dtls.Client(socket, net.UDPAddrFromAddrPort(netip.MustParseAddrPort(address)), dtls.WithCertificates(config.Certificates...), dtls.WithRootCAs(config.RootCAs),
		dtls.WithServerName(config.ServerName), dtls.WithMaxVersion(protocol.Version1_2), dtls.WithFlightInterval(100*time.Millisecond), dtls.WithMTU(1200))
	w.must(err)
	w.t.Cleanup(func() { c.Close() })
	w.must(c.HandshakeContext(ctx))
	return &dtlsClient{w.t, c}
}

// askAll sends requests with the Identifiers 0, 1, and so on, those that are not answered again
// each 200 ms, until all are answered. It returns the answers, and how often it has sent.
func (c *dtlsClient) askAll(requests [][]byte) (answers [][]byte, tries int) {
	c.t.Helper()
	answers = make([][]byte, len(requests))
	b := make([]byte, radius.MaxPacketLength)
	for end := time.Now().Add(patience); slices.ContainsFunc(answers, func(a []byte) bool { return a == nil }); {
		if time.Now().After(end) {
			c.t.Errorf("not every request is answered after %v and %d tries", patience, tries)
			return answers, tries
		}
		for i := range requests {
			if answers[i] == nil {
				tries++
				_, _ = c.conn.Write(requests[i])
			}
		}
		_ = c.conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		for {
			n, err := c.conn.Read(b)
			if err != nil {
				break
			}
			if int(b[1]) < len(answers) {
				answers[b[1]] = slices.Clone(b[:n])
			}
		}
	}
	return answers, tries
}
