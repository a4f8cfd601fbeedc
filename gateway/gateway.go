package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"radsec-gw/audit"
	"radsec-gw/config"
	"radsec-gw/crlfetch"
	"radsec-gw/dynauth"
	"radsec-gw/files"
	"radsec-gw/locks"
	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/relay"
	"radsec-gw/sessions"
	"radsec-gw/spool"
	"radsec-gw/tlsfront"
	"radsec-gw/udpback"
	"radsec-gw/web"
)

// Gateway is a running gateway. Its parts, the order of its locks and how to use it in a
// test are in the documentation of the package.
type Gateway struct {
	// static after construction
	log       *slog.Logger
	logs      *logs.Log
	hub       *audit.Hub
	metrics   *metrics.Metrics
	reloads   *metrics.Reloads
	back      *udpback.Backend
	relay     *relay.Relay
	dynauth   *dynauth.Server
	shared    *sessions.Shared // by all fronts
	web       *web.Server
	reader    *files.Reader
	lists     *crlfetch.Fetcher
	marker    relay.MarkerKey // of this process
	replicas  relay.Replicas  // as the cluster tells them
	cluster   *clustered      // nil: nothing is shared
	poll      *poller         // of the files
	inherited bool            // Options.Listeners are used, instead of [listen].address
	ctx       context.Context
	cancel    context.CancelFunc // ends everything immediately

	certificate certificateReport
	reloadLog   reloadLog

	reloadCtx   context.Context    // derived from ctx; done when the gateway is about to stop
	stopReloads context.CancelFunc // ends it

	draining atomic.Bool
	current  atomic.Pointer[generation]  // replaced as a whole
	spool    atomic.Pointer[spool.Spool] // nil: no route has used it so far

	// turn holds an element while a reload runs, including while it reads files and opens
	// sockets. Only other reloads wait for it.
	turn chan struct{}

	// owned by the holder of the turn
	lastRead     sums                // of the files when they were last read
	refusedSums  files.Sums          // of the files that the last refused reload of everything has read; nil: nothing to retry
	lastMistakes string              // the mistakes that were logged last; "" after a reload that succeeded
	reloadBy     string              // who has caused the reload: byRequest, byChange or byFetch
	skipped      *material           // read by polling, but not used because a certificate of it is worse; nil: none
	retired      []*dynauth.Listener // no longer configured, and open for answers until they close
	tapLost      bool                // the socket for taps is gone and cannot be made again, and that was logged

	reloading locks.Mutex[locks.Reloading] // guards what follows; its holder waits for no file, name or socket
	servers   []configuredServer
	clients   []*relay.Client
	removing  bool // a goroutine removes the series that removeSeries could not

	running sync.WaitGroup                   // counts the goroutines that Wait waits for
	mu      locks.Mutex[locks.GatewayErrors] // guards errs
	errs    []error
}

// generation is everything that a reload replaces. It is immutable.
type generation struct {
	*Plan
	sockets
	Descriptors
	routes  []web.Route
	servers []configuredServer // for the status page, which must not wait for a reload
	keyLog  *tlsfront.KeyLog   // of [listen].key_log_file; nil: none
	reverse *dynauth.Config
	fronts  fronts
}

// Options are the options of Start. The zero value is ready for use.
type Options struct {
	Log       *slog.Logger   // nil: nothing is logged
	Listeners []net.Listener // for RadSec, instead of [listen].address; none: Start opens its own
	Version   string         // of the program, for the metrics and the status page
	Commit    string         // likewise
	// DialCRL connects to the servers that revocation lists are fetched from; nil: as
	// crlfetch.Config.Dial.
	DialCRL func(ctx context.Context, network, address string) (net.Conn, error)
}

// ConfigurationError is an error of Start that the configuration causes: starting again
// does not help.
type ConfigurationError struct{ Err error }

func (e ConfigurationError) Error() string { return e.Err.Error() }
func (e ConfigurationError) Unwrap() error { return e.Err }

// Start opens the listeners of the plan and serves until ctx is done. The caller must then
// call Wait. If Start fails it closes everything except the listeners that it was given.
func Start(ctx context.Context, p *Plan, o Options) (*Gateway, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	m := metrics.New(prometheus.NewRegistry())
	output := logs.Of(o.Log)
	m.Logs("stderr", output.Output())
	log := slog.New(output)
	g := &Gateway{log: log, logs: output, metrics: m, reloads: m.Reloads(), back: udpback.New(m, log),
		reader: p.reader, marker: relay.NewMarkerKey(), inherited: len(o.Listeners) > 0, lastRead: p.files.sums,
		turn: make(chan struct{}, 1), poll: newPoller(p.Config.Listen.ReloadInterval)}
	g.shared = sessions.NewShared(m, runtime.GOMAXPROCS(0)/2)
	g.ctx, g.cancel = context.WithCancel(ctx)
	g.reloadCtx, g.stopReloads = context.WithCancel(g.ctx)
	g.lists = g.newFetcher(&o)
	p, commit := g.addLists(p)
	first := &generation{Plan: p, routes: webRoutes(p.Config)}
	if err := g.assemble(first, o.Listeners); err != nil {
		g.cancel()
		closeServers(g.servers)
		g.hub.Close()
		return nil, err
	}
	g.current.Store(first)
	commit(nil)
	g.openWeb(m.Handler(), first, &o)
	g.openCluster(p.Config)
	if start := g.makeSpool(p.Config); start != nil {
		start()
	}
	g.serve(first)
	g.reloads.Loaded(time.Now())
	g.reloadLog.record(byStart, "configuration", nil, time.Now())
	g.reportCertificate(p, time.Now())
	g.logFileWarnings(p, time.Now())
	if w := first.Shortage(p.Config); w != "" {
		log.Warn(w)
	}
	log.Info("serving", "radsec", g.Addr().String(), "metrics", g.metricsText(), "dynamic_authorization", first.dynamicText(), "clients", len(p.Config.Clients), "servers", len(p.Config.Servers), "routes", len(p.Config.Routes), "config", p.Config.Path)
	return g, nil
}

// assemble makes the parts of the gateway from the plan of its first generation. On an
// error it closes all listeners except those that were given.
func (g *Gateway) assemble(first *generation, given []net.Listener) (err error) {
	if first.Descriptors, err = first.Plan.Descriptors(); err != nil {
		return err
	}
	g.exportExpiry(first.files)
	clients, err := buildClients(first.Config, &first.rules, g.metrics)
	if err != nil {
		return ConfigurationError{err}
	}
	g.clients = reuseClients(clients, nil)
	g.hub = audit.New(g.hubConfig(&first.Config.Log))
	g.logs.OnLevel(g.hub.LevelChanged)
	g.hub.LevelChanged() // it may have changed before
	var rules *relay.Rules
	if g.servers, rules, err = buildRules(first.Plan, g.back, g.metrics, g.marker, nil); err != nil {
		g.servers = nil
		return ConfigurationError{err}
	}
	g.recognizeReplicas(rules)
	first.servers = g.servers
	if err := checkSources(first.Config); err != nil {
		return err
	}
	if first.reverse, err = buildDynAuth(first.Config, g.servers); err != nil {
		return ConfigurationError{err}
	}
	g.relay = relay.New(g.back, rules, g.metrics, g.hub, g.log)
	g.relay.SetClients(g.clients)
	g.dynauth = dynauth.New(g.back, first.reverse, g.metrics.DynAuth(), g.hub, g.log)
	g.configureDynAuth(first.reverse, g.clients)
	g.relay.UseDynAuth(g.dynauth)
	if first.sockets, _, err = g.openSockets(first.Config, &sockets{radsec: passed(given)}); err != nil {
		return err
	}
	g.limitDescriptors(first)
	if first.keyLog, err = g.openKeyLog(first.Config, nil); err != nil {
		g.closeSockets(first.without(&sockets{radsec: passed(given)}))
		return ConfigurationError{err}
	}
	g.metrics.SetKeyLog(first.keyLog != nil)
	change, err := g.prepareFronts(first, g.clients, nil)
	if err != nil {
		closeKeyLog(first.keyLog, nil)
		g.closeSockets(first.without(&sockets{radsec: passed(given)}))
		return ConfigurationError{err}
	}
	first.fronts = change.all
	return nil
}

// serve starts the goroutines that run until the gateway ends.
func (g *Gateway) serve(first *generation) {
	g.serveFronts(first.fronts)
	g.running.Go(func() { g.web.Run(g.ctx) })
	g.serveSockets(&first.sockets)
	g.running.Go(g.watchFiles)
	g.running.Go(func() { g.lists.Run(g.ctx) })
	g.running.Go(g.watchLists)
	g.running.Go(g.watchCertificate)
}

// limitDescriptors sets how many descriptors there are for each use, in udpback and in the
// metrics, and the other limits that the metrics show.
func (g *Gateway) limitDescriptors(of *generation) {
	d := &of.Descriptors
	g.back.LimitSockets(d.UDP)
	g.metrics.SetDescriptorLimit(d.Limit)
	g.metrics.TLS().SetLimits(d.Connections, handshakes(of.Config))
	for use, n := range map[string]int{"radsec": d.Connections, "udp": d.UDP, "http": d.http + d.httpWaiting, "other": d.other} {
		g.metrics.SetDescriptors(use, n)
	}
}

// handshakes returns how many handshakes there may be at a time, all fronts together.
func handshakes(cfg *config.Config) (n int) {
	for _, f := range cfg.Fronts() {
		n += f.Listen.MaxHandshakes
	}
	return n
}

// addError records an error for Wait.
func (g *Gateway) addError(err error) {
	if err == nil {
		return
	}
	g.mu.Lock()
	g.errs = append(g.errs, err)
	g.mu.Unlock()
}

// Addr returns the first address that RadSec clients can connect to.
func (g *Gateway) Addr() netip.AddrPort { return addrOf(g.current.Load().radsec[0].listeners[0]) }

// MetricsAddr returns the address where /metrics and the rest of HTTP is served; the zero
// AddrPort if the configuration has none.
func (g *Gateway) MetricsAddr() netip.AddrPort {
	if d := g.current.Load().web; d != nil {
		return addrOf(d)
	}
	return netip.AddrPort{}
}

func addrOf(l net.Listener) netip.AddrPort { return l.Addr().(*net.TCPAddr).AddrPort() }

// metricsText returns MetricsAddr for a log line.
func (g *Gateway) metricsText() string {
	if a := g.MetricsAddr(); a.IsValid() {
		return a.String()
	}
	return "not served"
}

// Draining reports whether the gateway is about to stop: it is not ready for new
// connections.
func (g *Gateway) Draining() bool { return g.draining.Load() }

// Drain stops the gateway gracefully: it is no longer ready, then each connection is closed
// when it has nothing outstanding, or after [listen].drain_timeout. A reload that waits for
// a file is canceled. Drain returns immediately; Wait returns when the gateway has stopped.
func (g *Gateway) Drain() {
	if g.draining.Swap(true) {
		return
	}
	g.stopReloads()
	timeout := g.current.Load().Config.Listen.DrainTimeout
	g.log.Info("draining", "timeout", timeout)
	g.dynauth.Drain()
	g.running.Go(func() {
		defer g.cancel()
		ctx, cancel := context.WithTimeout(g.ctx, timeout)
		defer cancel()
		g.drainFronts(ctx)
	})
}

// Ended returns a channel that is closed when the gateway begins to end, because it has
// drained, its context is done or its listeners have failed. Wait returns soon after that.
func (g *Gateway) Ended() <-chan struct{} { return g.ctx.Done() }

// Wait waits until the gateway and every goroutine that it has started have ended. It
// returns the error of a listener, or nil after Drain or the end of the context.
func (g *Gateway) Wait() error {
	<-g.ctx.Done()
	g.turn <- struct{}{} // a reload ends when ctx is done, and none begins
	g.releaseTurn()
	g.running.Wait()
	g.closeSpool()
	g.closeCluster()
	closeKeyLog(g.current.Load().keyLog, nil)
	g.hub.Close()
	g.reloading.Lock()
	closeServers(g.servers)
	g.reloading.Unlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	return errors.Join(g.errs...)
}

// Ping acquires and releases the locks that everything else needs. If it does not return,
// the gateway is deadlocked.
func (g *Gateway) Ping() {
	g.reloading.Lock()
	n := len(g.servers)
	g.reloading.Unlock()
	_, _ = n, g.metrics.Servers()
	g.pingFronts()
}
