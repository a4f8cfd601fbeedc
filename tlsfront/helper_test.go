package tlsfront

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"radsec-gw/certs"
	"radsec-gw/identity"
	"radsec-gw/metrics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come; it is never waited out
// unless the test fails.
const patience = 10 * time.Second

// helloStart is what a ClientHello of 252 bytes starts with.
var helloStart = []byte{22, 3, 1, 1, 0, 1}

// pki is a CA with one server and one client certificate.
type pki struct {
	ca             *certs.CA
	server, client *certs.Pair
}

func newPKI(t testing.TB) *pki {
	t.Helper()
	ca := must(certs.NewCA("test CA"))
	return &pki{ca: ca, server: must(ca.Server("radsec-server")), client: must(ca.Client("ap1", dns("ap1.campus.example")))}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// dns sets the certificate's SAN dNSNames.
func dns(names ...string) certs.Change {
	return func(c *x509.Certificate) { c.DNSNames = names }
}

// clientsOf makes clients without limits.
func clientsOf(who ...identity.Client) (clients []*Client) {
	for _, w := range who {
		clients = append(clients, &Client{Client: w})
	}
	return clients
}

// logBuffer collects log lines.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// lines returns the lines that hold text.
func (b *logBuffer) lines(text string) []string {
	var found []string
	for line := range strings.Lines(b.String()) {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

// front is a running server and what it wrote down.
type front struct {
	t       testing.TB
	pki     *pki
	server  *Server
	addr    string
	log     *logBuffer
	reg     *prometheus.Registry
	open    func(*Session) Handler // of every client
	opened  chan *testHandler      // each new connection's handler
	stopped chan error
	cancel  context.CancelFunc
}

// testHandler is a Handler that shows what it gets.
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

func (p *testHandler) Refuse([]byte, metrics.Fate) { panic("nothing here is refused") }

// newProbe makes the handler of a connection.
func (f *front) newProbe(s *Session) Handler {
	p := &testHandler{session: s, packets: make(chan []byte, 10000), flushes: make(chan int, 10000), closed: make(chan struct{})}
	f.opened <- p
	return p
}

// openAll gives the clients the front's handlers, those that have none yet.
func (f *front) openAll(clients []*Client) []*Client {
	for _, c := range clients {
		if c.Open == nil {
			c.Open = f.open
		}
	}
	return clients
}

// setClients replaces the clients of the running server.
func (f *front) setClients(clients []*Client) {
	f.t.Helper()
	if err := f.server.SetClients(f.openAll(clients)); err != nil {
		f.t.Fatal(err)
	}
}

// start runs a server for the client "campus". change may be nil.
func start(t testing.TB, l net.Listener, change func(*front, *Config)) *front {
	t.Helper()
	f := &front{t: t, pki: newPKI(t), log: &logBuffer{}, reg: prometheus.NewRegistry(),
		opened: make(chan *testHandler, 1000), stopped: make(chan error, 1)}
	f.open = f.newProbe
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

// startTCP is start on a loopback address.
func startTCP(t testing.TB, change func(*front, *Config)) *front {
	t.Helper()
	return start(t, must(net.Listen("tcp", "127.0.0.1:0")), change)
}

// stop ends the server and waits for it.
func (f *front) stop() {
	f.cancel()
	if err := <-f.stopped; err != nil {
		f.t.Errorf("Serve returned %v", err)
	}
	f.stopped <- nil
}

// clientConfig is what an honest client uses.
func (f *front) clientConfig() *tls.Config {
	return &tls.Config{ServerName: "radsec-server", RootCAs: f.pki.ca.Pool(), Certificates: []tls.Certificate{f.pki.client.TLS()}}
}

// dial connects an honest client and returns the server's side of it too.
func (f *front) dial() (*tls.Conn, *testHandler) {
	f.t.Helper()
	c := must(tls.Dial("tcp", f.addr, f.clientConfig()))
	f.t.Cleanup(func() { c.Close() })
	return c, await(f.t, f.opened, "the server to accept the connection")
}

// await receives from ch, or fails the test.
func await[T any](t testing.TB, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

// metric returns the value of a series, such as name{a="b"}; labels in the
// order of their names.
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
	f.t.Fatalf("no series %s", series)
	return 0
}

func (f *front) wantMetric(series string, want float64) {
	f.t.Helper()
	if got := f.metric(series); got != want {
		f.t.Errorf("%s is %v, want %v", series, got, want)
	}
}

// awaitMetric waits until a series has the value: the server counts a moment
// after the peer has seen the end.
func (f *front) awaitMetric(series string, want float64) {
	f.t.Helper()
	for end := time.Now().Add(patience); f.metric(series) != want; runtime.Gosched() {
		if time.Now().After(end) {
			f.t.Fatalf("%s stays %v, want %v; the log:\n%s", series, f.metric(series), want, f.log)
		}
	}
}

// wantLine wants exactly one log line with all of texts.
func (f *front) wantLine(texts ...string) {
	f.t.Helper()
	n := 0
	for _, line := range f.log.lines(texts[0]) {
		ok := true
		for _, text := range texts {
			ok = ok && strings.Contains(line, text)
		}
		if ok {
			n++
		}
	}
	if n != 1 {
		f.t.Errorf("%d log lines hold %q, want 1; the log:\n%s", n, texts, f.log)
	}
}

// packet makes an Access-Request of n octets that begins its content with mark.
func packet(n int, mark byte) []byte {
	p := make([]byte, n)
	p[0], p[1] = 1, mark
	binary.BigEndian.PutUint16(p[2:], uint16(n))
	for i := 4; i < n; i++ {
		p[i] = mark + byte(i)
	}
	return p
}

// readToEnd reads what the peer sees until the connection ends.
func readToEnd(c net.Conn) error {
	c.SetReadDeadline(time.Now().Add(patience))
	_, err := io.Copy(io.Discard, c)
	if err == nil {
		return io.EOF
	}
	return err
}

// named gives a connection the address of a TCP peer.
type named struct {
	net.Conn
	addr net.Addr
}

func (n named) RemoteAddr() net.Addr { return n.addr }

// pipeListener is a listener whose connections are made by connect, without
// the network: it works on faked time.
type pipeListener struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4zero, Port: 2083} }

// connect returns the client's end of a new connection from 192.0.2.1.
func (l *pipeListener) connect() net.Conn { return l.connectFrom("192.0.2.1") }

// connectFrom returns the client's end of a new connection from an address.
func (l *pipeListener) connectFrom(address string) net.Conn {
	near, far := net.Pipe()
	l.conns <- named{far, net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(address), 4711))}
	return near
}

// isAlert reports whether err is the alert that a peer has received.
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

// sleep lets d go by on the bubble's clock.
func sleep(d time.Duration) { <-time.After(d) }
