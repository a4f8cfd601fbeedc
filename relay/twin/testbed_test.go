package twin_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"radsec-gw/metrics"
	"radsec-gw/relay"
	"radsec-gw/relay/twin"
	"radsec-gw/routing"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// No two secrets are alike, and one is longer than a block of MD5 (RFC 2104 §2).
const (
	clientText = "radsec"
	longText   = "udp-Secret-7+longer-than-one-block-of-md5,which-has-64-octets-and-no-more"
	otherText  = "xyzzy5461"
)

// testbed is a gateway between a client and one or two servers, all in memory. It
// lives as long as the process, because executions of a fuzz target are short.
type testbed struct {
	name      string
	policy    twin.Policy // of the route and of what has none
	nas       string      // the servers are NASes with this NAS-Identifier; "": they are not NASes
	requireMA bool
	servers   []*server
	gateway   *relay.Relay
	client    *relay.ClientConfig
	back      *udpback.Backend
	made      []*udpback.Server
	seen      []datagram // by the servers, since the last call of arrivals
	mu        sync.Mutex // guards seen
	marked    sync.Once  // see own
	self      []byte
}

// server is one fake server: its address and its secret.
type server struct {
	address netip.Addr
	secret  string
}

// datagram is one packet that a server received, and the socket that sent it.
type datagram struct {
	octets []byte
	from   *conn
}

// arrivals returns what the servers have got since the last call.
func (b *testbed) arrivals() []datagram {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.seen
	b.seen = nil
	return all
}

// conn is a socket of the gateway's.
type conn struct {
	net.Conn // nil: only the methods defined below may be called
	bed      *testbed
	server   *server

	mu      sync.Mutex
	changed sync.Cond
	in      [][]byte // on their way to the gateway
	idle    bool     // the gateway's reader waits
	closed  bool
}

func (b *testbed) dial(_ netip.Addr, to netip.AddrPort) (net.Conn, error) {
	for _, s := range b.servers {
		if s.address == to.Addr() {
			c := &conn{bed: b, server: s}
			c.changed.L = &c.mu
			return c, nil
		}
	}
	return nil, fmt.Errorf("no server at %v", to)
}

func (c *conn) Write(p []byte) (int, error) {
	c.bed.mu.Lock()
	defer c.bed.mu.Unlock()
	c.bed.seen = append(c.bed.seen, datagram{bytes.Clone(p), c})
	return len(p), nil
}

func (c *conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.in) == 0 && !c.closed {
		c.idle = true
		c.changed.Broadcast()
		c.changed.Wait()
	}
	c.idle = false
	if c.closed {
		return 0, net.ErrClosed
	}
	n := copy(p, c.in[0])
	c.in = c.in[1:]
	return n, nil
}

// reply sends datagrams to the gateway, and returns when it has handled them: its
// reader, which handles them, waits for more.
func (c *conn) reply(list ...[]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in = append(c.in, list...)
	c.changed.Broadcast()
	for (len(c.in) > 0 || !c.idle) && !c.closed {
		c.changed.Wait()
	}
}

func (c *conn) LocalAddr() net.Addr { return nil }

func (c *conn) RemoteAddr() net.Addr { return nil }

func (c *conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.changed.Broadcast()
	return nil
}

// peer is a RadSec connection that keeps what is sent on it.
type peer struct {
	v11  bool
	mu   sync.Mutex
	sent [][]byte
}

func (p *peer) Send(b []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, bytes.Clone(b))
	return true
}

func (p *peer) Flush() {}

func (p *peer) Version11() bool { return p.v11 }

func (p *peer) Ended() metrics.Reason { return metrics.ClosedByPeer }

// got returns what the client was sent since the last call.
func (p *peer) got() [][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.sent
	p.sent = nil
	return all
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// own returns the name of the gateway in the Proxy-State that it adds, nil when it adds
// none. It finds out by sending a request.
func (b *testbed) own() []byte {
	b.marked.Do(func() {
		link := b.gateway.Open(relay.NewClient(b.client), new(peer), netip.MustParseAddrPort("192.0.2.201:1024"), relay.Origin{})
		q := ask(4)
		if err := errors.Join(link.Packet(q), link.Flush()); err != nil {
			panic(err)
		}
		defer link.Closed()
		d := b.arrivals()[0]
		d.from.reply(plain(&flight{req: q, sent: d.octets, from: d.from}))
		if state := d.octets[20:]; len(state) > 0 {
			b.self = state[10:18]
		}
	})
	return b.self
}

// newTestbed makes a testbed with a server for each secret. Its timers are so long that
// nothing is sent twice or given up.
func newTestbed(b *testbed, marker *relay.Marker, secrets ...string) *testbed {
	m := metrics.New(prometheus.NewRegistry())
	log := slog.New(slog.DiscardHandler)
	b.back = udpback.NewDialing(m, log, b.dial)
	var nas *wire.NAS
	if b.nas != "" {
		nas = &wire.NAS{Identifier: b.nas}
	}
	for i, secret := range secrets {
		s := &server{netip.AddrFrom4([4]byte{192, 0, 2, byte(1 + i)}), secret}
		b.servers = append(b.servers, s)
		b.made = append(b.made, b.back.NewServer(udpback.ServerConfig{
			Name: fmt.Sprint("server-", i), Address: s.address.String(), AuthPort: 1812, AcctPort: 1813, CoAPort: 3799,
			Secret: must(wire.NewServerSecret([]byte(secret))), RequireMA: b.requireMA, NAS: nas,
			Schedule: udpback.Schedule{Initial: 24 * time.Hour, Max: 24 * time.Hour, Duration: 48 * time.Hour},
		}))
	}
	group := must(b.back.NewGroup(udpback.GroupConfig{Patience: 24 * time.Hour}, b.made...))
	kinds := []wire.Kind{wire.KindAccess, wire.KindAccounting, wire.KindCoA, wire.KindDisconnect}
	table := must(routing.New([]routing.Rule{{Realms: []string{"", "example.org"}, Kinds: kinds}}, routing.Options{CoAByUserName: true}))
	answer := map[twin.Policy]relay.Unreachable{
		twin.Reject: relay.Reject, twin.Silent: relay.Silent, twin.Protocol: relay.ProtocolError}[b.policy]
	b.gateway = relay.New(b.back, &relay.Rules{Table: table, OnUnroutable: answer, Marker: marker,
		Routes: []relay.Route{{Group: group, OnUnreachable: answer}}}, m, nil, log)
	b.client = &relay.ClientConfig{Name: "campus", Secret: must(wire.NewClientSecret([]byte(clientText))), Metrics: m.Client("campus")}
	for _, k := range kinds {
		b.client.Allowed[k] = true
	}
	for k := range b.client.Policy {
		b.client.Policy[k] = wire.RequestPolicy{RequireEAPMA: true, VerifyRA: true}
	}
	return b
}

func marker() *relay.Marker {
	return relay.NewMarker(relay.NewMarkerKey(), []string{"server-0", "server-1"})
}

// testbeds returns the testbeds of the process.
var testbeds = sync.OnceValue(func() []*testbed {
	return []*testbed{
		newTestbed(&testbed{name: "one server", policy: twin.Reject}, nil, longText),
		newTestbed(&testbed{name: "two servers", policy: twin.Protocol, requireMA: true}, marker(), otherText, longText),
		newTestbed(&testbed{name: "silence, NAS", policy: twin.Silent, nas: "nas-1"}, marker(), otherText),
	}
})

func TestMain(m *testing.M) {
	status := m.Run()
	for _, b := range testbeds() {
		for _, s := range b.made {
			s.Close()
		}
	}
	if err := goleak.Find(); err != nil && status == 0 {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}
