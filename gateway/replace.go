package gateway

import (
	"reflect"
	"slices"
	"time"

	"radsec-gw/config"
	"radsec-gw/relay"
)

// change puts next, which has no mistakes, in force. What it wants to listen on
// is opened before anything else, and what nobody wants any more is closed after
// everything else. Called with the turn.
func (g *Gateway) change(next *Plan) error {
	if g.mayReload.Err() != nil {
		return errStopping
	}
	have := g.now.Load()
	d, err := divide(have.Limit, next.Config)
	if err != nil {
		return err
	}
	want, opened, err := g.openSockets(next.Config, &have.sockets)
	if err != nil {
		return err
	}
	if err := g.replace(&inForce{Plan: next, sockets: want, Descriptors: d}); err != nil {
		g.closeSockets(&opened)
		return err
	}
	g.serveSockets(&opened)
	g.endSockets(have.without(&want))
	return nil
}

// replace makes everything from next, then swaps. Nothing can fail after the
// first swap.
func (g *Gateway) replace(next *inForce) error {
	g.reloading.Lock()
	defer g.reloading.Unlock()
	defer g.tidy() // also what was made before an error
	now := g.now.Load()
	front, err := buildFront(next.Config, next.files, g.metrics)
	if err != nil {
		return err
	}
	configs, err := buildClients(next.Config, g.metrics)
	if err != nil {
		return err
	}
	clients := takeClients(configs, g.clients)
	g.connect(&front, clients)
	var rules *relay.Rules
	servers := g.servers
	same := sameRules(now.Config, next.Config)
	if !same {
		if servers, rules, err = buildRules(next.Config, g.back, g.metrics, g.marker, g.servers); err != nil {
			return err
		}
	}
	front.MaxDescriptors = next.Connections
	if err := g.front.Update(front); err != nil {
		discard(without(servers, g.servers), g.servers)
		return err
	}
	for i, c := range clients {
		c.Reconfigure(configs[i])
	}
	g.obeyDescriptors(&next.Descriptors)
	g.front.SetListeners(next.radsec)
	g.web.Change(webSettings(next.Plan))
	g.logs.Configure(logConfig(&next.Config.Log))
	g.hub.Configure(g.hubConfig(&next.Config.Log))
	if !same {
		reconfigure(servers, g.servers)
		g.entry.SetRules(rules)
		g.retire(without(g.servers, servers))
		announce(servers)
	}
	g.noteCertificates(next.files)
	g.warn(now, next)
	g.servers, g.clients = servers, clients
	g.now.Store(next)
	g.looks.change(next.Config.Listen.ReloadInterval)
	return nil
}

// sameRules reports whether what lies behind the front is the same in both: then
// it is left alone.
func sameRules(now, next *config.Config) bool {
	return reflect.DeepEqual(now.Servers, next.Servers) && reflect.DeepEqual(now.Routes, next.Routes) && reflect.DeepEqual(now.Routing, next.Routing)
}

// retire closes servers that are in no group any more, after the last request
// that may be at one of them has been answered or given up.
func (g *Gateway) retire(servers []knownServer) {
	if len(servers) == 0 {
		return
	}
	for _, s := range servers {
		s.server.Retire()
	}
	longest := time.Duration(0)
	for _, s := range g.servers { // a request that moves on keeps the deadline of its first server
		longest = max(longest, s.config.RetransmitDuration)
	}
	g.running.Go(func() {
		t := time.NewTimer(longest + time.Second)
		defer t.Stop()
		select {
		case <-t.C:
			closeServers(servers)
		case <-g.ctx.Done(): // Wait closes them, after the connections have ended
			g.reloading.Lock()
			g.servers = append(g.servers, servers...)
			g.reloading.Unlock()
		}
	})
}

// warn logs what deserves a second look, and what a reload cannot change.
func (g *Gateway) warn(now, next *inForce) {
	if next.Config != now.Config {
		for _, w := range next.Config.Warnings() {
			g.log.Warn(w)
		}
		if w := next.Warning(next.Config); w != "" && w != now.Warning(now.Config) {
			g.log.Warn(w)
		}
		if g.inherited && !slices.Equal(now.Config.Listen.Address, next.Config.Listen.Address) {
			g.log.Warn("listen.address has changed and has no effect: systemd passed the sockets when it started the gateway; change ListenStream= of the socket unit")
		}
	}
	g.tellOwn(next.Plan, time.Now())
	g.warnOfFiles(next.Plan, time.Now())
	for _, l := range lost(now.files, next.files) {
		g.log.Warn(l.text, l.attrs...)
	}
}

// warnOfFiles logs what is odd about the certificates and lists that p goes by, as
// check prints it.
func (g *Gateway) warnOfFiles(p *Plan, now time.Time) {
	for _, w := range p.files.warnings(p.Config, now) {
		g.log.Warn(w)
	}
}
