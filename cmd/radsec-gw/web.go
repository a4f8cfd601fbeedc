package main

import (
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"radsec-gw/identity"
	"radsec-gw/logs"
	"radsec-gw/web"
)

// openWeb puts the HTTP side together. What answers /metrics is scrape.
func (g *gateway) openWeb(scrape http.Handler, now *inForce) {
	info, _ := debug.ReadBuildInfo()
	v, commit := buildVersion(version, info)
	g.metrics.BuildInfo(v, commit, runtime.Version())
	g.web = web.New(web.Config{
		Metrics: g.metrics, Scrape: scrape, Routes: g.routes, Serving: g.whyNotServing, Notices: g.staleLists, Certificate: g.ownForPage,
		Logs: g.logs, Version: v, Commit: commit, MaxConnections: now.http, Settings: webSettings(now.plan),
	})
}

// webSettings is what may change of the HTTP side.
func webSettings(p *plan) web.Settings {
	return web.Settings{Token: p.cfg.Metrics.Token.Octets(), PProf: p.cfg.Metrics.PProf, Certificate: p.files.web}
}

// whyNotServing says why no more connections are taken, or every client refuses to go
// on with them; "" when they are.
func (g *gateway) whyNotServing() string {
	if g.Draining() {
		return "draining: the gateway is about to stop"
	}
	if stale, all := g.front.StaleLists(); all {
		return fmt.Sprintf("crl_stale is \"refuse\", and the revocation lists of these issuers are out of date, so that every client is refused: %s", identity.Few(stale))
	}
	return g.now.Load().files.refused(time.Now())
}

// maxNotices bounds the lists that the status page names.
const maxNotices = 20

// staleLists says of each revocation list that is out of date what that does to clients.
func (g *gateway) staleLists() (notices []string) {
	list, _ := g.front.StaleLists()
	for _, l := range list[:min(len(list), maxNotices)] {
		effect := "it still counts"
		if l.Refused {
			effect = "certificates that it has issued are refused (crl_stale)"
		}
		notices = append(notices, fmt.Sprintf("the revocation list of %s has been out of date since %s: %s", logs.Clip(l.Issuer), l.NextUpdate.UTC().Format(time.DateTime), effect))
	}
	if n := len(list) - len(notices); n > 0 {
		notices = append(notices, fmt.Sprintf("%d more revocation lists are out of date", n))
	}
	return notices
}

// routes are those in force, as the status page shows them.
func (g *gateway) routes() []web.Route {
	cfg := g.now.Load().cfg
	var list []web.Route
	for i := range cfg.Routes {
		r := &cfg.Routes[i]
		list = append(list, web.Route{Realms: slices.Concat(r.Realms, r.Operators), Packets: r.Packets, Servers: r.Servers, Balance: r.Balance})
	}
	return list
}

// noteCertificates says when the first certificate of the gateway's own chain and the
// first of its client CAs end.
func (g *gateway) noteCertificates(m *material) {
	if m.pair.Leaf != nil {
		g.metrics.SetCertificate("server", identity.EarliestEnd(m.chain()))
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
