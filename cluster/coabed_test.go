package cluster

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"layeh.com/radius"

	"radsec-gw/cluster/natstest"
	"radsec-gw/dynauth"
	"radsec-gw/metrics"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

const (
	senderSecret = "secret-of-the-sender"
	radsec       = "radsec"
)

// Types of attributes.
const (
	userName       = 1
	nasAddress     = 4
	called         = 30
	nasID          = 32
	sessionID      = 44
	errorCause     = 101
	operatorName   = 126
	proxyState     = 33
	codeDisconnect = radius.CodeDisconnectRequest
)

// attr is an attribute: type and value.
type attr struct {
	t     radius.Type
	value string
}

// coaGateway is the part of a gateway that has to do with CoA.
type coaGateway struct {
	t       testing.TB
	reg     *prometheus.Registry
	log     *log
	conn    *Conn
	server  *dynauth.Server
	coa     *CoA
	clients map[string]*dynauth.Client
	listen  netip.AddrPort
	stop    func() // ends it
	stopCoA func() // ends Run only
}

// quickCoA are the usual times, but for how soon names that are no longer here are removed.
var quickCoA = coaTimes{step: 500 * time.Millisecond, whole: 1500 * time.Millisecond, late: 250 * time.Millisecond, beat: 200 * time.Millisecond, names: time.Hour}

// gatewayOptions are what gateways differ in.
type gatewayOptions struct {
	conn    times
	coa     coaTimes
	timeout time.Duration
}

var usual = gatewayOptions{quick, quickCoA, 30 * time.Second}

// startCoA starts a gateway that shares CoA, until the test ends.
func startCoA(t testing.TB, servers *natstest.Cluster, o gatewayOptions) *coaGateway {
	t.Helper()
	g := &coaGateway{t: t, reg: prometheus.NewRegistry(), log: new(log), clients: map[string]*dynauth.Client{}}
	m, logger := metrics.New(g.reg), slog.New(slog.NewTextHandler(g.log, nil))
	secret, err := wire.NewServerSecret([]byte(senderSecret))
	if err != nil {
		t.Fatal(err)
	}
	cfg := &dynauth.Config{Timeout: o.timeout, MaxLearned: 100_000, Lifetime: time.Hour, Timestamps: dynauth.Timestamps{Window: 5 * time.Minute},
		Senders: []dynauth.Sender{{Name: "radius", Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Secret: secret}}}
	g.server = dynauth.New(udpback.New(m, logger), cfg, m.DynAuth(), nil, logger)
	client, err := wire.NewClientSecret([]byte(radsec))
	if err != nil {
		t.Fatal(err)
	}
	var list []*dynauth.Client
	for _, name := range []string{"a", "b"} {
		one := &dynauth.ClientConfig{Reverse: true, Secret: client}
		if name == "b" {
			one.Operators, one.Source = []string{"example.org"}, netip.MustParseAddr("127.0.0.77")
		}
		g.clients[name] = dynauth.NewClient(name, one)
		list = append(list, g.clients[name])
	}
	g.server.Configure(cfg, list)
	g.conn = open(Config{URLs: servers.URLs(), Metrics: m.Cluster(), Log: logger}, o.conn)
	g.coa = newCoA(g.conn, g.server, "test", m.ClusterAsks(), logger, o.coa)
	g.server.UseOthers(g.coa)
	g.run()
	return g
}

// run starts what a gateway runs.
func (g *coaGateway) run() {
	l, err := dynauth.Listen(netip.MustParseAddrPort("0.0.0.0:0"))
	if err != nil {
		g.t.Fatal(err)
	}
	g.listen = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), l.Addr().Port())
	ctx, cancel := context.WithCancel(context.Background())
	coaCtx, cancelCoA := context.WithCancel(ctx)
	served, ran := make(chan struct{}), make(chan struct{})
	go func() { defer close(served); g.server.Serve(ctx, l) }()
	go func() { defer close(ran); g.coa.Run(coaCtx) }()
	g.stopCoA = func() { cancelCoA(); <-ran }
	g.stop = func() {
		cancel()
		<-served
		<-ran
		closing, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		g.conn.Close(closing)
	}
	g.t.Cleanup(g.stop)
}

// startGateways starts some gateways that know each other.
func startGateways(t testing.TB, servers *natstest.Cluster, n int, o gatewayOptions) (list []*coaGateway) {
	t.Helper()
	for range n {
		list = append(list, startCoA(t, servers, o))
	}
	awaitPeers(t, list)
	return list
}

// awaitPeers waits until gateways know each other.
func awaitPeers(t testing.TB, list []*coaGateway) {
	t.Helper()
	for _, g := range list {
		untilTB(t, "that the gateways know each other", func() bool {
			return g.coa.canAsk() && g.coa.peers.count(g.coa.now(), time.Hour) == len(list)-1
		})
	}
}

// untilTB is until for benchmarks, too.
func untilTB(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); <-time.After(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("expected %s within %v", what, patience)
		}
	}
}

// nas is a NAS with a connection to a gateway.
type nas struct {
	g    *coaGateway
	link *dynauth.Link
	got  chan []byte
}

func (n *nas) Send(b []byte) bool {
	n.got <- bytes.Clone(b)
	return true
}
func (n *nas) Flush()                {}
func (n *nas) Ended() metrics.Reason { return metrics.ClosedByPeer }

// connect has a NAS of a client connect, and log a user in with attributes.
func (g *coaGateway) connect(client string, list ...attr) *nas {
	g.t.Helper()
	n := &nas{g: g, got: make(chan []byte, 10_000)}
	source := netip.Addr{}
	if client == "b" {
		source = netip.MustParseAddr("127.0.0.77")
	}
	n.link = g.server.Open(g.clients[client], dynauth.LinkConfig{Peer: n, Remote: netip.MustParseAddrPort("203.0.113.7:5000"), Device: fmt.Sprintf("%p", n),
		Source: func() netip.Addr { return source }})
	n.login(list...)
	return n
}

func (n *nas) login(list ...attr) {
	v := viewOf(n.g.t, encode(n.g.t, request(radius.CodeAccessRequest, 1, radsec, list...)))
	n.link.Answered(n.link.Arrived(v, 0), v, radius.CodeAccessAccept, dynauth.Granted{}, 0)
	n.g.settle()
}

// settle waits until the other gateways can find what is reachable here.
func (g *coaGateway) settle() {
	g.t.Helper()
	all := map[dynauth.Name]bool{}
	for n := range g.server.Reachable() {
		all[n] = true
	}
	untilTB(g.t, "that the names are subscribed to", func() bool { return !g.conn.Connected() || g.value("coa_names") >= float64(len(all)) })
	if g.conn.Connected() {
		_ = g.conn.NATS().FlushTimeout(patience)
	}
}

// next returns what the NAS is sent.
func (n *nas) next() []byte {
	n.g.t.Helper()
	select {
	case b := <-n.got:
		return b
	case <-time.After(patience):
		n.g.t.Fatal("the NAS was sent nothing")
		return nil
	}
}

// answer has the NAS answer what it was sent.
func (n *nas) answer(down []byte, code radius.Code) {
	n.g.t.Helper()
	p, err := radius.Parse(down, []byte(radsec))
	if err != nil {
		n.g.t.Fatal(err)
	}
	r, d := n.link.AcquireReplies(), wire.NewDigests()
	defer r.Release()
	if ok, err := r.Add(d, viewOf(n.g.t, encode(n.g.t, p.Response(code)))); !ok || err != nil {
		n.g.t.Fatalf("the answer is not expected: %v", err)
	}
	d.Run()
	r.Finish(d)
}

func addrPort(address string, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(address), port)
}

func viewOf(t testing.TB, b []byte) *wire.View {
	t.Helper()
	v := new(wire.View)
	if err := v.Parse(b); err != nil {
		t.Fatal(err)
	}
	return v
}

func request(code radius.Code, id byte, secret string, list ...attr) *radius.Packet {
	p := radius.New(code, []byte(secret))
	p.Identifier = id
	for _, a := range list {
		p.Add(a.t, radius.Attribute(a.value))
	}
	return p
}

// encode returns a packet, which then has its Authenticator.
func encode(t testing.TB, p *radius.Packet) []byte {
	t.Helper()
	b, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if p.Code == radius.CodeDisconnectRequest || p.Code == radius.CodeCoARequest {
		copy(p.Authenticator[:], b[4:20])
	}
	return b
}

// coaSender is a server that sends CoA to a gateway.
type coaSender struct {
	t    testing.TB
	conn *net.UDPConn
	id   byte
}

// from returns a sender to a gateway.
func (g *coaGateway) sender() *coaSender {
	g.t.Helper()
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(g.listen))
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { conn.Close() })
	return &coaSender{t: g.t, conn: conn}
}

// send sends a Disconnect-Request with attributes.
func (s *coaSender) send(list ...attr) *radius.Packet {
	s.t.Helper()
	s.id++
	p := request(codeDisconnect, s.id, senderSecret, list...)
	s.put(encode(s.t, p))
	return p
}

func (s *coaSender) put(octets []byte) {
	s.t.Helper()
	if _, err := s.conn.Write(octets); err != nil {
		s.t.Fatal(err)
	}
}

// octets returns the next datagram, nil if none arrives for a time.
func (s *coaSender) octets(within time.Duration) []byte {
	b := make([]byte, 4096)
	_ = s.conn.SetReadDeadline(time.Now().Add(within))
	n, err := s.conn.Read(b)
	if err != nil {
		return nil
	}
	return b[:n]
}

// reply returns the answer to a request, whose signature must be right: its Code, and its
// Error-Cause, 0 if it has none.
func (s *coaSender) reply(p *radius.Packet) (code radius.Code, cause uint32) {
	s.t.Helper()
	b := s.octets(patience)
	if b == nil {
		s.t.Fatal("there is no answer")
	}
	if !radius.IsAuthenticResponse(b, encode(s.t, p), []byte(senderSecret)) || b[1] != p.Identifier {
		s.t.Errorf("the answer does not verify: % x", b)
	}
	r, err := radius.Parse(b, []byte(senderSecret))
	if err != nil {
		s.t.Fatal(err)
	}
	if v := r.Get(errorCause); len(v) == 4 {
		cause = binary.BigEndian.Uint32(v)
	}
	return r.Code, cause
}

// wantNAK has the answer be a NAK with Error-Cause 502.
func (s *coaSender) wantNAK(p *radius.Packet) {
	s.t.Helper()
	if code, cause := s.reply(p); code != radius.CodeDisconnectNAK || cause != 502 {
		s.t.Errorf("the answer is %v %d, expected a NAK with 502", code, cause)
	}
}

// wantACK has a NAS get the request, and the sender the NAS's answer.
func (s *coaSender) wantACK(n *nas, p *radius.Packet) {
	s.t.Helper()
	n.answer(n.next(), radius.CodeDisconnectACK)
	if code, cause := s.reply(p); code != radius.CodeDisconnectACK {
		s.t.Errorf("the answer is %v %d, expected an ACK", code, cause)
	}
}

// value returns the sum of a metric's series whose labels have a value; "": all.
func (g *coaGateway) value(name string, label ...string) (sum float64) {
	families, err := g.reg.Gather()
	if err != nil {
		g.t.Fatal(err)
	}
	for _, f := range families {
		if !strings.HasSuffix(f.GetName(), name) {
			continue
		}
		for _, m := range f.Metric {
			var have []string
			for _, l := range m.Label {
				have = append(have, l.GetValue())
			}
			if !slices.ContainsFunc(label, func(want string) bool { return !slices.Contains(have, want) }) {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}
