package web

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	"radsec-gw/logs"
	"radsec-gw/metrics"
)

// Config says what to show.
type Config struct {
	Metrics *metrics.Metrics
	Scrape  http.Handler   // answers /metrics
	Routes  func() []Route // those in force now
	// Serving says why the gateway takes no connections at present, "" when it
	// does: it may not listen yet, or be draining. nil: it always does.
	Serving func() string
	Logs    *logs.Log
	Token   []byte // what a caller must know; empty: nothing (access.go)
	PProf   bool   // serve /debug/pprof
	Version string
	Commit  string
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
	maxHeader      = 16 << 10 // octets
	maxBody        = 256      // octets of a PUT
)

// Server is the HTTP side.
type Server struct {
	// static after construction
	cfg     Config
	http    *http.Server
	sampler *sampler
	started time.Time
}

// New puts the HTTP side together; Serve starts it.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg, sampler: newSampler(cfg.Metrics), started: time.Now()}
	open, guarded := http.NewServeMux(), http.NewServeMux()
	guarded.Handle("GET /metrics", cfg.Scrape)
	guarded.HandleFunc("GET /{$}", s.page)
	guarded.HandleFunc("GET /loglevel", s.showLevel)
	guarded.HandleFunc("PUT /loglevel", s.changeLevel)
	if cfg.PProf {
		guarded.HandleFunc("GET /debug/pprof/", pprof.Index)
		guarded.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		guarded.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		guarded.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		guarded.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	open.HandleFunc("GET /healthz", healthz)
	open.HandleFunc("GET /readyz", s.readyz)
	open.Handle("/", s.guard(guarded))
	s.http = &http.Server{
		Handler:           harden(open),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      time.Minute, // above the 30 s of a profile
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          cfg.Logs.Std("the HTTP side reports an error", errorLevel),
	}
	return s
}

// Handler is the whole HTTP side as one handler, without a listener.
func (s *Server) Handler() http.Handler { return s.http.Handler }

// Serve answers on l until ctx is done, and closes l. What is being answered
// then has a second to end. It returns nil after that, or what made listening
// fail. It is called once.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.sampler.run(ctx)
		stop, done := context.WithTimeout(context.Background(), time.Second)
		defer done()
		if s.http.Shutdown(stop) != nil {
			s.http.Close()
		}
	}()
	err := s.http.Serve(&limited{Listener: l, slots: make(chan struct{}, maxConnections)})
	cancel()
	<-ended
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// errorLevel is the level of a line of net/http. A connection that ends without
// a request is a health check of the port.
func errorLevel(line string) slog.Level {
	if strings.HasPrefix(line, "http: TLS handshake error") && strings.HasSuffix(line, ": EOF") {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

// harden sets what every answer has: no guessing of types, no frames, no keeping.
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
