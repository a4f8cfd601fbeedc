package gateway

import (
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"time"

	"radsec-gw/identity"
	"radsec-gw/logs"
	"radsec-gw/web"
)

// openWeb puts the HTTP side together. What answers /metrics is scrape.
func (g *Gateway) openWeb(scrape http.Handler, now *inForce, b Build) {
	g.metrics.BuildInfo(b.Version, b.Commit, runtime.Version())
	g.web = web.New(web.Config{
		Metrics: g.metrics, Scrape: scrape, Routes: g.routes, Serving: g.whyNotServing, Notices: g.staleLists, Certificate: g.ownForPage,
		Logs: g.logs, Version: b.Version, Commit: b.Commit, MaxConnections: now.http, Settings: webSettings(now.Plan),
	})
}

// webSettings is what may change of the HTTP side.
func webSettings(p *Plan) web.Settings {
	return web.Settings{Token: p.Config.Metrics.Token.Octets(), PProf: p.Config.Metrics.PProf, Certificate: p.files.web}
}

// routes are those in force, as the status page shows them.
func (g *Gateway) routes() []web.Route {
	cfg := g.now.Load().Config
	var list []web.Route
	for i := range cfg.Routes {
		r := &cfg.Routes[i]
		list = append(list, web.Route{Realms: slices.Concat(r.Realms, r.Operators), Packets: r.Packets, Servers: r.Servers, Balance: r.Balance})
	}
	return list
}

// ownForPage is what the status page shows of the certificate in force.
func (g *Gateway) ownForPage() web.Certificate {
	m := g.now.Load().files
	c := web.Certificate{Subject: m.pair.Leaf.Subject.String(), NotAfter: identity.EarliestExpiry(m.chain())}
	for _, f := range m.own(time.Now()) {
		if f.Severity > identity.Notable {
			c.Findings = append(c.Findings, f.Text)
		}
	}
	return c
}

// maxNotices bounds the lists that the status page names.
const maxNotices = 20

// staleLists says of each revocation list that is out of date what that does to clients.
func (g *Gateway) staleLists() (notices []string) {
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
