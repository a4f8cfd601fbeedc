package gateway

import (
	"reflect"
	"slices"
	"time"

	"radsec-gw/config"
	"radsec-gw/relay"
)

// replaceParts puts a plan in use. It opens the new sockets before it changes anything, and
// closes those that are no longer wanted after everything has changed. Called with turn
// held.
func (g *Gateway) replaceParts(p *Plan) error {
	if g.reloadCtx.Err() != nil {
		return errStopping
	}
	current := g.current.Load()
	d, err := divide(current.Descriptors.Limit, p.Config)
	if err != nil {
		return err
	}
	if err := checkSources(p.Config); err != nil {
		return err
	}
	want, opened, err := g.openSockets(p.Config, &current.sockets)
	if err != nil {
		return err
	}
	keys, err := g.openKeyLog(p.Config, current)
	if err != nil {
		g.closeSockets(&opened)
		return err
	}
	if err := g.swap(&generation{Plan: p, sockets: want, Descriptors: d, routes: webRoutes(p.Config), keyLog: keys}); err != nil {
		g.closeSockets(&opened)
		closeKeyLog(keys, current.keyLog)
		return err
	}
	closeKeyLog(current.keyLog, keys)
	g.metrics.SetKeyLog(keys != nil)
	g.serveSockets(&opened)
	g.retireFronts(current, g.current.Load())
	unwanted := current.without(&want)
	g.endSockets(unwanted)
	for _, l := range unwanted.dynamic { // what was sent to NASes may still be answered
		l.Retire(g.dynauth.PendingTime())
		g.retired = append(g.retired, l)
	}
	const mostRetired = 64 // those that have closed long ago among them
	g.retired = g.retired[max(0, len(g.retired)-mostRetired):]
	return nil
}

// swap makes all parts of the next generation, then replaces those of the current one.
// Once the first is replaced, nothing can fail.
func (g *Gateway) swap(next *generation) error {
	g.reloading.Lock()
	defer g.reloading.Unlock()
	defer g.removeSeries() // also those that were made before an error
	current := g.current.Load()
	configs, err := buildClients(next.Config, &next.rules, g.metrics)
	if err != nil {
		return err
	}
	clients := reuseClients(configs, g.clients)
	var rules *relay.Rules
	servers := g.servers
	same := sameRules(current.Config, next.Config)
	if !same {
		if servers, rules, err = buildRules(next.Plan, g.back, g.metrics, g.marker, g.servers); err != nil {
			return err
		}
		g.recognizeReplicas(rules)
	}
	if next.reverse, err = buildDynAuth(next.Config, servers); err != nil {
		closeUnused(without(servers, g.servers), g.servers)
		return err
	}
	change, err := g.prepareFronts(next, clients, current.fronts)
	if err != nil {
		closeUnused(without(servers, g.servers), g.servers)
		return err
	}
	change.apply(next)
	next.fronts = change.all
	for i, c := range clients {
		c.Reconfigure(configs[i])
	}
	g.configureDynAuth(next.reverse, clients)
	g.limitDescriptors(next)
	g.web.Change(webSettings(next.Plan))
	g.logs.Configure(next.LogConfig())
	g.hub.Configure(g.hubConfig(&next.Config.Log))
	if !same {
		reconfigure(servers, g.servers)
		g.relay.SetRules(rules)
		g.retireServers(without(g.servers, servers))
		publishStates(servers)
	}
	g.exportExpiry(next.files)
	g.logChanges(current, next)
	g.relay.SetClients(clients)
	if start := g.makeSpool(next.Config); start != nil {
		g.running.Go(start)
	}
	g.servers, g.clients, next.servers = servers, clients, servers
	g.current.Store(next)
	g.announceMarker()
	g.serveFronts(change.added)
	g.poll.setInterval(next.Config.Listen.ReloadInterval)
	return nil
}

// sameRules reports whether two configurations have the same servers, routes, routing
// options and attribute rules, so that none of these need be replaced.
func sameRules(a, b *config.Config) bool {
	return reflect.DeepEqual(a.Servers, b.Servers) && reflect.DeepEqual(a.Routes, b.Routes) && reflect.DeepEqual(a.Routing, b.Routing) && reflect.DeepEqual(a.Rules, b.Rules)
}

// retireServers closes servers that are no longer in any group, when their last request
// must have been answered or given up.
func (g *Gateway) retireServers(servers []configuredServer) {
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

// logChanges logs the warnings about the next generation, what a reload cannot change, and
// what it removes.
func (g *Gateway) logChanges(current, next *generation) {
	if next.Config != current.Config {
		for _, w := range next.Config.Warnings() {
			g.log.Warn(w)
		}
		if w := next.Shortage(next.Config); w != "" && w != current.Shortage(current.Config) {
			g.log.Warn(w)
		}
		if g.inherited && !slices.Equal(current.Config.Listen.Address, next.Config.Listen.Address) {
			g.log.Warn("listen.address has changed and has no effect: systemd passed the sockets when it started the gateway; change ListenStream= of the socket unit")
		}
		if s := g.spool.Load(); s != nil && next.Config.UsesSpool() && s.Directory() != next.Config.Spool.Directory {
			g.log.Warn("spool.directory has changed, which takes effect when the gateway is started again: records that are in the old directory by then stay there", "in_use", s.Directory())
		}
		if s := g.spool.Load(); s != nil && next.Config.UsesSpool() && s.Shared() != (next.Config.Spool.Store == config.SpoolStoreJetStream) {
			g.log.Warn("spool.store has changed, which takes effect when the gateway is started again: records that are in the old store by then stay there; radsec-gw spool export and import bring them over")
		}
		g.logClusterChange(next.Config)
	}
	g.reportCertificate(next.Plan, time.Now())
	if g.reloadBy != byFetch { // lists come often, and have changed nothing else
		g.logFileWarnings(next.Plan, time.Now())
	}
	for _, l := range losses(current.files, next.files) {
		g.log.Warn(l.text, l.attrs...)
	}
}

// logFileWarnings logs what is suspicious about the certificates, the revocation lists and the
// attribute rules of a plan.
func (g *Gateway) logFileWarnings(p *Plan, now time.Time) {
	for _, w := range slices.Concat(p.files.warnings(p.Config, now), p.rules.warnings(p.Config)) {
		g.log.Warn(w)
	}
}
