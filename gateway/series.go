package gateway

import (
	"slices"
	"time"

	"radsec-gw/config"
	"radsec-gw/metrics"
)

// removeInterval is how often a gateway checks whether it can remove the series of a server
// that a reload has removed, because its last request has ended, or of a client, because
// its last connection has ended.
const removeInterval = 200 * time.Millisecond

// removeSeries removes the series of what is no longer configured from the metrics, now or
// as soon as they are no longer used. Called with reloading held.
func (g *Gateway) removeSeries() {
	if g.removeUnused() == 0 || g.removing {
		return
	}
	g.removing = true
	g.running.Go(func() {
		t := time.NewTicker(removeInterval)
		defer t.Stop()
		for {
			select {
			case <-t.C:
			case <-g.ctx.Done():
				return
			}
			g.reloading.Lock()
			g.removing = g.removeUnused() > 0
			done := !g.removing
			g.reloading.Unlock()
			if done {
				return
			}
		}
	})
}

// removeUnused removes the series of routes, of servers that have no request and of
// clients that have no connection, unless they are configured. It returns how many servers
// and clients remain for now. It is called with reloading held, because a reload gets the
// series of its clients from the metrics before these clients are in use.
func (g *Gateway) removeUnused() (remaining int) {
	cfg := g.current.Load().Config
	g.metrics.KeepRoutes(routeLabels(cfg.Routes))

	type serverPort struct {
		server string
		port   metrics.Port
	}
	configured := map[serverPort]bool{}
	for i := range g.servers {
		c := &g.servers[i].config
		configured[serverPort{c.Name, metrics.PortAuth}] = c.AuthPort != 0
		configured[serverPort{c.Name, metrics.PortAcct}] = c.AcctPort != 0
		configured[serverPort{c.Name, metrics.PortCoA}] = c.CoAPort != 0
	}
	remaining = g.metrics.KeepServers(func(server string, port metrics.Port) bool {
		// The addresses of an expanded name change at any time.
		return configured[serverPort{metrics.ServerOf(server), port}] && g.back.InUse(server)
	})

	clients := map[string]bool{}
	configuredClient := func(name string) bool {
		return slices.ContainsFunc(cfg.Clients, func(c config.Client) bool { return c.Name == name })
	}
	for _, name := range g.shared.Remove(configuredClient) {
		clients[name] = true
		remaining++
	}
	for i := range cfg.Clients {
		clients[cfg.Clients[i].Name] = true
	}
	return remaining + g.metrics.KeepClients(func(name string) bool { return clients[name] })
}
