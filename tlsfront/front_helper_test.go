package tlsfront

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"radsec-gw/certs"
	"radsec-gw/identity"
	"radsec-gw/metrics"
	"radsec-gw/sessions"
)

// front is a running server with its log and metrics.
type front struct {
	t       testing.TB
	pki     *pki
	server  *Server
	addr    string
	log     *logBuffer
	reg     *prometheus.Registry
	open    func(*Session) sessions.Handler // of every client
	opened  chan *testHandler               // each new connection's handler
	stopped chan error
	cancel  context.CancelFunc
}

// testHandler is a sessions.Handler that shows what it gets.
type testHandler struct {
	session *Session
	packets chan []byte
	flushes chan int // how many packets came before each Flush
	closed  chan struct{}
	refuse  func(p []byte) error
	echo    bool // answer every packet with itself

	sinceFlush int
}

func (p *testHandler) Packet(b []byte) error {
	if p.refuse != nil {
		if err := p.refuse(b); err != nil {
			return err
		}
	}
	p.sinceFlush++
	if p.echo {
		p.session.Send(b)
		return nil
	}
	p.packets <- bytes.Clone(b)
	return nil
}

func (p *testHandler) Flush() error {
	select {
	case p.flushes <- p.sinceFlush:
	default:
	}
	p.sinceFlush = 0
	p.session.Flush()
	return nil
}

func (p *testHandler) Closed() { close(p.closed) }

func (p *testHandler) Outstanding() int { return 0 }

func (p *testHandler) Awaited() int { return 0 }

func (p *testHandler) Repeats([]byte) bool { return false }
func (p *testHandler) Keep() bool          { return false }

func (p *testHandler) Refuse([]byte, metrics.Fate) { panic("nothing here is refused") }

// newHandler returns the handler of a new connection.
func (f *front) newHandler(s *Session) sessions.Handler {
	p := &testHandler{session: s, packets: make(chan []byte, 10000), flushes: make(chan int, 10000), closed: make(chan struct{})}
	f.opened <- p
	return p
}

// openAll sets the front's Open in clients that have none.
func (f *front) openAll(clients []*sessions.Client) []*sessions.Client {
	for _, c := range clients {
		if c.Open == nil {
			c.Open = func(c sessions.Conn) sessions.Handler { return f.open(c.(*Session)) }
		}
	}
	return clients
}

// setClients replaces the clients of the running server.
func (f *front) setClients(clients []*sessions.Client) {
	f.t.Helper()
	if err := f.server.SetClients(f.openAll(clients)); err != nil {
		f.t.Fatal(err)
	}
}

// start starts a server for the client "campus". change may be nil.
func start(t testing.TB, l net.Listener, change func(*front, *Config)) *front {
	t.Helper()
	f := &front{t: t, pki: newPKI(t), log: &logBuffer{}, reg: prometheus.NewRegistry(),
		opened: make(chan *testHandler, 1000), stopped: make(chan error, 1)}
	f.open = f.newHandler
	cfg := Config{
		Listeners:   []net.Listener{l},
		Certificate: f.pki.server.TLS(),
		ClientCA:    []*x509.Certificate{f.pki.ca.Certificate},
		Clients:     clientsOf(identity.Client{Name: "campus"}),
		Log:         slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Metrics:     metrics.New(f.reg),
	}
	if change != nil {
		change(f, &cfg)
	}
	f.openAll(cfg.Clients)
	f.server = must(New(cfg))
	f.addr = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	go func() { f.stopped <- f.server.Serve(ctx) }()
	t.Cleanup(f.stop)
	return f
}

// startTCP calls start with a loopback address.
func startTCP(t testing.TB, change func(*front, *Config)) *front {
	t.Helper()
	return start(t, must(net.Listen("tcp", "127.0.0.1:0")), change)
}

// stop stops the server and waits for it.
func (f *front) stop() {
	f.cancel()
	if err := <-f.stopped; err != nil {
		f.t.Errorf("Serve returned %v", err)
	}
	f.stopped <- nil
}

// clientConfig returns the configuration of an honest client.
func (f *front) clientConfig() *tls.Config {
	return &tls.Config{ServerName: "radsec-server", RootCAs: certs.Pool(f.pki.ca.Certificate), Certificates: []tls.Certificate{f.pki.client.TLS()}}
}

// dial connects an honest client, and returns the server's handler, too.
func (f *front) dial() (*tls.Conn, *testHandler) {
	f.t.Helper()
	c := must(tls.Dial("tcp", f.addr, f.clientConfig()))
	f.t.Cleanup(func() { c.Close() })
	return c, await(f.t, f.opened, "the server to accept the connection")
}

// metric returns the value of a series, such as name{a="b"}, with the labels sorted by
// name; 0 of one that does not exist yet.
func (f *front) metric(series string) float64 {
	f.t.Helper()
	for _, family := range must(f.reg.Gather()) {
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			name := family.GetName()
			if len(labels) > 0 {
				name += "{" + strings.Join(labels, ",") + "}"
			}
			if name == series {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return 0
}

func (f *front) wantMetric(series string, want float64) {
	f.t.Helper()
	if got := f.metric(series); got != want {
		f.t.Errorf("%s is %v, want %v", series, got, want)
	}
}

// awaitMetric waits until a series has the value: the server may count after the peer
// has seen the end.
func (f *front) awaitMetric(series string, want float64) {
	f.t.Helper()
	for end := time.Now().Add(patience); f.metric(series) != want; runtime.Gosched() {
		if time.Now().After(end) {
			f.t.Fatalf("%s stays %v, want %v; the log:\n%s", series, f.metric(series), want, f.log)
		}
	}
}

// wantLine waits until exactly one log line contains all of texts: the server may log after
// the peer has seen the end.
func (f *front) wantLine(texts ...string) {
	f.t.Helper()
	for end := time.Now().Add(patience); ; runtime.Gosched() {
		n := f.countLines(texts...)
		if n == 1 {
			return
		}
		if n > 1 || time.Now().After(end) {
			f.t.Errorf("%d log lines hold %q, want 1; the log:\n%s", n, texts, f.log)
			return
		}
	}
}

// countLines returns how many log lines contain all of texts.
func (f *front) countLines(texts ...string) (n int) {
	for _, line := range f.log.lines(texts[0]) {
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) }) {
			n++
		}
	}
	return n
}

// counting is a sessions.Handler with requests outstanding, in both directions.
type counting struct {
	*testHandler
	open, awaited atomic.Int64
	keep          atomic.Bool
}

func (c *counting) Awaited() int { return int(c.awaited.Load()) }

func (c *counting) Repeats([]byte) bool { return false }
func (c *counting) Keep() bool          { return c.keep.Load() }

func (c *counting) Packet(b []byte) error { c.open.Add(1); return c.testHandler.Packet(b) }

func (c *counting) Outstanding() int { return int(c.open.Load()) }

// startCounting calls startPipe with handlers that count requests.
func startCounting(t *testing.T, change func(*Config)) (*front, *pipeListener, chan *counting) {
	opened := make(chan *counting, 10)
	l := newPipeListener()
	f := start(t, l, func(f *front, cfg *Config) {
		open := f.open
		f.open = func(s *Session) sessions.Handler {
			c := &counting{testHandler: open(s).(*testHandler)}
			opened <- c
			return c
		}
		change(cfg)
	})
	return f, l, opened
}

// answer answers a request: as in relay, it is outstanding until the answer is sent.
func (c *counting) answer() {
	c.session.Send(packet(20, 7))
	c.session.Flush()
	c.open.Add(-1)
}

// startPipe calls start without a network, for fake time.
func startPipe(t *testing.T, change func(*Config)) (*front, *pipeListener) {
	l := newPipeListener()
	return start(t, l, func(f *front, cfg *Config) {
		if change != nil {
			change(cfg)
		}
	}), l
}

// dialPipe connects an honest client.
func (f *front) dialPipe(l *pipeListener) (*tls.Conn, *testHandler) {
	f.t.Helper()
	c := tls.Client(l.connect(), f.clientConfig())
	if err := c.Handshake(); err != nil {
		f.t.Fatal(err)
	}
	return c, <-f.opened
}

// startCountingTCP calls startTCP with handlers that count requests.
func startCountingTCP(t *testing.T) (*front, chan *counting) {
	opened := make(chan *counting, 10)
	f := startTCP(t, func(f *front, _ *Config) {
		open := f.open
		f.open = func(s *Session) sessions.Handler {
			c := &counting{testHandler: open(s).(*testHandler)}
			opened <- c
			return c
		}
	})
	return f, opened
}
