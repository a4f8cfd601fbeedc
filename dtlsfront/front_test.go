package dtlsfront_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/dtls/v4"
	"github.com/prometheus/client_golang/prometheus"

	"radsec-gw/bench/process"
	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
	"radsec-gw/dtlsfront"
	"radsec-gw/identity"
	"radsec-gw/metrics"
	"radsec-gw/sessions"
)

// clients is a Front whose one client, campus, has its packets echoed.
type clients struct {
	*front   // for its dial
	server   *dtlsfront.Front
	cfg      dtlsfront.FrontConfig
	registry *prometheus.Registry
	received chan []byte
	waiting  atomic.Int64 // requests outstanding on each session
	repeated atomic.Int64 // Identifier of a request that is one again
	closed   chan metrics.Reason
}

// startClients starts a Front. change changes its configuration.
func startClients(t *testing.T, change func(*dtlsfront.FrontConfig)) *clients {
	t.Helper()
	f := &clients{front: &front{t: t}, received: make(chan []byte, 100), closed: make(chan metrics.Reason, 100)}
	var err error
	if f.ca, err = certs.NewCA("test CA"); err != nil {
		t.Fatal(err)
	}
	pair, err := f.ca.Server(certs.DevelopmentHosts())
	if err != nil {
		t.Fatal(err)
	}
	listener, err := dtlsfront.Listen(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	f.address = listener.Addr()
	f.registry = prometheus.NewRegistry()
	m := metrics.New(f.registry)
	campus := &sessions.Client{Client: identity.Client{Name: "campus", SANDNS: []string{"campus"}}, Open: f.open}
	f.cfg = dtlsfront.FrontConfig{Listeners: []*dtlsfront.Listener{listener}, Name: "dtls", Shared: sessions.NewShared(m, 1),
		Certificates: []sessions.NamedCertificate{{Certificate: pair.TLS()}}, Identity: identity.Config{ClientCA: []*x509.Certificate{f.ca.Certificate}},
		Clients: []*sessions.Client{campus}, Log: slog.New(slog.DiscardHandler), Metrics: m}
	change(&f.cfg)
	if f.server, err = dtlsfront.NewFront(f.cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { f.server.Serve(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	return f
}

func (f *clients) open(s sessions.Conn) sessions.Handler { return &handler{f, s} }

// handler is the Handler of a session of clients.
type handler struct {
	f *clients
	s sessions.Conn
}

func (h *handler) Packet(p []byte) error {
	select {
	case h.f.received <- bytes.Clone(p):
	default:
	}
	p[0] = 2
	h.s.Send(p)
	return nil
}

func (h *handler) Refuse([]byte, metrics.Fate) {}
func (h *handler) Flush() error                { h.s.Flush(); return nil }
func (h *handler) Outstanding() int            { return int(h.f.waiting.Load()) }
func (h *handler) Awaited() int                { return 0 }
func (h *handler) Keep() bool                  { return false }
func (h *handler) Repeats(p []byte) bool       { return h.f.repeated.Load() == int64(p[1]) }
func (h *handler) Closed()                     { h.f.closed <- h.s.Ended() }

// expectClosed expects that a session has ended for a reason.
func (f *clients) expectClosed(want metrics.Reason) {
	f.t.Helper()
	select {
	case got := <-f.closed:
		if got != want {
			f.t.Errorf("the session has ended for the reason %v, expected %v", got, want)
		}
	case <-time.After(patience):
		f.t.Fatal("the session has not ended")
	}
}

// fated returns how many requests have a fate.
func (f *clients) fated(fate metrics.Fate) (n float64) {
	families, err := f.registry.Gather()
	if err != nil {
		f.t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			for _, label := range m.GetLabel() {
				if label.GetName() == "fate" && label.GetValue() == fate.String() {
					n += m.GetCounter().GetValue()
				}
			}
		}
	}
	return n
}

// A packet that exceeds a limit of its session or its client is dropped, and the session goes on:
// there is no other way to slow a client down.
// Rules: DT12
func TestPacketsOverALimitAreDropped(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*dtlsfront.FrontConfig)
		fate   metrics.Fate
	}{
		"outstanding":        {func(c *dtlsfront.FrontConfig) { c.MaxOutstanding = 2 }, metrics.FateTooManyOutstanding},
		"packets per second": {func(c *dtlsfront.FrontConfig) { c.Clients[0].PacketsPerSecond = 1 }, metrics.FateRateLimited},
		"octets per second":  {func(c *dtlsfront.FrontConfig) { c.Clients[0].OctetsPerSecond = 40 }, metrics.FateRateLimited},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := startClients(t, c.change)
			client := f.dial(nil)
			ask(t, client, packet(1, 40))
			f.waiting.Store(2)
			eventually(t, "a packet is dropped", func() bool {
				client.Write(packet(2, 40))
				return f.fated(c.fate) > 0
			})
			f.waiting.Store(0)
			eventually(t, "a packet is answered again", func() bool {
				client.Write(packet(3, 40))
				client.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
				b := make([]byte, 100)
				n, _ := client.Read(b)
				return n > 0 && b[1] == 3
			})
		})
	}
}

// The list of a changed configuration closes the session of a client that it names, which gets none
// again. So does one that has no such client.
// Rules: DT2, DT12
func TestChangeClosesSessions(t *testing.T) {
	f := startClients(t, func(c *dtlsfront.FrontConfig) { c.Clients[0].MaxConnections = 1 })
	revoked, err := f.ca.Client("campus")
	if err != nil {
		t.Fatal(err)
	}
	certificate := dtls.WithCertificates(revoked.TLS())
	c, err := f.dialWith(nil, certificate)
	if err != nil {
		t.Fatal(err)
	}
	ask(t, c, packet(1, 40))
	der, err := certstest.CRL(f.ca, time.Now().Add(-time.Minute), time.Now().Add(time.Hour), revoked)
	if err != nil {
		t.Fatal(err)
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	f.apply(func(c *dtlsfront.FrontConfig) { c.Identity.CRLs = []*x509.RevocationList{list} })
	expectEnd(t, c)
	f.expectClosed(metrics.ClosedRevoked)
	if _, err := f.dialWith(nil, certificate); err == nil {
		t.Error("the client is let in again")
	}
	c = f.dial(nil) // with another certificate; the first session holds no place
	ask(t, c, packet(2, 40))
	expectEnd(t, f.dial(nil)) // a second one has none
	other := *f.cfg.Clients[0]
	other.Name, other.SANDNS = "other", []string{"other"}
	f.apply(func(c *dtlsfront.FrontConfig) { c.Clients = []*sessions.Client{&other} })
	expectEnd(t, c)
	f.expectClosed(metrics.ClosedNotAllowed)
}

// apply changes the configuration.
func (f *clients) apply(change func(*dtlsfront.FrontConfig)) {
	f.t.Helper()
	cfg := f.cfg
	change(&cfg)
	c, err := f.server.Prepare(cfg)
	if err != nil {
		f.t.Fatal(err)
	}
	c.Apply()
}

// A client that moves with a Connection ID has its packets taken from addresses only where it may
// be.
// Rules: DT7
func TestMovedClientIsAssessed(t *testing.T) {
	f := startClients(t, func(c *dtlsfront.FrontConfig) {
		c.Clients[0].Networks = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
		// Somebody else may be there: the address itself is admitted.
		c.Clients = append(c.Clients, &sessions.Client{Client: identity.Client{Name: "other", SANDNS: []string{"other"}}, Open: c.Clients[0].Open})
	})
	second, err := net.ListenPacket("udp4", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	r := &roamer{PacketConn: f.socket(), second: second}
	c := f.dial(r, dtls.WithConnectionID(func() []byte { return nil }, dtls.CIDPathMigrationReject))
	ask(t, c, packet(1, 40))
	r.moved.Store(true)
	c.Write(packet(2, 40))
	r.moved.Store(false)
	ask(t, c, packet(3, 40))
	for _, id := range []byte{1, 3} {
		if got := <-f.received; got[1] != id {
			t.Errorf("packet %d was received, expected %d", got[1], id)
		}
	}
}

// A session that sends Status-Server and closes is a health check, and leaves no line above debug,
// as a connection of TLS. One that sends a request, or fails, is logged.
// Rules: DT12
func TestHealthChecksLeaveNoLine(t *testing.T) {
	status := packet(2, 20)
	status[0] = 12
	tooShort := packet(4, 19)
	for name, c := range map[string]struct {
		sends  [][]byte
		reason metrics.Reason
		level  string
		closed string
	}{
		"a health check":             {[][]byte{status}, metrics.ClosedByPeer, "DEBUG", "DEBUG"},
		"nothing at all":             {nil, metrics.ClosedByPeer, "DEBUG", "DEBUG"},
		"a request":                  {[][]byte{packet(1, 40), packet(2, 40)}, metrics.ClosedByPeer, "INFO", "INFO"},
		"a packet that is too short": {[][]byte{tooShort}, metrics.ClosedBadLength, "INFO", "WARN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines := new(process.Output)
			f := startClients(t, func(cfg *dtlsfront.FrontConfig) {
				cfg.Log = slog.New(slog.NewTextHandler(lines, &slog.HandlerOptions{Level: slog.LevelDebug}))
			})
			client := f.dial(nil)
			for _, p := range c.sends {
				client.Write(p)
			}
			client.Close()
			f.expectClosed(c.reason)
			eventually(t, "the end is logged", func() bool { return lines.Count("RADIUS/DTLS session closed") == 1 })
			if lines.Count("RADIUS/DTLS session accepted") != 1 || lines.Count("session accepted", "level="+c.level) != 1 || lines.Count("session closed", "level="+c.closed) != 1 {
				t.Errorf("expected one line at %s and one at %s, got\n%s", c.level, c.closed, lines)
			}
		})
	}
}

// The key log gets the secrets of each session, which a client's own has, too.
// Rules: TR10, DT12
func TestKeyLog(t *testing.T) {
	ours, theirs := new(process.Output), new(process.Output)
	f := startClients(t, func(c *dtlsfront.FrontConfig) { c.KeyLog = ours })
	ask(t, f.dial(nil, dtls.WithKeyLogWriter(theirs)), packet(1, 20))
	if !strings.HasPrefix(ours.String(), "CLIENT_RANDOM ") || ours.String() != theirs.String() {
		t.Errorf("the key log has %q, and the client's %q", ours, theirs)
	}
}
