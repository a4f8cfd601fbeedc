package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"

	"radsec-gw/certs"
	"radsec-gw/config"
	"radsec-gw/web"
)

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
		Logs: g.logs, Token: m.Token.Octets(), PProf: m.PProf, Version: v, Commit: commit,
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
