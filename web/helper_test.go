package web

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// bed is a Server with counts that a test makes.
type bed struct {
	t       *testing.T
	m       *metrics.Metrics
	logs    *logs.Log
	printed *strings.Builder
	why     string // what NotServing says
	server  *Server
}

func newBed(t *testing.T, change func(*Config)) *bed {
	t.Helper()
	reg := prometheus.NewRegistry()
	b := &bed{t: t, m: metrics.New(reg), printed: &strings.Builder{}}
	b.logs = logs.Of(slog.New(slog.NewTextHandler(b.printed, &slog.HandlerOptions{Level: slog.LevelDebug})))
	b.logs.SetLevel(slog.LevelInfo)
	cfg := Config{Metrics: b.m, Scrape: b.m.Handler(reg), Logs: b.logs, Version: "v1.2.3", Commit: "abc",
		NotServing: func() string { return b.why },
		Routes: func() []Route {
			return []Route{
				{Realms: []string{"example.org", "*.example.org"}, Packets: []string{"access", "accounting"}, Servers: []string{"radius-a", "radius-b"}, Balance: "failover"},
				{Realms: []string{"*", ""}, Packets: []string{"access", "coa"}, Servers: []string{"radius-b"}, Balance: "sticky"},
			}
		}}
	if change != nil {
		change(&cfg)
	}
	b.server = New(cfg)
	for _, name := range []string{"radius-a", "radius-b"} {
		for port, number := range map[metrics.Port]string{metrics.PortAuth: "1812", metrics.PortAcct: "1813", metrics.PortCoA: "3799"} {
			s := b.m.Server(name, port)
			s.SetState(metrics.StateUp)
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

// busy fills the counts with a morning's work, and the samples with its shape.
func (b *bed) busy() {
	campus := b.m.Client("campus")
	b.m.Client("eduroam-flr")
	for range 1200 {
		campus.Count(wire.KindAccess, metrics.FateRelayed)
	}
	campus.Count(wire.KindAccess, metrics.FateNoRoute)
	for i, subject := range []string{"CN=ap-1.campus.example,O=Campus", "CN=ap-2.campus.example,O=Campus", "CN=flr.example"} {
		campus.Connected()
		b.m.Opened(&metrics.Connection{Client: "campus", Remote: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.7"), uint16(40000+i)),
			Subject: subject, NotAfter: time.Now().Add(time.Duration(3+200*i)*24*time.Hour + time.Hour), Version: "TLS 1.3", Since: time.Now().Add(-time.Hour)})
	}
	b.m.Server("radius-a", "acct").SetState(metrics.StateSuspect)
	b.m.Server("radius-b", "acct").SetState(metrics.StateFailing)
	down := b.m.Server("radius-b", "coa")
	down.SetState(metrics.StateDown)
	down.SetAddress("radius-b.internal (no address)")
	at := time.Now().Add(-keepSamples * sampleEvery)
	for i := range 100 {
		for j, port := range []metrics.Port{metrics.PortAuth, metrics.PortAcct} {
			s := b.m.Server("radius-a", port)
			s.Count(metrics.ServerSent, 300+60*((i/7+j*3)%9)+10*(i%5))
			s.ObserveReply(time.Duration(4+(i/5)%6) * time.Millisecond)
			s.CountReply(metrics.ReplyAccepted)
		}
		b.server.sampler.observe(at.Add(time.Duration(i) * sampleEvery))
	}
	log := slog.New(b.logs)
	log.Warn("RadSec connection refused", "peer", "203.0.113.9:51022", "result", "unknown_client", "error", "no client matches: campus: fingerprint is not among its 2", "subject", "CN=stranger")
	log.Error("the server is down", "server", "radius-b", "port", "coa", "hint", "no request and no probe was answered")
}

func record(name string) slog.Record {
	r := slog.NewRecord(time.Now(), slog.LevelWarn, name, 0)
	r.AddAttrs(slog.String(name, name))
	return r
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
func (c *caller) answered() bool {
	const ok = "HTTP/1.1 200"
	line := make([]byte, len(ok))
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err := io.ReadFull(c, line)
	return err == nil && string(line) == ok
}

// closed reports whether the server closes the connection. It discards what arrives before.
func (c *caller) closed() bool {
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err := io.Copy(io.Discard, c)
	return !errors.Is(err, os.ErrDeadlineExceeded)
}
