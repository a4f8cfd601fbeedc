package web

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/web/status"
)

// bed is a Server with counts that a test makes.
type bed struct {
	t       *testing.T
	m       *metrics.Metrics
	logs    *logs.Log
	printed *strings.Builder
	why     string          // what NotServing says
	state   status.Snapshot // what Config.Snapshot returns a copy of
	made    atomic.Int32    // how often it has
	server  *Server
}

func newBed(t *testing.T, change func(*Config)) *bed {
	t.Helper()
	b := &bed{t: t, m: metrics.New(prometheus.NewRegistry()), printed: &strings.Builder{}}
	b.logs = logs.Of(slog.New(slog.NewTextHandler(b.printed, &slog.HandlerOptions{Level: slog.LevelDebug})))
	b.logs.SetLevel(slog.LevelInfo)
	cfg := Config{Metrics: b.m, Scrape: b.m.Handler(), Logs: b.logs, Version: "v1.2.3", Commit: "abc",
		NotServing: func() string { return b.why },
		Routes: func() []Route {
			return []Route{
				{Realms: []string{"example.org", "*.example.org"}, Packets: []string{"access", "accounting"}, Servers: []string{"radius-a", "radius-b"}, Balance: "failover"},
				{Realms: []string{"*", ""}, Packets: []string{"access", "coa"}, Servers: []string{"radius-b"}, Balance: "sticky"},
			}
		}}
	cfg.Snapshot = func(time.Time, func(string) Changes) *status.Snapshot {
		b.made.Add(1)
		return copyOf(&b.state)
	}
	if change != nil {
		change(&cfg)
	}
	b.server = New(cfg)
	for _, name := range []string{"radius-a", "radius-b"} {
		for port, number := range map[metrics.Port]string{metrics.PortAuth: "1812", metrics.PortAcct: "1813", metrics.PortCoA: "3799"} {
			s := b.m.Server(name, port)
			s.SetState(metrics.StateUp)
			s.SetProven(true)
			s.SetAddress("10.0.0.7:" + number)
		}
	}
	return b
}

// ask sends one request and returns the answer's status and body.
func (b *bed) ask(method, path, body string, header ...string) (int, string, http.Header) {
	b.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "127.0.0.1:9713"
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		} else {
			r.Header.Set(header[i], header[i+1])
		}
	}
	w := httptest.NewRecorder()
	b.server.handler.ServeHTTP(w, r)
	text, err := io.ReadAll(w.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return w.Code, string(text), w.Header()
}

// copyOf returns a copy whose lists may be sorted.
func copyOf(s *status.Snapshot) *status.Snapshot {
	out := *s
	out.Servers, out.Routes, out.Clients, out.Problems = slices.Clone(s.Servers), slices.Clone(s.Routes), slices.Clone(s.Clients), slices.Clone(s.Problems)
	out.Refusals, out.Events, out.SpoolRoutes = slices.Clone(s.Refusals), slices.Clone(s.Events), slices.Clone(s.SpoolRoutes)
	return &out
}

// busy fills the state with a morning's work, and the samples with its shape.
func (b *bed) busy() {
	ago := func(d time.Duration) *time.Time { return new(time.Now().Add(-d)) }
	b.state = busyState(ago)
	at := time.Now().Add(-time.Hour)
	for i := range 400 {
		for j, port := range []metrics.Port{metrics.PortAuth, metrics.PortAcct} {
			s := b.m.Server("radius-a", port)
			s.Count(metrics.ServerSent, 300+60*((i/7+j*3)%9)+10*(i%5))
			s.ObserveReply(time.Duration(4+(i/5)%6) * time.Millisecond)
			s.CountReply(metrics.ReplyAccepted)
		}
		b.server.sampler.observe(at.Add(time.Duration(i) * sampleEvery))
	}
}

// busyState is the state of a gateway with something of everything.
func busyState(ago func(time.Duration) *time.Time) status.Snapshot {
	return status.Snapshot{
		Summary: status.Summary{Connections: 3, SilentConnections: 17, Handshakes: 5, HandshakesWaiting: 3, SlotsFull: 1, InFlight: 7, Requests: 1201, Relayed: 1200,
			Accepts: 800, Rejects: 90, Challenges: 310, ServersUp: 1, ServersTotal: 4, RoutesServed: 1, RoutesTotal: 2, ClientsConnected: 1, ClientsTotal: 2,
			LoadedAt: *ago(time.Hour), LastReloadAt: ago(time.Minute), LastReload: "refused", ExpiresFirstAt: ago(-3 * 25 * time.Hour), DescriptorLimit: 1024, MaxConnections: 500, LogLinesLost: 4},
		Problems: []status.Problem{{Severity: status.Error, Kind: "reload_refused", Source: status.FromGateway, Subject: "configuration",
			Text: "the reload was refused, and what was read before stays in use: gw.toml:7: server[0].secret: expected a text, got 7", Since: ago(time.Minute)}},
		Servers: []status.Server{
			{Name: "radius-a", Port: "auth", Address: "10.0.0.7:1812", State: "up", Since: ago(time.Hour), Checked: true, LastCheckAt: ago(time.Minute), LastCheckAnswerAt: ago(time.Minute), LastReplyAt: ago(time.Second), LastAnswerAt: ago(time.Second), InFlight: 7, Capacity: 512, Sent: 120000, Answered: 119000, Resent: 31},
			{Name: "radius-a", Port: "acct", Address: "10.0.0.7:1813", State: "suspect", Since: ago(4 * time.Second), Why: "it is silent (3 requests in a row)", Checked: true, Capacity: 512},
			{Name: "radius-b", Port: "acct", Address: "10.0.0.8:1813", State: "failing", Since: ago(5 * time.Minute), Why: "it answers checks, and 5 requests in a row stayed unanswered", Checked: true, LastCheckAt: ago(3 * time.Minute), LastCheckAnswerAt: ago(3 * time.Minute), LastReplyAt: ago(3 * time.Minute), LastAnswerAt: ago(6 * time.Minute), Capacity: 512},
			{Name: "radius-b", Port: "coa", Address: "radius-b.internal (no address)", State: "down", Since: ago(26 * time.Hour), Why: "its name has no address: is the name right, and does the name server answer?", Capacity: 512}},
		Routes: []status.Route{
			{Number: 1, Realms: []string{"example.org", "*.example.org"}, Packets: []string{"access", "accounting"}, Balance: "failover", Servers: []string{"radius-a", "radius-b"}, State: "degraded", Spool: true},
			{Number: 2, Realms: []string{"* (default)"}, Packets: []string{"coa"}, Balance: "sticky", Servers: []string{"radius-b"}, State: "unserved", Unserved: []string{"coa"}, Since: ago(26 * time.Hour)},
			{Number: 3, Realms: []string{"ends.example"}, Packets: []string{"access", "accounting"}, Balance: "failover", Servers: []string{"radius-a"}, State: "served", Accounting: "answer"}},
		Clients: []status.Client{
			{Name: "campus", Connections: 3, LastSeenAt: ago(0), Remote: "192.0.2.7:40000", Subject: "CN=ap-1.campus.example,O=Campus", ExpiresAt: ago(-73 * time.Hour), Requests: 1201, Relayed: 1200, Accepts: 800, Rejects: 90, Other: 1},
			{Name: "eduroam-flr"}},
		Connections: []status.Connection{{Client: "campus", Remote: "192.0.2.7:40000", Subject: "CN=ap-1.campus.example,O=Campus", ExpiresAt: ago(-73 * time.Hour), TLS: "TLS 1.3", Since: *ago(time.Hour)}},
		ReverseCoA:  &status.ReverseCoA{Listening: []string{"127.0.0.1:3799", "[::1]:3799"}, Clients: 1, Pending: 6, NASes: 4231},
		NASes:       []status.NAS{{Name: "ap-1 10.1.0.7", Client: "campus", Connection: "192.0.2.7:40000", LastSeenAt: *ago(3 * time.Minute)}, {Name: "ap-2", Client: "campus", Connection: "closed", LastSeenAt: *ago(2 * time.Hour)}},
		Cluster:     &status.Cluster{Prefix: "site-a", Connected: true, Server: "nats://n0:4222", Since: *ago(3 * time.Hour), Replicas: 2, Reconnects: 1, Sent: 5000, Received: 6000, Dropped: 7, Invalid: 8},
		Spool: &status.Spool{Directory: "spool", Records: 801_000, RecordsLimit: 1_000_000, Octets: 300 << 20, OctetsLimit: 1 << 30, OldestAt: ago(3 * time.Hour), MaxAge: 7 * 86400,
			Waiting: 12, InFlight: 33, Stored: 900_000, Answered: 98_000, Refused: 2, Dropped: 5, SetAside: 4, SetAsideBytes: 1700},
		SpoolRoutes: []status.SpoolRoute{{Route: "example.org", Records: 700_000, InFlight: 1, State: "paused", ResumesAt: ago(-20 * time.Second), LastAnswerAt: ago(2 * time.Hour)},
			{Records: 101_000, InFlight: 32, State: "sending", LastAnswerAt: ago(3 * time.Second)}},
		Certificates:    []status.Certificate{{For: "server", Place: 1, File: "server.pem", Subject: "CN=gw.example.org", Issuer: "CN=Campus CA", ValidFrom: *ago(400 * time.Hour), ExpiresAt: *ago(-73 * time.Hour), Fingerprint: "sha256:00:11"}},
		RevocationLists: []status.RevocationList{{Issuer: "CN=Campus CA", IssuedAt: *ago(50 * time.Hour), NextUpdate: ago(2 * time.Hour), Revoked: 3, Stale: true}},
		RevocationURLs:  []status.RevocationURL{{URL: "http://crl.campus.example/ca.crl", From: "configuration", State: "failing", Why: "connection refused: check the name and the port of the URL", SucceededAt: ago(50 * time.Hour), TriedAt: ago(time.Minute), FailingAt: ago(49 * time.Hour), Lists: 1, Bytes: 700, Revoked: 3, NextUpdate: ago(2 * time.Hour)}, {URL: "http://crl.campus.example/new.crl", From: "certificate", State: "waiting"}},
		Files:           []status.File{{Path: "gw.toml", ReadAt: *ago(time.Hour)}, {Path: "server.pem", Key: "listen.certificate", ReadAt: *ago(time.Hour)}},
		Reloads:         []status.Reload{{At: *ago(time.Minute), By: "request", What: "configuration", Result: "refused", Mistakes: []string{"gw.toml:7: server[0].secret: expected a text, got 7"}}},
		Refusals:        []status.Refusal{{What: "connection", Reason: "unknown_client", Count: 61, FirstAt: ago(time.Hour), LastAt: ago(time.Minute), Example: "203.0.113.9", Text: "no client matches: campus: fingerprint is not among its 2"}},
		Events: []status.Event{{Severity: status.Warning, Source: status.FromPeer, Message: "RadSec connection refused", Count: 61, FirstAt: *ago(time.Hour), LastAt: *ago(time.Minute),
			Fields: []status.Field{{Key: "peer", Value: "203.0.113.9:51022"}, {Key: "subject", Value: "CN=stranger"}}}},
	}
}

// serve serves the bed's server on a port of the loopback interface, until end is called or the test
// ends. end returns the error of Serve.
func (b *bed) serve() (address string, end func() error) {
	b.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.server.Serve(ctx, l) }()
	end = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	b.t.Cleanup(func() { end() })
	return l.Addr().String(), end
}

// caller is a connection of a test to a server.
type caller struct {
	net.Conn
	t *testing.T
}

// call connects from an address and sends a text.
func (b *bed) call(address, from, text string) *caller {
	b.t.Helper()
	d := net.Dialer{Timeout: 10 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.Dial("tcp", address)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		b.t.Fatal(err)
	}
	return &caller{Conn: c, t: b.t}
}

// answered reports whether an answer with status 200 arrives.
func (c *caller) answered() bool { return c.answeredWithin(10 * time.Second) }

// answeredWithin is like answered, within a time.
func (c *caller) answeredWithin(d time.Duration) bool {
	const ok = "HTTP/1.1 200"
	line := make([]byte, len(ok))
	c.SetReadDeadline(time.Now().Add(d))
	_, err := io.ReadFull(c, line)
	return err == nil && string(line) == ok
}

// closed reports whether the server closes the connection. It discards what arrives before.
func (c *caller) closed() bool {
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err := io.Copy(io.Discard, c)
	return !errors.Is(err, os.ErrDeadlineExceeded)
}
