package gateway

import (
	"time"

	"radsec-gw/metrics"
)

// tidyTick is how often a gateway looks whether the last exchange of a server, or
// the last connection of a client, that a reload has removed has ended.
const tidyTick = 200 * time.Millisecond

// tidy takes the series of what is configured no more out of the metrics, and
// sees to it that what cannot go yet goes later. Called with reloading held.
func (g *Gateway) tidy() {
	if g.forgetGone() == 0 || g.tidying {
		return
	}
	g.tidying = true
	g.running.Go(func() {
		t := time.NewTicker(tidyTick)
		defer t.Stop()
		for {
			select {
			case <-t.C:
			case <-g.ctx.Done():
				return
			}
			g.reloading.Lock()
			g.tidying = g.forgetGone() > 0
			done := !g.tidying
			g.reloading.Unlock()
			if done {
				return
			}
		}
	})
}

// forgetGone removes routes at once, servers that have no exchange, and clients
// that have no connection, unless they are configured; it returns how many of
// these are left. A reload looks the handles of its clients up before it puts
// them in force: reloading is held from then to there, and here.
func (g *Gateway) forgetGone() (left int) {
	cfg := g.now.Load().Config
	g.metrics.KeepRoutes(routeLabels(cfg.Routes))

	type end struct {
		server string
		port   metrics.Port
	}
	ends := map[end]bool{}
	for i := range g.servers {
		c := &g.servers[i].config
		ends[end{c.Name, metrics.PortAuth}] = c.AuthPort != 0
		ends[end{c.Name, metrics.PortAcct}] = c.AcctPort != 0
		ends[end{c.Name, metrics.PortCoA}] = c.CoAPort != 0
	}
	left = g.metrics.KeepServers(func(server string, port metrics.Port) bool {
		// Names of addresses come and go at any time.
		return ends[end{metrics.ServerOf(server), port}] && g.back.Counts(server)
	})

	clients := map[string]bool{}
	for _, name := range g.front.ForgetClients() {
		clients[name] = true
		left++
	}
	for i := range cfg.Clients {
		clients[cfg.Clients[i].Name] = true
	}
	return left + g.metrics.KeepClients(func(name string) bool { return clients[name] })
}
