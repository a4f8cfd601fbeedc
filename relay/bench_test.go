package relay

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"radsec-gw/metrics"
	"radsec-gw/routing"
	"radsec-gw/rules"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// loop is a server's socket whose server answers each datagram immediately with one reply,
// made in buffers that are reused: only the gateway allocates.
type loop struct {
	net.Conn
	hasher   *wire.Hasher
	secret   *wire.ClientSecret
	template []byte
	in, free chan []byte
	closed   chan struct{}
}

func (c *loop) Write(p []byte) (int, error) {
	r := <-c.free
	r = r[:copy(r[:cap(r)], c.template)]
	r[1] = p[1]
	if err := c.hasher.SignReply(r, (*[16]byte)(p[4:20]), c.secret); err != nil {
		return 0, err
	}
	c.in <- r
	return len(p), nil
}

func (c *loop) Read(p []byte) (int, error) {
	select {
	case b := <-c.in:
		n := copy(p, b)
		c.free <- b
		return n, nil
	case <-c.closed:
		return 0, net.ErrClosed
	}
}

func (c *loop) LocalAddr() net.Addr { return nil }

func (c *loop) Close() error { close(c.closed); return nil }

// counting is a peer that reports each packet it is sent.
type counting struct {
	sent chan struct{}
	v11  bool
}

func (p *counting) Send([]byte) bool { p.sent <- struct{}{}; return true }
func (p *counting) Flush()           {}
func (p *counting) Version11() bool  { return p.v11 }

func (p *counting) Ended() metrics.Reason { return metrics.ClosedByPeer }

// benchmark carries requests made from one template to a server and their
// replies back, a burst of 16 at a time.
func benchmark(b *testing.B, request, reply []byte) { benchmarkVersion(b, false, request, reply) }

func benchmarkVersion(b *testing.B, v11 bool, request, reply []byte) {
	benchmarkClient(b, v11, func(*ClientConfig) {}, request, reply)
}

// benchmarkClient is benchmark with a client that has more settings.
func benchmarkClient(b *testing.B, v11 bool, set func(*ClientConfig), request, reply []byte) {
	m := metrics.New(prometheus.NewRegistry())
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	back := udpback.NewDialing(m, log, func(netip.Addr, netip.AddrPort) (net.Conn, error) {
		c := &loop{hasher: wire.NewHasher(), secret: must(wire.NewClientSecret([]byte(serverText))), template: reply,
			in: make(chan []byte, 256), free: make(chan []byte, 256), closed: make(chan struct{})}
		for range cap(c.free) {
			c.free <- make([]byte, 0, wire.MaxLength)
		}
		return c, nil
	})
	server := back.NewServer(udpback.ServerConfig{Name: "a", Address: serverAddress, AuthPort: 1812, AcctPort: 1813,
		Secret: must(wire.NewServerSecret([]byte(serverText))), RequireMA: true})
	defer server.Close()
	table := must(routing.New([]routing.Rule{{Realms: []string{"example.org"}, Kinds: []wire.Kind{wire.KindAccess, wire.KindAccounting}}}, routing.Options{}))
	r := New(back, &Rules{Table: table, Marker: NewMarker(NewMarkerKey(), []string{"a"}), Routes: []Route{{Group: must(back.NewGroup(udpback.GroupConfig{}, server))}}}, m, nil, log)
	client := &ClientConfig{Name: "campus", Secret: must(wire.NewClientSecret([]byte("radsec"))), Metrics: m.Client("campus")}
	for k := range client.Policy {
		client.Allowed[k], client.Policy[k] = true, wire.RequestPolicy{RequireEAPMA: true, VerifyRA: true}
	}
	set(client)
	p := &counting{sent: make(chan struct{}, 256), v11: v11}
	conn := r.Open(NewClient(client), p, netip.MustParseAddrPort("192.0.2.1:1024"), Origin{})
	defer conn.Closed()

	const burst = 16
	asks := variants(b, request)
	b.ReportAllocs()
	for i := 0; b.Loop(); {
		n := burst
		for range n {
			if err := conn.Packet(asks[i%len(asks)]); err != nil {
				b.Fatal(err)
			}
			i++
		}
		conn.Flush()
		for range n {
			<-p.sent
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/burst, "ns/exchange")
}

// variants makes 1024 requests of one: other Identifiers, and other contents
// when an Identifier comes again.
func variants(b *testing.B, request []byte) [][]byte {
	h, s := wire.NewHasher(), must(wire.NewServerSecret([]byte(clientText)))
	all := make([][]byte, 1024)
	for i := range all {
		p := bytes.Clone(request)
		p[1] = byte(i)
		p[4], p[5] = byte(i), byte(i>>8)
		p[len(p)-1] = byte(i >> 8) // for accounting, whose authenticator is computed
		if err := h.SignRequest(p, s); err != nil {
			b.Fatal(err)
		}
		all[i] = p
	}
	return all
}

func BenchmarkRelayPAP(b *testing.B) {
	benchmark(b,
		makeRequest(1, 0, 1, mac, nemo, password("hello", clientText, challenge(1)), integer(4, 0x7f000001), text(31, "02-00-00-00-00-01"), proxyState("abcdefgh")),
		respond(makeRequest(1, 0, 1), 2, mac, text(25, "class"), integer(27, 3600)))
}

// An EAP round with ten simple rules, to be compared with BenchmarkRelayEAP.
// Rules: AR10
func BenchmarkRelayTenRules(b *testing.B) {
	request, reply := eapRound()
	chain := tenRules(b)
	benchmarkClient(b, false, func(c *ClientConfig) { c.Attributes.Request = chain }, request, reply)
}

// An EAP round from a source of the client's own, to be compared with BenchmarkRelayEAP.
// Rules: ID6
func BenchmarkRelaySource(b *testing.B) {
	request, reply := eapRound()
	source := &ClientSource{Addr: netip.MustParseAddr("192.0.2.7"), Secret: must(wire.NewServerSecret([]byte(serverText)))}
	benchmarkClient(b, false, func(c *ClientConfig) { c.Source = source }, request, reply)
}

// tenRules are rules such as an operator may have for every request.
func tenRules(t testing.TB) *rules.Chain {
	set := func(attribute, value string) rules.Rule {
		return rules.Rule{Set: []rules.Assignment{{Attribute: attribute, Values: []string{value}}}}
	}
	remove := func(attribute string) rules.Rule { return rules.Rule{Remove: []rules.Item{{Text: attribute}}} }
	return chainOf(t,
		remove("Operator-Name"), remove("9:*"), remove("Filter-Id"), remove("Cisco-AVPair"),
		set("NAS-Identifier", "{client.name}"), set("Operator-Name", "1campus.example"),
		rules.Rule{Default: []rules.Assignment{{Attribute: "NAS-Port-Type", Values: []string{"19"}}}},
		rules.Rule{Default: []rules.Assignment{{Attribute: "Service-Type", Values: []string{"2"}}}},
		rules.Rule{Add: []rules.Assignment{{Attribute: "Cisco-AVPair", Values: []string{"client={client.name}"}}}},
		rules.Rule{Reject: []rules.Pattern{{Attribute: "User-Name", Pattern: "@$"}}})
}

func BenchmarkRelayEAP(b *testing.B) {
	request, reply := eapRound()
	benchmark(b, request, reply)
}

// eapRound returns a request and a challenge in the middle of an EAP conversation.
func eapRound() (request, reply []byte) {
	part := attr{79, bytes.Repeat([]byte{7}, 253)}
	return makeRequest(1, 0, 1, mac, nemo, part, text(79, "the rest"), text(24, "state of sixteen"), text(31, "02-00-00-00-00-01")),
		respond(makeRequest(1, 0, 1), 11, mac, part, part, part, text(79, "the rest"), text(24, "state of sixteen"))
}

func BenchmarkRelayAccept(b *testing.B) {
	// The keys are noise that decrypts to a length of its own; in an
	// Access-Challenge that is passed on, so both ways of the cipher are paid.
	key := append([]byte{0x80, 1}, make([]byte, 48)...)
	benchmark(b,
		makeRequest(1, 0, 1, mac, nemo, eap(2, 1, 0, 4)),
		respond(makeRequest(1, 0, 1), 11, mac, eap(1, 1, 0, 4), vendor(311, append([]byte{16, 52}, key...)...), vendor(311, append([]byte{17, 52}, key...)...)))
}

func BenchmarkRelayAccounting(b *testing.B) {
	benchmark(b,
		makeRequest(4, 0, 0, nemo, integer(40, 3), text(44, "0123456789abcdef"), integer(55, 1), integer(42, 5), integer(43, 6), text(31, "02-00-00-00-00-01")),
		respond(makeRequest(4, 0, 0), 5))
}

func BenchmarkRelayPAP11(b *testing.B) {
	benchmarkVersion(b, true,
		makeRequest(1, 0, 1, nemo, text(2, "hello"), integer(4, 0x7f000001), text(31, "02-00-00-00-00-01"), proxyState("abcdefgh")),
		respond(makeRequest(1, 0, 1), 2, mac, text(25, "class"), integer(27, 3600)))
}

func BenchmarkRelayAccept11(b *testing.B) {
	request := makeRequest(1, 0, 1, nemo, eap(2, 1, 0, 4))
	key := append([]byte{0x80, 1}, make([]byte, 48)...)
	benchmarkVersion(b, true, request,
		respond(request, 11, mac, eap(1, 1, 0, 4), vendor(311, append([]byte{16, 52}, key...)...), vendor(311, append([]byte{17, 52}, key...)...)))
}
