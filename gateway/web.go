package gateway

import (
	"fmt"
	"net"
	"net/http"
	"runtime"
	"slices"
	"time"

	"radsec-gw/identity"
	"radsec-gw/logs"
	"radsec-gw/web"
)

// openWeb makes the HTTP server. scrape answers its requests for /metrics.
func (g *Gateway) openWeb(scrape http.Handler, first *generation, o *Options) {
	g.metrics.BuildInfo(o.Version, o.Commit, runtime.Version())
	g.web = web.New(web.Config{
		Metrics: g.metrics, Scrape: scrape, Routes: g.routes, NotServing: g.notServing, Notices: g.staleLists, Certificate: g.pageCertificate,
		Maintenance: g.maintenance, SetMaintenance: g.setMaintenance,
		Logs: g.logs, Version: o.Version, Commit: o.Commit, MaxConnections: first.Descriptors.http, MaxWaiting: first.Descriptors.httpWaiting, Settings: webSettings(first.Plan),
	})
}

// webSettings returns the settings of the HTTP side that a reload can change.
func webSettings(p *Plan) web.Settings {
	m := &p.Config.Metrics
	hosts := slices.Clone(m.Hosts)
	if host, _, err := net.SplitHostPort(m.Address); err == nil && host != "" {
		hosts = append(hosts, host)
	}
	return web.Settings{Token: m.Token.Bytes(), Hosts: hosts, PProf: m.PProf, Certificate: p.files.web}
}

// routes returns the current routes for the status page.
func (g *Gateway) routes() []web.Route {
	cfg := g.current.Load().Config
	var list []web.Route
	for i := range cfg.Routes {
		r := &cfg.Routes[i]
		list = append(list, web.Route{Realms: slices.Concat(r.Realms, r.Operators), Packets: r.Packets, Servers: r.Servers, Balance: r.Balance})
	}
	return list
}

// maintenance returns what is asked for of a server, for web.
func (g *Gateway) maintenance(name string) (web.Maintenance, bool) {
	st, ok := g.back.Maintenance(name)
	m := web.Maintenance{Server: name, Maintenance: st.On, Configured: st.Configured, Ports: map[string]string{}}
	if o := st.Order; o != nil {
		m.Ordered, m.Since = "off", &o.Since
		if o.On {
			m.Ordered = "on"
		}
	}
	for port, state := range st.Ports {
		m.Ports[port] = state.String()
	}
	return m, ok
}

// setMaintenance orders maintenance of a server, or its end; with nil it removes the order.
func (g *Gateway) setMaintenance(name string, on *bool) error {
	if on == nil {
		return g.back.ResetMaintenance(name)
	}
	return g.back.SetMaintenance(name, *on)
}

// pageCertificate returns what the status page shows of the current certificate.
func (g *Gateway) pageCertificate() web.Certificate {
	m := g.current.Load().files
	c := web.Certificate{Subject: m.pair.Leaf.Subject.String(), NotAfter: identity.EarliestExpiry(m.chain())}
	for _, f := range m.findings(time.Now()) {
		if f.Severity > identity.Notable {
			c.Findings = append(c.Findings, f.Text)
		}
	}
	return c
}

// maxNotices bounds how many revocation lists the status page names.
const maxNotices = 20

// staleLists says for each revocation list that is out of date what effect that has on
// clients.
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
