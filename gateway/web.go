package gateway

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"radsec-gw/config"
	"radsec-gw/identity"
	"radsec-gw/logs"
	"radsec-gw/metrics"
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

// whyNotServing says why no more connections are taken, or every client refuses to go
// on with them; "" when they are.
func (g *Gateway) whyNotServing() string {
	if g.Draining() {
		return "draining: the gateway is about to stop"
	}
	if stale, all := g.front.StaleLists(); all {
		stale = slices.DeleteFunc(stale, func(l identity.StaleList) bool { return !l.Refused })
		return fmt.Sprintf("crl_stale is \"refuse\", and the revocation lists of these issuers are out of date; no client can be accepted: %s", identity.Few(stale))
	}
	return g.now.Load().files.refused(time.Now())
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

// noteCertificates says when the first certificate of each file ends.
func (g *Gateway) noteCertificates(m *material) {
	var list []metrics.CertificateFile
	add := func(what, path string, held []*x509.Certificate) {
		if path == "" || len(held) == 0 || slices.ContainsFunc(list, func(c metrics.CertificateFile) bool { return c.For == what && c.File == path }) {
			return
		}
		list = append(list, metrics.CertificateFile{For: what, File: path, Expires: identity.EarliestEnd(held)})
	}
	add("server", m.cfg.Listen.Certificate, m.chain())
	web := material{pair: m.web}
	add("metrics", m.cfg.Metrics.Certificate, web.chain())
	for _, f := range m.issuerFiles {
		what := "ca"
		if table, key, _ := strings.Cut(f.key, "."); table == "listen" {
			what, _, _ = strings.Cut(key, "[")
		}
		add(what, f.path, f.held)
	}
	for i := range list {
		list[i].File = asWritten(m.cfg, list[i].File)
	}
	g.metrics.SetCertificates(list)
}

// asWritten returns the path of a file as the configuration most likely gives it: what
// lies beside the configuration or below it, relative to that.
func asWritten(cfg *config.Config, path string) string {
	if short, err := filepath.Rel(filepath.Dir(cfg.Path), path); err == nil && filepath.IsLocal(short) {
		return short
	}
	return path
}
