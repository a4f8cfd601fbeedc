package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"

	"radsec-gw/certs"
	"radsec-gw/config"
	"radsec-gw/web"
)

// output is the log as serve sets it up: the handler that has the level, and
// where its lines go, so that the requests' lines go there too.
type output struct {
	*web.Logs
	to *lineWriter
}

// lineWriter lets one whole write through at a time.
type lineWriter struct {
	mu sync.Mutex // guards w
	w  io.Writer
}

func (l *lineWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// newLogger writes to w in the configured form.
func newLogger(c config.Log, w io.Writer) *slog.Logger {
	to := &lineWriter{w: w}
	h := newHandler(to, c.Format == "json") // web.Logs has the level
	return slog.New(&output{Logs: web.NewLogs(h, c.Level), to: to})
}

// outputOf returns the parts of a logger: newLogger's own, or for another's a
// handler in front of it and the process's standard error.
func outputOf(log *slog.Logger) *output {
	if o, ok := log.Handler().(*output); ok {
		return o
	}
	return &output{Logs: web.NewLogs(log.Handler(), slog.LevelDebug), to: &lineWriter{w: os.Stderr}}
}

// obeyLevelSignals lets SIGUSR1 make the log say more, a step each time, and
// SIGUSR2 bring the configured level back. The returned function ends that.
func obeyLevelSignals(log *slog.Logger, configured slog.Level) (end func()) {
	o := outputOf(log)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGUSR2)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			select {
			case sig := <-signals:
				level := configured
				if sig == syscall.SIGUSR1 {
					level = max(slog.LevelDebug, o.Level()-4) // the step between slog's levels
				}
				o.SetLevel(level)
				log.Warn("the log level was changed by a signal", "level", level.String(), "signal", sig.String())
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		signal.Stop(signals)
		cancel()
		running.Wait()
	}
}

// openWeb prepares the HTTP side, whose listener is open then; nil when the
// configuration has no address for it. What answers /metrics is scrape.
func (g *gateway) openWeb(scrape http.Handler) (net.Listener, error) {
	m := &g.cfg.Metrics
	info, _ := debug.ReadBuildInfo()
	v, commit := buildVersion(version, info)
	g.metrics.BuildInfo(v, commit, runtime.Version())
	if m.Address == "" {
		return nil, nil
	}
	var pair tls.Certificate
	if m.Certificate != "" {
		var err error
		if pair, err = certs.LoadPair(m.Certificate, m.PrivateKey); err != nil {
			return nil, config.Mistakes{g.cfg.MistakeAt("metrics.certificate", err.Error())}
		}
	}
	l, err := net.Listen("tcp", m.Address)
	if err != nil {
		return nil, fmt.Errorf("[metrics].address: cannot listen on %q: %w; is another program using the port? \"\" switches metrics off", m.Address, err)
	}
	g.webAddr = l.Addr().(*net.TCPAddr).AddrPort()
	if m.Certificate != "" {
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
	}
	g.web = web.New(web.Config{
		Metrics: g.metrics, Scrape: scrape, Routes: g.routes, Serving: g.whyNotServing,
		Logs: g.logs.Logs, Token: m.Token.Octets(), PProf: m.PProf, Version: v, Commit: commit,
	})
	return l, nil
}

// whyNotServing says why no more connections are taken; "" when they are.
func (g *gateway) whyNotServing() string {
	if g.Draining() {
		return "draining: the gateway is about to stop"
	}
	return ""
}

// routes are those in force, as the status page shows them.
func (g *gateway) routes() []web.Route {
	g.reloading.Lock()
	defer g.reloading.Unlock()
	var list []web.Route
	for i := range g.cfg.Routes {
		r := &g.cfg.Routes[i]
		list = append(list, web.Route{Realms: r.Realms, Packets: r.Packets, Servers: r.Servers, Balance: r.Balance})
	}
	return list
}

// noteCertificates says when the gateway's own certificate and the first of its
// client CAs end.
func (g *gateway) noteCertificates(m *material) {
	if m.pair.Leaf != nil {
		g.metrics.SetCertificate("server", m.pair.Leaf.NotAfter)
	}
	if len(m.cas) == 0 {
		return
	}
	first := m.cas[0].NotAfter
	for _, ca := range m.cas[1:] {
		if ca.NotAfter.Before(first) {
			first = ca.NotAfter
		}
	}
	g.metrics.SetCertificate("client_ca", first)
}
