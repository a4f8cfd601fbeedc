package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"radsec-gw/audit"
	"radsec-gw/files"
	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/relay"
	"radsec-gw/tlsfront"
	"radsec-gw/udpback"
	"radsec-gw/web"
)

// gateway is the running whole: RadSec in front, UDP behind, metrics beside.
//
// Locks, each taken only after those before it:
//
//	turn                        while files are read and sockets opened for a reload
//	reloading                   while a reload swaps what is in force
//	tlsfront.Server.updating    while connections are compared with a new policy
//	tlsfront.Server.mu          and after it Session.mu
//	those of udpback            in the order that its documentation gives
//	relay.Link.mu, Session.mu   when a request ends; nothing of udpback is called with them
//	tlsfront's outgoing.mu      after crypto/tls's own, when an answer is written
//	metrics.Metrics.mu, then udpback.Back.mu
//
// tlsfront's listeners.mu and admission.mu, audit.Hub.mu and the locks of logs are taken
// after any of these, and none of these after them, but for those of logs. The relaying
// of a packet takes none before those of udpback, and none of those is held over a file,
// a name or a log line.
type Gateway struct {
	// static after construction
	log       *slog.Logger
	logs      *logs.Log
	hub       *audit.Hub
	metrics   *metrics.Metrics
	reloads   *metrics.Reloads
	back      *udpback.Back
	entry     *relay.Gateway
	front     *tlsfront.Server
	web       *web.Server
	reader    *files.Reader
	marker    relay.MarkerKey // of this process
	own       ownCertificate
	looks     *ticks // at the files
	inherited bool   // the RadSec listeners were given: they stand for [listen].address
	ctx       context.Context
	cancel    context.CancelFunc // ends everything at once

	mayReload   context.Context    // of ctx; ends when the gateway is about to stop
	stopReloads context.CancelFunc // ends it

	draining atomic.Bool
	now      atomic.Pointer[inForce] // replaced as a whole

	// turn holds an element while what is in force is being replaced, the reading
	// of files and the opening of sockets included. Only reloads wait for it.
	turn chan struct{}

	// owned by who has the turn
	read         sums       // what the files held when they were last read
	refused      files.Sums // those that a refused reload of everything has read; nil: none is to be tried again
	lastMistakes string     // the mistakes that were logged last; "": none since something was taken

	reloading sync.Mutex // guards what follows; never held over a file, a name or a socket
	servers   []knownServer
	clients   []*relay.Client
	tidying   bool // a goroutine waits for what tidy has left

	// owned by the goroutines that Wait waits for
	running sync.WaitGroup
	mu      sync.Mutex // guards errs
	errs    []error
}

// inForce is what a gateway goes by. It is immutable.
type inForce struct {
	*Plan
	sockets
	Descriptors
}

// Build says what the running program was built from, for the metrics and the
// status page.
type Build struct{ Version, Commit string }

// Options are what a gateway is given beside its plan. The zero value is good for a
// test.
type Options struct {
	Log       *slog.Logger   // nil: nothing is logged
	Listeners []net.Listener // for RadSec, in the place of [listen].address; none: that is listened on
	Build     Build
}

// ConfigurationError is an error of Start that the configuration is to blame for:
// starting again does not help.
type ConfigurationError struct{ error }

// Start opens the listeners that p names, unless it is given some, and
// serves until ctx ends. Nothing is left open when it fails, but for the given
// listeners.
func Start(ctx context.Context, p *Plan, o Options) (*Gateway, error) {
	reg := prometheus.NewRegistry()
	m := metrics.New(reg)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	to := logs.Of(o.Log)
	m.Logs("stderr", to.Output())
	log, given := slog.New(to), o.Listeners
	g := &Gateway{log: log, logs: to, metrics: m, reloads: metrics.NewReloads(reg), back: udpback.New(m, log),
		reader: p.reader, marker: relay.NewMarkerKey(), inherited: len(given) > 0, read: p.files.sums,
		turn: make(chan struct{}, 1), looks: newTicks(p.Config.Listen.ReloadInterval)}
	g.ctx, g.cancel = context.WithCancel(ctx)
	g.mayReload, g.stopReloads = context.WithCancel(g.ctx)
	now := &inForce{Plan: p}
	if err := g.assemble(now, given); err != nil {
		g.cancel()
		closeServers(g.servers)
		g.hub.Close()
		return nil, err
	}
	g.openWeb(m.Handler(reg), now, o.Build)
	g.now.Store(now)
	g.running.Go(func() {
		defer g.cancel()
		g.failed(g.front.Serve(g.ctx))
	})
	g.running.Go(func() { g.web.Run(g.ctx) })
	g.serveSockets(&now.sockets)
	g.running.Go(g.watchFiles)
	g.running.Go(g.watchOwn)
	g.reloads.Loaded(time.Now())
	g.tellOwn(p, time.Now())
	g.warnOfFiles(p, time.Now())
	if w := now.Warning(p.Config); w != "" {
		log.Warn(w)
	}
	log.Info("serving", "radsec", g.Addr().String(), "metrics", g.servedAt(), "clients", len(p.Config.Clients), "servers", len(p.Config.Servers), "routes", len(p.Config.Routes))
	return g, nil
}

// assemble makes the parts from the plan and puts them together. On an error no
// listener is left open but those that were given.
func (g *Gateway) assemble(now *inForce, given []net.Listener) (err error) {
	limit, err := descriptorLimit()
	if err != nil {
		return err
	}
	if now.Descriptors, err = divide(limit, now.Config); err != nil {
		return err
	}
	g.noteCertificates(now.files)
	front, err := buildFront(now.Config, now.files, g.metrics)
	if err != nil {
		return ConfigurationError{err}
	}
	clients, err := buildClients(now.Config, g.metrics)
	if err != nil {
		return ConfigurationError{err}
	}
	g.clients = takeClients(clients, nil)
	g.hub = audit.New(g.hubConfig(&now.Config.Log))
	var rules *relay.Rules
	if g.servers, rules, err = buildRules(now.Config, g.back, g.metrics, g.marker, nil); err != nil {
		g.servers = nil
		return ConfigurationError{err}
	}
	g.entry = relay.New(g.back, rules, g.metrics, g.hub, g.log)
	if now.sockets, _, err = g.openSockets(now.Config, &sockets{radsec: given}); err != nil {
		return err
	}
	g.obeyDescriptors(&now.Descriptors)
	front.MaxDescriptors = now.Connections
	front.Listeners, front.Log = now.radsec, g.log
	g.connect(&front, g.clients)
	if g.front, err = tlsfront.New(front); err != nil {
		g.closeSockets(now.without(&sockets{radsec: given}))
		return ConfigurationError{err}
	}
	return nil
}

// connect has the packets of each client's connections relayed.
func (g *Gateway) connect(front *tlsfront.Config, clients []*relay.Client) {
	for i, c := range clients {
		front.Clients[i].Open = func(s *tlsfront.Session) tlsfront.Handler { return g.entry.Open(c, s, s.RemoteAddr()) }
	}
}

// obeyDescriptors tells udpback and the metrics how many descriptors there are for each
// use.
func (g *Gateway) obeyDescriptors(d *Descriptors) {
	g.back.LimitSockets(d.UDP)
	for use, n := range map[string]int{"radsec": d.Connections, "udp": d.UDP, "http": d.http, "other": d.other} {
		g.metrics.SetDescriptors(use, n)
	}
}

func (g *Gateway) failed(err error) {
	if err == nil {
		return
	}
	g.mu.Lock()
	g.errs = append(g.errs, err)
	g.mu.Unlock()
}

// Addr is the first address that RadSec clients can connect to.
func (g *Gateway) Addr() netip.AddrPort { return addrOf(g.now.Load().radsec[0]) }

// MetricsAddr is where /metrics is served; invalid when it is not.
func (g *Gateway) MetricsAddr() netip.AddrPort {
	if d := g.now.Load().web; d != nil {
		return addrOf(d)
	}
	return netip.AddrPort{}
}

func addrOf(l net.Listener) netip.AddrPort { return l.Addr().(*net.TCPAddr).AddrPort() }

// servedAt is MetricsAddr in words.
func (g *Gateway) servedAt() string {
	if a := g.MetricsAddr(); a.IsValid() {
		return a.String()
	}
	return "not served"
}

// Draining reports whether the gateway is about to stop: it is not ready for
// more connections.
func (g *Gateway) Draining() bool { return g.draining.Load() }

// Drain stops in order: readiness goes down first, then connections are closed
// as they have nothing outstanding, for as long as drain_timeout allows. A reload
// that is waiting for a file is given up. Drain returns at once; Wait returns
// after it is done.
func (g *Gateway) Drain() {
	if g.draining.Swap(true) {
		return
	}
	g.stopReloads()
	timeout := g.now.Load().Config.Listen.DrainTimeout
	g.log.Info("draining", "timeout", timeout)
	g.running.Go(func() {
		defer g.cancel()
		ctx, cancel := context.WithTimeout(g.ctx, timeout)
		defer cancel()
		g.front.Drain(ctx)
	})
}

// Ended is done when the gateway has begun to end: Wait returns soon after it.
func (g *Gateway) Ended() <-chan struct{} { return g.ctx.Done() }

// Wait returns when the gateway has stopped and everything it started has ended.
func (g *Gateway) Wait() error {
	<-g.ctx.Done()
	g.turn <- struct{}{} // a reload gives up when ctx is done, and none begins
	<-g.turn
	g.running.Wait()
	g.hub.Close()
	g.reloading.Lock()
	closeServers(g.servers)
	g.reloading.Unlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	return errors.Join(g.errs...)
}

// Responds returns when the locks that everything else needs could be had: a
// gateway in which one of them is held for good is not alive.
func (g *Gateway) Responds() {
	g.reloading.Lock()
	n := len(g.servers)
	g.reloading.Unlock()
	_, _, _ = n, g.front.Addrs(), g.metrics.Servers()
}
