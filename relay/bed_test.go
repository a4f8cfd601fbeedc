package relay

import (
	"bytes"
	"cmp"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"radsec-gw/metrics"
	"radsec-gw/routing"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The two sides have different secrets, so that a packet signed for the wrong one is detected.
const (
	clientText = "radsec"
	serverText = "udp-Secret-7+longer-than-one-block-of-md5"
)

// network is a fake of the network with all UDP servers, on the test's clock.
type network struct {
	start time.Time

	mu       sync.Mutex
	received []datagram
	last     *fakeConn // that was opened last
	// serve, if set, is called for every datagram; its answers are delivered immediately.
	// An answer that is nil is ICMP port unreachable.
	serve func(q []byte) [][]byte
}

// datagram is one packet as a server saw it.
type datagram struct {
	at      time.Duration // since the network was made
	address string
	octets  []byte
	from    *fakeConn
}

// serverAddress is where the bed's first server is; tests call it "a".
const serverAddress = "192.0.2.1"

func (n *network) dial(from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	address := strings.Replace(to.String(), serverAddress+":", "a:", 1)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last = &fakeConn{net: n, address: address, source: from, in: make(chan []byte, 4096), closed: make(chan struct{})}
	return n.last, nil
}

// seen returns what the servers got since the last call.
func (n *network) seen() []datagram {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := n.received
	n.received = nil
	return all
}

func (n *network) setServe(f func(q []byte) [][]byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.serve = f
}

type fakeConn struct {
	net.Conn // nil: what is not defined below must not be called
	net      *network
	address  string
	source   netip.Addr // that it is bound to; the zero Addr: the system chooses
	in       chan []byte
	once     sync.Once
	closed   chan struct{}
}

func (c *fakeConn) Write(p []byte) (int, error) {
	c.net.mu.Lock()
	q := bytes.Clone(p)
	c.net.received = append(c.net.received, datagram{time.Since(c.net.start), c.address, q, c})
	serve := c.net.serve
	c.net.mu.Unlock()
	if serve != nil {
		for _, r := range serve(q) {
			c.in <- r
		}
	}
	return len(p), nil
}

func (c *fakeConn) Read(p []byte) (int, error) {
	select {
	case b := <-c.in:
		if b == nil {
			return 0, syscall.ECONNREFUSED
		}
		return copy(p, b), nil
	case <-c.closed:
		return 0, net.ErrClosed
	}
}

func (c *fakeConn) LocalAddr() net.Addr { return nil }

func (c *fakeConn) RemoteAddr() net.Addr { return nil }

func (c *fakeConn) Close() error { c.once.Do(func() { close(c.closed) }); return nil }

// peer is a Peer that keeps what it is sent.
type peer struct {
	mu      sync.Mutex
	sent    [][]byte
	flushes int
	deaf    bool // does not read
	v11     bool // speaks RADIUS/1.1
	ended   metrics.Reason
}

func (p *peer) Ended() metrics.Reason { return p.ended }

func (p *peer) Version11() bool { return p.v11 }

func (p *peer) Send(b []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.deaf {
		return false
	}
	p.sent = append(p.sent, bytes.Clone(b))
	return true
}

func (p *peer) Flush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flushes++
}

// got returns what the peer was sent since the last call.
func (p *peer) got() [][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.sent
	p.sent = nil
	return all
}

// bed is a relay with one server, or two, on faked time.
type bed struct {
	t       *testing.T
	net     *network
	reg     *prometheus.Registry
	metrics *metrics.Metrics
	back    *udpback.Backend
	server  *udpback.Server
	second  *udpback.Server // nil: there is one server only
	relay   *Relay
	client  *ClientConfig // may be changed until the first connection is opened
	known   *Client
	rules   *Rules
	log     *bytes.Buffer
	conns   []*Connection
	packets int // passed to connections
	stopped bool
}

// settings are what tests vary.
type settings struct {
	onUnreachable, onUnroutable Unreachable
	allowed                     []wire.Kind // nil: all four
	server                      udpback.ServerConfig
	secondSecret                string // of a second server of the group; "": there is none
	policy                      wire.RequestPolicy
}

// newBed returns a bed, inside a bubble of synctest. When the test ends, everything is closed
// and each packet must have had exactly one fate.
func newBed(t *testing.T, s settings) *bed {
	b := &bed{t: t, net: &network{start: time.Now()}, reg: prometheus.NewRegistry(), log: new(bytes.Buffer)}
	m := metrics.New(b.reg)
	b.metrics = m
	log := slog.New(slog.NewTextHandler(b.log, nil))
	b.back = udpback.NewDialing(m, log, b.net.dial)
	c := s.server
	c.Name, c.Address = "a", serverAddress
	c.AuthPort, c.AcctPort, c.CoAPort = 1812, 1813, 3799
	c.Secret = must(wire.NewServerSecret([]byte(serverText)))
	b.server = b.back.NewServer(c)
	members := []*udpback.Server{b.server}
	if s.secondSecret != "" {
		c.Name, c.Address = "b", "192.0.2.9"
		c.Secret = must(wire.NewServerSecret([]byte(s.secondSecret)))
		b.second = b.back.NewServer(c)
		members = append(members, b.second)
	}
	group := must(b.back.NewGroup(udpback.GroupConfig{}, members...))
	kinds := []wire.Kind{wire.KindAccess, wire.KindAccounting, wire.KindCoA, wire.KindDisconnect}
	table := must(routing.New([]routing.Rule{{Realms: []string{"example.org"}, Kinds: kinds}}, routing.Options{CoAByUserName: true}))
	b.rules = &Rules{Table: table, OnUnroutable: s.onUnroutable, Routes: []Route{{Group: group, OnUnreachable: s.onUnreachable}}}
	b.relay = New(b.back, b.rules, m, nil, log)
	b.client = &ClientConfig{Name: "campus", Secret: must(wire.NewClientSecret([]byte(clientText))), Metrics: m.Client("campus")}
	if s.allowed == nil {
		s.allowed = kinds
	}
	for _, k := range s.allowed {
		b.client.Allowed[k] = true
	}
	for k := range b.client.Policy {
		b.client.Policy[k] = s.policy
	}
	b.known = NewClient(b.client)
	t.Cleanup(b.close)
	return b
}

// strict is the policy that a client has by default.
var strict = wire.RequestPolicy{RequireEAPMA: true, VerifyRA: true}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// open opens a connection.
func (b *bed) open() (*Connection, *peer) { return b.openFrom(Origin{}) }

// openFrom is open with an origin.
func (b *bed) openFrom(o Origin) (*Connection, *peer) {
	p := new(peer)
	conn := b.relay.Open(b.known, p, netip.MustParseAddrPort("192.0.2.1:1024"), o)
	b.conns = append(b.conns, conn)
	return conn, p
}

// send passes one packet of the client to the connection, flushes it, and waits until all
// goroutines are blocked.
func (b *bed) send(conn *Connection, q []byte) error {
	err := b.put(conn, q)
	flushed := conn.Flush()
	synctest.Wait()
	return cmp.Or(err, flushed)
}

// put passes one packet to the connection without flushing it. The octets are changed
// afterwards: a connection must not keep them.
func (b *bed) put(conn *Connection, q []byte) error {
	b.packets++
	p := bytes.Clone(q)
	err := conn.Packet(p)
	for i := range p {
		p[i] = 0xee
	}
	return err
}

// pass waits for d on the bubble's clock.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// stop closes the connections and the server.
func (b *bed) stop() {
	if b.stopped {
		return
	}
	b.stopped = true
	for _, conn := range b.conns {
		conn.Closed()
	}
	b.server.Close()
	if b.second != nil {
		b.second.Close()
	}
}

func (b *bed) close() {
	b.stop()
	b.t.Log("fates: ", b.fates())
	if n := b.sum("radsec_gw_requests_total"); int(n) != b.packets {
		b.t.Errorf("%v fates for %d packets, expected exactly one each: %s", n, b.packets, b.fates())
	}
	if n := b.sum("radsec_gw_server_outstanding_requests"); n != 0 && len(b.net.seen()) == 0 {
		b.t.Logf("%v Identifiers were still taken when the server closed", n)
	}
	if n := b.relay.kept.Load(); n != 0 {
		b.t.Errorf("%d octets of answers are kept for connections that are closed, expected none", n)
	}
	for _, secret := range []string{serverText, "hello-Password"} {
		if strings.Contains(b.log.String(), secret) {
			b.t.Errorf("the log holds a secret:\n%s", b.log)
		}
	}
}

// series calls f for every series of a family.
func (b *bed) series(name string, f func(labels map[string]string, value float64)) {
	b.t.Helper()
	for _, fam := range must(b.reg.Gather()) {
		if fam.GetName() != name {
			continue
		}
		for _, m := range fam.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			f(labels, m.GetCounter().GetValue()+m.GetGauge().GetValue())
		}
	}
}

func (b *bed) sum(name string) (total float64) {
	b.series(name, func(_ map[string]string, v float64) { total += v })
	return total
}

// fates lists what packets were counted as: "kind/fate=number", sorted.
func (b *bed) fates() string {
	return b.counts("radsec_gw_requests_total", "kind", "fate")
}

// results lists what the servers' datagrams were counted as: "result=number".
func (b *bed) results() string {
	return b.counts("radsec_gw_server_replies_total", "result")
}

// counts lists the series of a family that are not zero by these labels.
func (b *bed) counts(name string, labels ...string) string {
	total := map[string]float64{}
	b.series(name, func(have map[string]string, v float64) {
		var key []string
		for _, l := range labels {
			key = append(key, have[l])
		}
		total[strings.Join(key, "/")] += v
	})
	var list []string
	for key, n := range total {
		if n != 0 {
			list = append(list, fmt.Sprintf("%s=%v", key, n))
		}
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// wantFates fails the test unless the packets so far had just these fates.
func (b *bed) wantFates(want string) {
	b.t.Helper()
	if got := b.fates(); got != want {
		b.t.Errorf("fates: %s\nexpected: %s", got, want)
	}
}

// wantResults does the same for the servers' datagrams.
func (b *bed) wantResults(want string) {
	b.t.Helper()
	if got := b.results(); got != want {
		b.t.Errorf("results of the server's datagrams: %s\nexpected: %s", got, want)
	}
}
