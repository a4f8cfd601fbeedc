package gateway

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"time"

	"radsec-gw/config"
	"radsec-gw/files"
	"radsec-gw/relay"
)

// Reload reads the configuration file anew and puts it in force. What has
// mistakes is refused as a whole, and the old stays; the error has the mistakes,
// and the log too. When the gateway is about to stop, a reload is given up.
//
// Connections whose client is still allowed stay up and follow the client's new
// policy, requests in flight finish where they are, servers whose configuration
// is the same keep their sockets and health, addresses that are listened on
// already keep their listeners.
//
// Nothing but another reload waits for the files that are read here.
func (g *Gateway) Reload() error {
	g.back.Refresh() // whatever the file says: something around the gateway has changed
	if err := g.takeTurn(); err != nil {
		return err
	}
	defer func() { <-g.turn }()
	g.lastMistakes = "" // who asks is told, also what the watcher has found before
	return g.reloadAll(g.reader.Snapshot(g.mayReload), true, time.Now())
}

// reloadAll is Reload through from. Unless it was asked for, a certificate that clients
// take stays beside a new one that they refuse. Called with the turn.
func (g *Gateway) reloadAll(from *files.Snapshot, asked bool, at time.Time) error {
	next, err := loadFrom(from, g.now.Load().Config.Path, g.reader)
	g.refused = nil
	if err != nil {
		g.refused = from.Sums()
		return g.noteReload("configuration", err)
	}
	before := g.now.Load()
	var kept *material
	var why error
	if !asked {
		kept, why = g.keepBetter(before, next.files, at)
	}
	if err = g.change(next); err == nil { // else the next look at the files finds what has changed
		g.read = next.files.sums
		g.setKept(kept)
		g.noteWorse(before.Plan, next)
		err = why
	}
	return g.noteReload("configuration", err)
}

// worthAnotherTry reports whether a reload of everything was refused, and a file that
// the configuration names is not now what it was then: it was half written, or one
// of a pair. The configuration itself must be as it was, for it may be half edited:
// who edits it reloads again.
func (g *Gateway) worthAnotherTry(from *files.Snapshot) bool {
	if g.refused == nil {
		return false
	}
	path := g.now.Load().Config.Path
	again := g.refused.Again(from)
	return !from.Stuck() && g.mayReload.Err() == nil && again[path] == g.refused[path] && !maps.Equal(again, g.refused)
}

var errStopping = errors.New("the gateway is about to stop")

// takeTurn waits until no other reload runs. The caller gives the turn back.
func (g *Gateway) takeTurn() error {
	select {
	case g.turn <- struct{}{}:
	case <-g.mayReload.Done():
		return errStopping
	}
	if g.mayReload.Err() != nil {
		<-g.turn
		return errStopping
	}
	return nil
}

// reloadFiles reads the certificates and lists anew, by the configuration in
// force: the file that holds it may be half edited. What does not parse, such as a
// file that is being written, changes nothing and is read again at each look until
// it does.
func (g *Gateway) reloadFiles() error { return g.reloadFilesAt(time.Now()) }

// reloadFilesAt is reloadFiles with the time by which certificates are looked at.
func (g *Gateway) reloadFilesAt(at time.Time) error {
	if err := g.takeTurn(); err != nil {
		return err
	}
	defer func() { <-g.turn }()
	now := g.now.Load()
	if from := g.reader.Snapshot(g.mayReload); g.worthAnotherTry(from) {
		return g.reloadAll(from, false, at)
	}
	from := g.reader.Snapshot(g.mayReload)
	read := sumFiles(now.Config, from)
	if maps.Equal(read, g.read) && !g.keptIsGood(now, at) || g.mayReload.Err() != nil {
		return nil
	}
	g.read = read // not to be tried again before it changes again
	m, mistakes := loadMaterial(now.Config, from)
	if len(mistakes) > 0 {
		return g.noteReload("certificates", mistakes)
	}
	kept, why := g.keepBetter(now, m, at)
	err := g.change(now.with(m))
	if err == nil {
		g.setKept(kept)
		err = why
	}
	return g.noteReload("certificates", err)
}

// noteReload counts and logs how a reload went: mistakes that stay the same while a
// file is being written only once. Called with the turn.
func (g *Gateway) noteReload(what string, err error) error {
	if g.mayReload.Err() != nil && err != nil {
		g.log.Info("reload given up, the gateway is about to stop", "what", what)
		return errStopping
	}
	text := "reload refused, what was in force stays"
	switch {
	case err == nil:
		g.lastMistakes = ""
		g.reloads.Taken(time.Now())
		g.log.Info("reloaded", "what", what)
		return nil
	case errors.As(err, new(keptError)):
		g.reloads.Kept(time.Now())
		text = "reloaded without the new certificate"
		g.log.Info(text, "what", what)
	case err.Error() != g.lastMistakes:
		g.reloads.Refused()
	}
	if err.Error() == g.lastMistakes {
		return err
	}
	g.lastMistakes = err.Error()
	mistakes := []error{err}
	var list config.Mistakes
	if errors.As(err, &list) {
		mistakes = nil
		for _, m := range list {
			mistakes = append(mistakes, errors.New(m.String()))
		}
	}
	for _, m := range mistakes {
		g.log.Error(text, "what", what, "mistake", m)
	}
	return err
}

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
