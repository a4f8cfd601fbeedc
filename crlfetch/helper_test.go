package crlfetch

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"radsec-gw/certs"
	"radsec-gw/certs/certstest"
	"radsec-gw/files"
	"radsec-gw/metrics"
)

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// bench is a Fetcher under test, with a CA and a network without sockets, which fake time can
// be used with.
type bench struct {
	t        *testing.T
	ca       *certs.CA
	log      *lockedBuffer
	metrics  *metrics.Metrics
	registry *prometheus.Registry
	reader   *files.Reader
	settings Settings

	mu    sync.Mutex
	hosts map[string]http.HandlerFunc // by "host:port"; none: connections are refused
	asked []string                    // the requests, each with its time since start
	start time.Time
	conns []net.Conn
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, ca: need(certs.NewCA("campus")), log: new(lockedBuffer), registry: prometheus.NewRegistry(), reader: files.NewReader(),
		hosts: map[string]http.HandlerFunc{}, start: time.Now()}
	b.metrics = metrics.New(b.registry)
	b.settings = Settings{Refresh: time.Hour}
	b.set("http://crl/a")
	return b
}

// set makes URLs those of the configuration.
func (b *bench) set(urls ...string) {
	b.settings.Sets = []Set{{URLs: urls, Issuers: []*x509.Certificate{b.ca.Certificate}}}
}

// config returns the configuration of a Fetcher that uses the network of the bench.
func (b *bench) config() Config {
	return Config{Reader: b.reader, Log: slog.New(slog.NewTextHandler(b.log, nil)), Metrics: b.metrics.CRLFetches(), Version: "test", Dial: b.dial}
}

// current returns the settings of now.
func (b *bench) current() *Settings {
	s := b.settings
	return &s
}

// change gives a Fetcher the settings of now.
func (b *bench) change(ctx context.Context, f *Fetcher) {
	s := b.current()
	f.Prepare(ctx, s)
	f.Commit(s)
}

// begin starts a Fetcher. stop ends it and waits for it.
func (b *bench) begin() (f *Fetcher, stop func()) {
	f = New(b.config())
	ctx, cancel := context.WithCancel(context.Background())
	b.change(ctx, f)
	done := make(chan struct{})
	go func() { f.Run(ctx); close(done) }()
	return f, func() {
		cancel()
		<-done
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, c := range b.conns {
			c.Close()
		}
	}
}

// serve lets a host answer.
func (b *bench) serve(host string, h http.HandlerFunc) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hosts[host+":80"] = h
}

// list serves lists at http://crl.
func (b *bench) list(body []byte) {
	b.serve("crl", func(w http.ResponseWriter, _ *http.Request) { w.Write(body) })
}

// dial connects to a host.
func (b *bench) dial(_ context.Context, network, address string) (net.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.hosts[address]
	if h == nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("connection refused")}
	}
	here, there := net.Pipe()
	b.conns = append(b.conns, there)
	go http.Serve(&oneListener{conn: there}, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		b.mu.Lock()
		b.asked = append(b.asked, fmt.Sprintf("%v %s", time.Since(b.start).Round(time.Second), q.URL.Path))
		b.mu.Unlock()
		h(w, q)
	}))
	return here, nil
}

// times returns the requests, and forgets them.
func (b *bench) times() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer func() { b.asked = nil }()
	return strings.Join(b.asked, ", ")
}

// oneListener accepts one connection.
type oneListener struct {
	conn net.Conn
	once bool
}

func (l *oneListener) Accept() (net.Conn, error) {
	if l.once {
		return nil, net.ErrClosed
	}
	l.once = true
	return l.conn, nil
}
func (l *oneListener) Close() error   { return nil }
func (l *oneListener) Addr() net.Addr { return l.conn.LocalAddr() }

// crl returns a list of the CA in DER, made so long ago, that is good for so long after that.
func (b *bench) crl(ago, good time.Duration, revoked ...*certs.Pair) []byte {
	made := time.Now().Add(-ago)
	return need(certstest.CRL(b.ca, made, made.Add(good), revoked...))
}

// lists returns what the only set of the settings has.
func (b *bench) lists(f *Fetcher) (lists []*x509.RevocationList, awaited bool) {
	return f.Lists(&b.settings.Sets[0])
}

// has fails the test unless the lists that are in use are these.
func (b *bench) has(f *Fetcher, what string, want ...[]byte) {
	b.t.Helper()
	lists, _ := b.lists(f)
	if len(lists) != len(want) {
		b.t.Fatalf("%s: expected %d lists in use, got %d\n%s", what, len(want), len(lists), b.log)
	}
	for i := range lists {
		if !bytes.Equal(lists[i].Raw, want[i]) {
			b.t.Errorf("%s: list %d is another than expected", what, i)
		}
	}
}

// counts returns the fetches of http://crl/a by result.
func (b *bench) counts() string {
	b.t.Helper()
	families, err := b.registry.Gather()
	if err != nil {
		b.t.Fatal(err)
	}
	var out []string
	for _, f := range families {
		if f.GetName() != "radsec_gw_crl_fetches_total" {
			continue
		}
		for r := range metrics.NumFetches { // in their order
			for _, m := range f.Metric {
				if m.Label[0].GetValue() == r.String() && m.Counter.GetValue() > 0 {
					out = append(out, fmt.Sprintf("%s %v", r, m.Counter.GetValue()))
				}
			}
		}
	}
	return strings.Join(out, ", ")
}

// metric returns the value of a metric without labels.
func (b *bench) metric(name string) float64 {
	b.t.Helper()
	families, err := b.registry.Gather()
	if err != nil {
		b.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "radsec_gw_"+name {
			return f.Metric[0].GetCounter().GetValue() + f.Metric[0].GetGauge().GetValue()
		}
	}
	b.t.Fatalf("there is no metric %s", name)
	return 0
}

func pemOf(lists ...[]byte) (text []byte) {
	for _, der := range lists {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})...)
	}
	return text
}

func need[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
