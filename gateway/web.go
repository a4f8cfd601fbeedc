package gateway

import (
	"net"
	"net/http"
	"runtime"
	"slices"

	"radsec-gw/config"
	"radsec-gw/metrics"
	"radsec-gw/web"
)

// openWeb makes the HTTP server. scrape answers its requests for /metrics.
func (g *Gateway) openWeb(scrape http.Handler, first *generation, o *Options) {
	g.metrics.BuildInfo(o.Version, o.Commit, runtime.Version())
	assembler := &assembler{g: g}
	g.web = web.New(web.Config{
		Metrics: g.metrics, Scrape: scrape, Routes: g.routes, NotServing: g.notServing,
		Maintenance: g.maintenance, SetMaintenance: g.setMaintenance,
		Snapshot: assembler.snapshot, Counters: newRefusalCounts(g).all,
		Logs: g.logs, Version: o.Version, Commit: o.Commit, MaxConnections: first.Descriptors.http, MaxWaiting: first.Descriptors.httpWaiting, Settings: webSettings(first.Plan),
	})
	g.metrics.Routes(g.web.RouteStates)
}

// webSettings returns the settings of the HTTP side that a reload can change.
func webSettings(p *Plan) web.Settings {
	m := &p.Config.Metrics
	hosts := slices.Clone(m.Hosts)
	if host, _, err := net.SplitHostPort(m.Address); err == nil && host != "" {
		hosts = append(hosts, host)
	}
	return web.Settings{Token: m.Token.Bytes(), Hosts: hosts, PProf: m.PProf, Certificate: p.files.web.pair, Suites: config.AEADSuites(), AllRoutes: m.ReadyWhen == config.ReadyAll}
}

// routes returns the current routes for /readyz. The caller must not change them.
func (g *Gateway) routes() []web.Route { return g.current.Load().routes }

// webRoutes returns the routes as /readyz and the metrics need them. One without servers
// refuses its requests on purpose, and one whose requests are all answered here needs none:
// they are not among them.
func webRoutes(cfg *config.Config) (list []web.Route) {
	labels := routeLabels(cfg.Routes)
	unchecked := uncheckedPorts(cfg)
	for i := range cfg.Routes {
		r := &cfg.Routes[i]
		if len(r.Servers) == 0 || len(r.Forwarded()) == 0 {
			continue
		}
		one := web.Route{Realms: slices.Concat(r.Realms, r.Operators), Packets: r.Forwarded(), Servers: r.Servers, Balance: r.Balance, Ignored: !r.Ready, Unchecked: unchecked}
		if labels != nil {
			one.Label = labels[i]
		} else {
			one.Label = numberedLabel(r, i)
		}
		list = append(list, one)
	}
	return list
}

// uncheckedPorts returns the ports of each server that are never checked.
func uncheckedPorts(cfg *config.Config) map[string][]metrics.Port {
	all := map[string][]metrics.Port{}
	for i := range cfg.Servers {
		s := &cfg.Servers[i]
		for _, port := range metrics.Ports {
			if ProbeOf(s, port) == "" {
				all[s.Name] = append(all[s.Name], port)
			}
		}
	}
	return all
}

// maintenance returns what is asked for of a server, for web.
func (g *Gateway) maintenance(name string) (web.Maintenance, bool) {
	st, ok := g.back.Maintenance(name)
	m := web.Maintenance{Server: st.Name, Maintenance: st.On, Configured: st.Configured, Absent: st.Absent, Ports: map[string]string{}}
	if o := st.Order; o != nil {
		m.Ordered, m.Since = orderedText(o.On), &o.Since
	}
	for _, o := range st.Addresses {
		m.Addresses = append(m.Addresses, web.MaintenanceOfAddress{Server: o.Label, Ordered: orderedText(o.On), Since: o.Since, Absent: o.Absent})
	}
	for port, state := range st.Ports {
		m.Ports[port] = state.String()
	}
	return m, ok
}

// orderedText returns the word for an order.
func orderedText(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// setMaintenance orders maintenance of a server, or its end; with nil it removes the order.
func (g *Gateway) setMaintenance(name string, on *bool) error {
	if on == nil {
		return g.back.ResetMaintenance(name)
	}
	return g.back.SetMaintenance(name, *on)
}
