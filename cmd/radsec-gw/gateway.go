package main

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
	"radsec-gw/config"
	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/relay"
	"radsec-gw/tlsfront"
	"radsec-gw/udpback"
	"radsec-gw/web"
)

// gateway is the running whole: RadSec in front, UDP behind, metrics beside.
type gateway struct {
	// static after construction
	log     *slog.Logger
	logs    *logs.Log
	hub     *audit.Hub
	metrics *metrics.Metrics
	reloads *metrics.Reloads
	back    *udpback.Back
	entry   *relay.Gateway
	front   *tlsfront.Server
	addr    netip.AddrPort // the first that RadSec clients connect to
	web     *web.Server
	webAddr netip.AddrPort // invalid when metrics are not served
	ctx     context.Context
	cancel  context.CancelFunc // ends everything at once

	draining atomic.Bool

	reloading sync.Mutex // guards what follows: what is in force
	cfg       *config.Config
	files     prints // of the files that cfg names, when they were last read
	servers   []knownServer
	tidying   bool // a goroutine waits for what tidy has left

	// owned by the goroutines that Wait waits for
	running sync.WaitGroup
	mu      sync.Mutex // guards errs
	errs    []error
}

// startGateway opens the listeners that cfg names, unless it is given some, and
// serves until ctx ends. Nothing is left open when it fails, but for the given
// listeners.
func startGateway(ctx context.Context, cfg *config.Config, log *slog.Logger, given ...net.Listener) (*gateway, error) {
	reg := prometheus.NewRegistry()
	m := metrics.New(reg)
	to := logs.Of(log)
	m.Logs("stderr", to.Output())
	log = slog.New(to)
	g := &gateway{log: log, logs: to, metrics: m, reloads: metrics.NewReloads(reg), back: udpback.New(m, log), cfg: cfg}
	var webListener net.Listener
	listeners, err := g.assemble(given)
	if err == nil {
		webListener, err = g.openWeb(m.Handler(reg))
	}
	if err != nil {
		closeAll(listeners)
		closeServers(g.servers)
		g.hub.Close()
		return nil, err
	}
	g.addr = listeners[0].Addr().(*net.TCPAddr).AddrPort()
	g.ctx, g.cancel = context.WithCancel(ctx)
	g.running.Go(func() {
		defer g.cancel()
		g.failed(g.front.Serve(g.ctx))
	})
	if webListener != nil {
		g.running.Go(func() { g.failed(g.web.Serve(g.ctx, webListener)) })
	}
	if l := g.openTap(); l != nil {
		g.running.Go(func() { g.failed(g.hub.ServeTaps(g.ctx, l)) })
	}
	g.running.Go(g.watchFiles)
	g.reloads.Loaded(time.Now())
	log.Info("serving", "radsec", g.addr.String(), "metrics", g.servedAt(), "clients", len(cfg.Clients), "servers", len(cfg.Servers), "routes", len(cfg.Routes))
	return g, nil
}

// assemble makes the parts from the configuration and puts them together. The
// listeners that it returns are open, also beside an error.
func (g *gateway) assemble(listeners []net.Listener) ([]net.Listener, error) {
	files, mistakes := loadMaterial(g.cfg)
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	g.files = files.files
	g.noteCertificates(files)
	front, err := buildFront(g.cfg, files, g.metrics)
	if err != nil {
		return nil, err
	}
	g.hub = audit.New(g.hubConfig(&g.cfg.Log))
	var rules *relay.Rules
	if g.servers, rules, err = buildRules(g.cfg, g.back, g.metrics, nil); err != nil {
		g.servers = nil
		return nil, err
	}
	g.entry = relay.New(g.back, rules, g.metrics, g.hub, g.log)
	if len(listeners) == 0 {
		if listeners, err = openListeners(g.cfg); err != nil {
			return nil, err
		}
	}
	front.Listeners, front.Log = listeners, g.log
	front.Open = func(s *tlsfront.Session) tlsfront.Handler { return g.entry.Open(policyOf(s), s, s.RemoteAddr()) }
	front.Changed = func(s *tlsfront.Session, h tlsfront.Handler) { h.(*relay.Link).SetClient(policyOf(s)) }
	g.front, err = tlsfront.New(front)
	return listeners, err
}

func (g *gateway) failed(err error) {
	if err == nil {
		return
	}
	g.mu.Lock()
	g.errs = append(g.errs, err)
	g.mu.Unlock()
}

// Addr is the first address that RadSec clients can connect to.
func (g *gateway) Addr() netip.AddrPort { return g.addr }

// MetricsAddr is where /metrics is served; invalid when it is not.
func (g *gateway) MetricsAddr() netip.AddrPort { return g.webAddr }

// servedAt is MetricsAddr in words.
func (g *gateway) servedAt() string {
	if !g.webAddr.IsValid() {
		return "not served"
	}
	return g.webAddr.String()
}

// Draining reports whether the gateway is about to stop: it is not ready for
// more connections.
func (g *gateway) Draining() bool { return g.draining.Load() }

// Drain stops in order: readiness goes down first, then connections are closed
// as they have nothing outstanding, for as long as drain_timeout allows. It
// returns at once; Wait returns after it is done.
func (g *gateway) Drain() {
	if g.draining.Swap(true) {
		return
	}
	g.reloading.Lock()
	timeout := g.cfg.Listen.DrainTimeout
	g.reloading.Unlock()
	g.log.Info("draining", "timeout", timeout)
	g.running.Go(func() {
		defer g.cancel()
		ctx, cancel := context.WithTimeout(g.ctx, timeout)
		defer cancel()
		g.front.Drain(ctx)
	})
}

// Wait returns when the gateway has stopped and everything it started has ended.
func (g *gateway) Wait() error {
	g.running.Wait()
	g.hub.Close()
	g.reloading.Lock()
	closeServers(g.servers)
	g.reloading.Unlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	return errors.Join(g.errs...)
}
