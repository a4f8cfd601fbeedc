package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/web/status"
)

// Config is the configuration of a Server.
type Config struct {
	Metrics *metrics.Metrics
	Scrape  http.Handler   // answers /metrics
	Routes  func() []Route // the current ones
	// NotServing says why the gateway accepts no connections at present, or returns "" if it
	// does. nil: it always does.
	NotServing func() string
	// Snapshot returns the state of the gateway, without what the Server itself knows: the
	// time, readiness and history. changed says when one of Counters has changed. At most one
	// call a second is made, and none before the last has returned.
	Snapshot func(now time.Time, changed func(counter string) Changes) *status.Snapshot
	// Counters returns counts whose changes Snapshot is to be told of, always the same ones;
	// nil: there are none. One may fall, which is no change.
	Counters func() map[string]uint64
	// Maintenance returns what is asked for of a server; false if there is none of that
	// name. SetMaintenance orders it, or its end, or removes the order.
	Maintenance    func(server string) (Maintenance, bool)
	SetMaintenance func(server string, on *bool) error
	Logs           *logs.Log
	Version        string
	Commit         string

	MaxConnections int // inside at one time, see pool; 0: 64
	MaxWaiting     int // outside at one time, see pool; 0: 64

	Settings // the first; Change replaces them
}

// Settings are what can be changed while the server runs.
type Settings struct {
	Token       []byte          // what a caller must send; empty: nothing (access.go)
	Hosts       []string        // names that requests without a token may be for, beside those of access.go
	PProf       bool            // serve /debug/pprof
	AllRoutes   bool            // /readyz: each route that counts must be served, not only one
	Certificate tls.Certificate // the server's own, with its chain; without one: HTTP without TLS
	Suites      []uint16        // cipher suites of TLS 1.2; nil: Go's choice
}

// settings are Settings in the form that connections and requests use.
type settings struct {
	token     []byte
	hosts     []string // in lower case
	pprof     bool
	allRoutes bool
	tls       *tls.Config // nil: HTTP without TLS
}

// Route is one route of the configuration, as the page and /readyz need it.
type Route struct {
	Realms  []string
	Packets []string // kinds, as the configuration names them
	Servers []string
	Balance string
	Label   string // in metrics
	Ignored bool   // it does not count for /readyz

	// Unchecked has the ports of each server that are never checked, and so count as up
	// whether they answer or not. It may be shared, and have servers of other routes.
	Unchecked map[string][]metrics.Port
}

// Limits of the HTTP server. It has few callers: Prometheus, a browser, the probes of an
// orchestrator.
const (
	maxConnections = 64
	maxHeader      = 16 << 10 // bytes
	maxBody        = 256      // bytes of a PUT
	maxProfiles    = 2        // requests for profiles at one time
)

// Server is the gateway's HTTP server. It may serve several listeners.
type Server struct {
	// static after construction
	cfg          Config // without its Settings
	handler      http.Handler
	sampler      *sampler
	started      time.Time
	pool         *pool
	scrapes      *batches
	readyAnswers *batches
	shared       *shared       // the page and its JSON
	profiles     chan struct{} // has one element for each request for a profile that is being answered
	rendered     bytes.Buffer  // by renderStatus
	garbage      *collector
	handshakes   chan struct{} // has one element for each TLS handshake that is being computed
	machine      string        // this machine's host name in lower case; "": not known
	misrouted    logs.Limiter  // lines about requests for other hosts

	current  atomic.Pointer[settings] // replaced as a whole by Change
	wasReady atomic.Bool              // /readyz has answered that it is ready, or would have
}

// New returns a Server. Run and Serve start it.
func New(cfg Config) *Server {
	s := &Server{sampler: newSampler(cfg.Metrics, cfg.Counters), started: time.Now()}
	s.shared = newShared(s.snapshot, s.renderStatus)
	s.Change(cfg.Settings)
	cfg.Settings = Settings{}
	if cfg.MaxConnections == 0 {
		cfg.MaxConnections = maxConnections
	}
	if cfg.MaxWaiting == 0 {
		cfg.MaxWaiting = maxConnections
	}
	s.cfg = cfg
	log := slog.New(cfg.Logs)
	s.pool = newPool(cfg.MaxWaiting, cfg.MaxConnections, cfg.Metrics, log)
	s.scrapes = &batches{render: s.renderScrape, log: log}
	s.readyAnswers = &batches{render: s.renderReadiness, log: log}
	s.garbage = newCollector()
	s.handshakes = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))
	s.profiles = make(chan struct{}, maxProfiles)
	if name, err := os.Hostname(); err == nil {
		s.machine = strings.ToLower(name)
	}
	open, guarded := http.NewServeMux(), http.NewServeMux()
	guarded.HandleFunc("GET /metrics", s.scrape)
	guarded.HandleFunc("GET /{$}", s.serveStatus(formatPage))
	guarded.HandleFunc("GET /api/v1/status", s.serveStatus(formatJSON))
	guarded.HandleFunc("GET /loglevel", s.showLevel)
	guarded.HandleFunc("PUT /loglevel", s.changeLevel)
	guarded.HandleFunc("GET /api/v1/servers/{name}/maintenance", s.showMaintenance)
	guarded.HandleFunc("PUT /api/v1/servers/{name}/maintenance", s.changeMaintenance)
	guarded.HandleFunc("DELETE /api/v1/servers/{name}/maintenance", s.changeMaintenance)
	for path, h := range map[string]http.HandlerFunc{"": pprof.Index, "cmdline": pprof.Cmdline, "profile": pprof.Profile,
		"symbol": pprof.Symbol, "trace": pprof.Trace} {
		guarded.HandleFunc("GET /debug/pprof/"+path, s.ifProfiling(h))
	}
	for path, h := range map[string]http.HandlerFunc{"/healthz": healthz, "/readyz": s.readyz} {
		open.HandleFunc("GET "+path, h)
		open.HandleFunc(path, onlyGET) // otherwise "/" would match
	}
	open.Handle("/", s.guard(sameOrigin(guarded)))
	s.handler = s.track(harden(open))
	return s
}

// onlyGET answers other methods than GET and HEAD of a page that has only these.
func onlyGET(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Allow", "GET, HEAD")
	http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
}

// Change replaces the settings, for every request and every new connection from now on.
func (s *Server) Change(to Settings) {
	next := &settings{token: to.Token, pprof: to.PProf, allRoutes: to.AllRoutes}
	for _, name := range to.Hosts {
		next.hosts = append(next.hosts, strings.ToLower(name))
	}
	if len(to.Certificate.Certificate) > 0 {
		next.tls = s.tlsConfig(&to.Certificate, to.Suites)
	}
	s.current.Store(next)
}

// ifProfiling returns a handler that calls h while profiles are switched on, for a few requests
// at a time.
func (s *Server) ifProfiling(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.current.Load().pprof {
			http.NotFound(w, r)
			return
		}
		select {
		case s.profiles <- struct{}{}:
			defer func() { <-s.profiles }()
			h(w, r)
		default:
			http.Error(w, "other profiles are being taken; try again", http.StatusServiceUnavailable)
		}
	}
}

// Run takes the samples for the charts until ctx is done.
func (s *Server) Run(ctx context.Context) { s.sampler.run(ctx) }

// Serve serves connections of l until ctx is done, and closes l. Requests in progress then
// have a second to end. It returns nil after that, or the error of the listener. It may be
// called for several listeners.
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

// newHTTP returns the http.Server for one listener.
func (s *Server) newHTTP() *http.Server {
	return &http.Server{
		Handler:           s.handler,
		ConnContext:       withConn,
		ConnState:         connState,
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

// harden returns a handler that sets headers in every answer, against sniffing, framing and
// caching, bounds the body of the request, and calls h.
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
