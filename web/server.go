package web

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"sync/atomic"
	"time"

	"radsec-gw/logs"
	"radsec-gw/metrics"
)

// Config says what to show.
type Config struct {
	Metrics *metrics.Metrics
	Scrape  http.Handler   // answers /metrics
	Routes  func() []Route // the current ones
	// Serving says why the gateway takes no connections at present, "" when it
	// does: it may not listen yet, or be draining. nil: it always does.
	Serving func() string
	// Notices returns what keeps some clients out and not all, for the status page; nil:
	// there is none.
	Notices func() []string
	// Certificate returns the gateway's own, for the status page; nil: it shows none.
	Certificate func() Certificate
	Logs        *logs.Log
	Version     string
	Commit      string

	MaxConnections int // open at one time on one listener, more wait in the kernel's backlog; 0: 64

	Settings // to begin with; Change replaces them
}

// Certificate is the gateway's own certificate.
type Certificate struct {
	Subject  string
	NotAfter time.Time // of the first of the chain to expire
	Findings []string  // what keeps clients out, or soon will
}

// Settings are what can be changed while the server runs.
type Settings struct {
	Token       []byte          // what a caller must know; empty: nothing (access.go)
	PProf       bool            // serve /debug/pprof
	Certificate tls.Certificate // the server's own, with its chain; without one: HTTP without TLS
}

// settings are Settings in the form in which connections and requests need them.
type settings struct {
	token []byte
	pprof bool
	tls   *tls.Config // nil: HTTP without TLS
}

// Route is one route of the configuration, as the page and /readyz need it.
type Route struct {
	Realms  []string
	Packets []string // kinds, as the configuration names them
	Servers []string
	Balance string
}

// Limits of the HTTP side. Its callers are few: a Prometheus, a browser, the
// probes of an orchestrator.
const (
	maxConnections = 64
	maxHeader      = 16 << 10 // bytes
	maxBody        = 256      // bytes of a PUT
)

// Server is the HTTP side.
type Server struct {
	// static after construction
	cfg     Config // without its Settings
	handler http.Handler
	sampler *sampler
	started time.Time

	now atomic.Pointer[settings] // replaced as a whole by Change
}

// New puts the HTTP side together; Run and Serve start it.
func New(cfg Config) *Server {
	s := &Server{sampler: newSampler(cfg.Metrics), started: time.Now()}
	s.Change(cfg.Settings)
	cfg.Settings = Settings{}
	if cfg.MaxConnections == 0 {
		cfg.MaxConnections = maxConnections
	}
	s.cfg = cfg
	open, guarded := http.NewServeMux(), http.NewServeMux()
	guarded.Handle("GET /metrics", cfg.Scrape)
	guarded.HandleFunc("GET /{$}", s.page)
	guarded.HandleFunc("GET /loglevel", s.showLevel)
	guarded.HandleFunc("PUT /loglevel", s.changeLevel)
	for path, h := range map[string]http.HandlerFunc{"": pprof.Index, "cmdline": pprof.Cmdline, "profile": pprof.Profile,
		"symbol": pprof.Symbol, "trace": pprof.Trace} {
		guarded.HandleFunc("GET /debug/pprof/"+path, s.ifProfiling(h))
	}
	open.HandleFunc("GET /healthz", healthz)
	open.HandleFunc("GET /readyz", s.readyz)
	open.Handle("/", s.guard(guarded))
	s.handler = harden(open)
	return s
}

// Change uses to for every request and every new connection from now on.
func (s *Server) Change(to Settings) {
	next := &settings{token: to.Token, pprof: to.PProf}
	if len(to.Certificate.Certificate) > 0 {
		next.tls = &tls.Config{Certificates: []tls.Certificate{to.Certificate}, MinVersion: tls.VersionTLS12}
	}
	s.now.Store(next)
}

// ifProfiling lets h answer while profiles are switched on.
func (s *Server) ifProfiling(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.now.Load().pprof {
			http.NotFound(w, r)
			return
		}
		h(w, r)
	}
}

// Run takes the samples for the charts until ctx is done.
func (s *Server) Run(ctx context.Context) { s.sampler.run(ctx) }

// Serve answers on l until ctx is done, and closes l. What is being answered
// then has a second to end. It returns nil after that, or what made listening
// fail. It may be called for several listeners.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := s.newHTTP()
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-ctx.Done()
		stop, done := context.WithTimeout(context.Background(), time.Second)
		defer done()
		if server.Shutdown(stop) != nil {
			server.Close()
		}
	}()
	err := server.Serve(s.limit(l))
	cancel()
	<-ended
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// newHTTP returns what serves one listener.
func (s *Server) newHTTP() *http.Server {
	return &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      time.Minute, // above the 30 s of a profile
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          s.cfg.Logs.Std("the HTTP side reports an error", errorLevel),
	}
}

// errorLevel is the level of a line of net/http. A connection that ends without
// a request is a health check of the port.
func errorLevel(line string) slog.Level {
	if strings.HasPrefix(line, "http: TLS handshake error") && strings.HasSuffix(line, ": EOF") {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

// harden sets the headers of every answer: no sniffing, framing or caching.
func harden(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		h.ServeHTTP(w, r)
	})
}
