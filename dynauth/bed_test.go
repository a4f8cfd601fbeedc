package dynauth

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	senderSecret = "secret-of-the-sender"
	otherSecret  = "secret-of-the-other-sender"
)

var (
	senderAddress = netip.MustParseAddrPort("192.0.2.53:4000")
	otherAddress  = netip.MustParseAddrPort("192.0.2.54:4000")
	gatewayAddr   = netip.MustParseAddr("198.51.100.1")
)

// bed is a Server with clients, whose network is a fake: what is sent is recorded.
type bed struct {
	t       testing.TB
	s       *Server
	l       *Listener
	w       *worker
	reg     *prometheus.Registry
	log     *lockedBuffer
	cfg     Config
	clients map[string]*Client

	mu   sync.Mutex
	sent []sentAnswer
}

type sentAnswer struct {
	to     netip.AddrPort
	local  netip.Addr
	packet []byte
}

// newBed returns a bed with the clients "a" and "b", which have reverse CoA, and "c", which
// has not.
func newBed(t testing.TB) *bed {
	reg := prometheus.NewRegistry()
	m := metrics.New(reg)
	log := new(lockedBuffer)
	logger := slog.New(slog.NewTextHandler(log, nil))
	b := &bed{t: t, reg: reg, log: log, clients: map[string]*Client{}}
	b.cfg = Config{Timeout: 30 * time.Second, MaxLearned: 100_000, Lifetime: 24 * time.Hour, Timestamps: Timestamps{Window: 300 * time.Second},
		Senders: []Sender{
			{"radius", []netip.Prefix{netip.PrefixFrom(senderAddress.Addr(), 32)}, must(wire.NewServerSecret([]byte(senderSecret)))},
			{"other", []netip.Prefix{netip.MustParsePrefix("192.0.2.54/31")}, must(wire.NewServerSecret([]byte(otherSecret)))},
		}}
	cfg := b.cfg
	b.s = New(udpback.New(m, slog.New(slog.DiscardHandler)), &cfg, m.DynAuth(), nil, logger)
	b.l = &Listener{send: b.record}
	b.w = newWorker(b.s)
	for _, name := range []string{"a", "b", "c"} {
		b.clients[name] = NewClient(name, &ClientConfig{Reverse: name != "c", Secret: must(wire.NewClientSecret([]byte("radsec")))})
	}
	b.configure()
	return b
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// configure puts b.cfg, and the clients as they are now, in use.
func (b *bed) configure() {
	cfg := b.cfg
	b.s.Configure(&cfg, []*Client{b.clients["a"], b.clients["b"], b.clients["c"]})
}

// change changes the configuration of a client.
func (b *bed) change(client string, f func(*ClientConfig)) {
	cfg := *b.clients[client].config.Load()
	f(&cfg)
	b.clients[client].Configure(&cfg)
	b.configure()
}

func (b *bed) record(bufs [][]byte, to []origin) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range bufs {
		b.sent = append(b.sent, sentAnswer{to[i].address, to[i].local, bytes.Clone(bufs[i])})
	}
}

// answers returns what was sent to senders since the last call.
func (b *bed) answers() []sentAnswer {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.sent
	b.sent = nil
	return list
}

// peer is the client's end of a connection.
type peer struct {
	mu      sync.Mutex
	packets [][]byte
	flushes int
	ended   metrics.Reason
	closed  bool
}

func (p *peer) Send(b []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.packets = append(p.packets, bytes.Clone(b))
	return true
}

func (p *peer) Flush() { p.mu.Lock(); p.flushes++; p.mu.Unlock() }

func (p *peer) Ended() metrics.Reason { return p.ended }

// got returns what the client was sent since the last call.
func (p *peer) got() [][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.packets
	p.packets = nil
	return list
}

// link is a connection of a client.
type link struct {
	*Link
	*peer
	b *bed
}

// open opens a connection of a client, from a device of its own unless one is given.
func (b *bed) open(client string, change ...func(*LinkConfig)) *link {
	p := new(peer)
	cfg := LinkConfig{Peer: p, Remote: netip.MustParseAddrPort("203.0.113.7:5000"), Device: fmt.Sprintf("%p", p)}
	for _, f := range change {
		f(&cfg)
	}
	return &link{b.s.Open(b.clients[client], cfg), p, b}
}

func v11(c *LinkConfig) { c.V11 = true }

func device(name string) func(*LinkConfig) { return func(c *LinkConfig) { c.Device = name } }

// attrs are the attributes of a packet: type and value.
type attrs []attr

type attr struct {
	t     byte
	value string
}

func nasID(s string) attr   { return attr{32, s} }
func session(s string) attr { return attr{44, s} }
func user(s string) attr    { return attr{1, s} }
func station(s string) attr { return attr{31, s} }
func status(n byte) attr    { return attr{40, string([]byte{0, 0, 0, n})} }
func nasIP(s string) attr {
	return attr{4, string(netip.MustParseAddr(s).AsSlice())}
}

// packet returns a packet of the field's library with attributes.
func packet(code radius.Code, id byte, secret string, list ...attr) *radius.Packet {
	p := radius.New(code, []byte(secret))
	p.Identifier = id
	for _, a := range list {
		p.Add(radius.Type(a.t), radius.Attribute(a.value))
	}
	return p
}

func view(t testing.TB, b []byte) *wire.View {
	v := new(wire.View)
	if err := v.Parse(b); err != nil {
		t.Fatal(err)
	}
	return v
}

// login has a client log a user in on a connection: an Access-Request that is accepted.
func (l *link) login(list ...attr) *NAS {
	return l.answered(radius.CodeAccessRequest, radius.CodeAccessAccept, "", list...)
}

// account has a client send accounting that is answered.
func (l *link) account(kind byte, list ...attr) *NAS {
	return l.answered(radius.CodeAccountingRequest, radius.CodeAccountingResponse, "", append(list, status(kind))...)
}

// answered has a client send a request and its server answer it.
func (l *link) answered(code, answer radius.Code, class string, list ...attr) *NAS {
	v := view(l.b.t, must(packet(code, 1, "radsec", list...).Encode()))
	nas := l.Arrived(v, l.b.s.now())
	l.Answered(nas, v, answer, Granted{Class: []byte(class)}, l.b.s.now())
	return nas
}

// put has a datagram arrive.
func (b *bed) put(from netip.AddrPort, local netip.Addr, octets ...[]byte) {
	for _, o := range octets {
		b.w.parse(o, origin{address: from, local: local})
	}
	b.w.handleParsed(b.l)
}

// ask sends a Disconnect-Request of the sender, and returns it.
func (b *bed) ask(id byte, list ...attr) *radius.Packet {
	p := packet(radius.CodeDisconnectRequest, id, senderSecret, list...)
	b.askOctets(p)
	return p
}

// askOctets sends a request of the sender, which then has its Authenticator.
func (b *bed) askOctets(p *radius.Packet) []byte {
	octets := must(p.Encode())
	copy(p.Authenticator[:], octets[4:20])
	b.put(senderAddress, gatewayAddr, octets)
	return octets
}

// wantNAK has exactly one answer to p be a NAK with an Error-Cause, verified.
func (b *bed) wantNAK(p *radius.Packet, cause uint32) {
	b.t.Helper()
	list := b.answers()
	if len(list) != 1 {
		b.t.Fatalf("%d answers, expected a NAK", len(list))
	}
	r := b.verified(p, list[0].packet)
	if r.Code != radius.CodeDisconnectNAK && r.Code != radius.CodeCoANAK {
		b.t.Errorf("the answer is %v, expected a NAK", r.Code)
	}
	if got := r.Get(101); len(got) != 4 || binary.BigEndian.Uint32(got) != cause {
		b.t.Errorf("Error-Cause % x, expected %d", got, cause)
	}
}

// verified returns the answer to p, whose signature must be right.
func (b *bed) verified(p *radius.Packet, octets []byte) *radius.Packet {
	b.t.Helper()
	request := must(p.Encode())
	if !radius.IsAuthenticResponse(octets, request, p.Secret) {
		b.t.Errorf("the Response Authenticator is wrong: % x", octets)
	}
	r := must(radius.Parse(octets, p.Secret))
	if r.Identifier != p.Identifier {
		b.t.Errorf("Identifier %d, expected %d", r.Identifier, p.Identifier)
	}
	return r
}

// one returns the one packet that the client was sent, signed as a request in RADIUS/1.0.
func (l *link) one() []byte {
	l.b.t.Helper()
	list := l.got()
	if len(list) != 1 {
		l.b.t.Fatalf("the client was sent %d packets, expected 1", len(list))
	}
	if !l.V11 && !radius.IsAuthenticRequest(list[0], []byte("radsec")) {
		l.b.t.Errorf("the Request Authenticator is wrong: % x", list[0])
	}
	return list[0]
}

// reply has the client send packets, and returns the fates of those that are ours.
func (l *link) reply(octets ...[]byte) (out []Outcome) {
	r, d := l.AcquireReplies(), wire.NewDigests()
	defer r.Release()
	for _, o := range octets {
		v := new(wire.View)
		parse := v.Parse
		if l.V11 {
			parse = v.Parse11
		}
		if err := parse(o); err != nil {
			l.b.t.Fatal(err)
		}
		ok, err := r.Add(d, v)
		switch {
		case !ok:
			out = append(out, Outcome{Fate: metrics.FateUnexpectedReply})
		case err != nil:
			out = append(out, Outcome{metrics.FateBadMessageAuthenticator, err})
		}
	}
	d.Run()
	return append(out, r.Finish(d)...)
}

// ack returns the client's answer to a request that it was sent.
func ack(t testing.TB, request []byte, code radius.Code, list ...attr) []byte {
	p := must(radius.Parse(request, []byte("radsec")))
	r := p.Response(code)
	for _, a := range list {
		r.Add(radius.Type(a.t), radius.Attribute(a.value))
	}
	return must(r.Encode())
}

// fates returns the fates of what has arrived by UDP, sorted: "kind fate count".
func (b *bed) fates() string {
	return b.counts("radsec_gw_reverse_requests_total", "kind", "fate")
}

// counts returns the series of a metric that are not zero.
func (b *bed) counts(name string, labels ...string) string {
	families, err := b.reg.Gather()
	if err != nil {
		b.t.Fatal(err)
	}
	var list []string
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.Metric {
			value := m.GetCounter().GetValue() + m.GetGauge().GetValue()
			if value == 0 {
				continue
			}
			text := ""
			for _, l := range labels {
				for _, p := range m.Label {
					if p.GetName() == l {
						text += p.GetValue() + " "
					}
				}
			}
			list = append(list, fmt.Sprintf("%s%v", text, value))
		}
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// wantFates compares the fates.
func (b *bed) wantFates(want string) {
	b.t.Helper()
	if got := b.fates(); got != want {
		b.t.Errorf("the fates are %q, expected %q", got, want)
	}
}

var nextPort uint16

// otherPort returns another port of the sender with each call.
func otherPort() netip.AddrPort {
	nextPort++
	return netip.AddrPortFrom(senderAddress.Addr(), 10_000+nextPort)
}

func wireSecret(s string) (*wire.ClientSecret, error) { return wire.NewClientSecret([]byte(s)) }

// pass waits for d on the bubble's clock.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
