package main

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"radsec-gw/config"
	"radsec-gw/relay"
)

// Reload reads the configuration file anew and puts it in force. What has
// mistakes is refused as a whole, and the old stays; the error has the mistakes,
// and the log too.
//
// Connections whose client is still allowed stay up and follow the client's new
// policy, requests in flight finish where they are, servers whose configuration
// is the same keep their sockets and health.
func (g *gateway) Reload() error {
	g.back.Refresh() // whatever the file says: something around the gateway has changed
	g.reloading.Lock()
	defer g.reloading.Unlock()
	next, read, err := readConfig(g.cfg.Path)
	if err == nil {
		err = g.replace(next, read)
	}
	return g.noteReload("configuration", err)
}

// reloadFiles reads the certificates and lists anew, by the configuration in
// force: the file that holds it may be half edited.
func (g *gateway) reloadFiles() error {
	g.reloading.Lock()
	defer g.reloading.Unlock()
	if maps.Equal(printsOf(&g.cfg.Listen), g.files) {
		return nil
	}
	read, mistakes := loadMaterial(g.cfg)
	g.files = read.files // not to be tried again before it changes again
	if len(mistakes) > 0 {
		return g.noteReload("certificates", mistakes)
	}
	return g.noteReload("certificates", g.replace(g.cfg, read))
}

// noteReload counts and logs how a reload went.
func (g *gateway) noteReload(what string, err error) error {
	if err == nil {
		g.reloads.Taken(time.Now())
		g.log.Info("reloaded", "what", what)
		return nil
	}
	g.reloads.Refused()
	mistakes := []error{err}
	var list config.Mistakes
	if errors.As(err, &list) {
		mistakes = nil
		for _, m := range list {
			mistakes = append(mistakes, errors.New(m.String()))
		}
	}
	for _, m := range mistakes {
		g.log.Error("reload refused, what was in force stays", "what", what, "mistake", m)
	}
	return err
}

// replace makes everything from next, which has no mistakes, then swaps. Nothing
// can fail after the first swap. Called with reloading held.
func (g *gateway) replace(next *config.Config, read *material) error {
	defer g.tidy() // also what was made before an error
	front, err := buildFront(next, read, g.metrics)
	if err != nil {
		return err
	}
	var rules *relay.Rules
	servers := g.servers
	same := g.sameRules(next)
	if !same {
		if servers, rules, err = buildRules(next, g.back, g.metrics, g.servers); err != nil {
			return err
		}
	}
	if err := g.front.Update(front); err != nil {
		discard(without(servers, g.servers), g.servers)
		return err
	}
	if !same {
		reconfigure(servers, g.servers)
		g.entry.SetRules(rules)
		g.retire(without(g.servers, servers))
		announce(servers)
	}
	g.noteCertificates(read)
	g.warn(next, read)
	g.cfg, g.files, g.servers = next, read.files, servers
	return nil
}

// sameRules tells whether what lies behind the front is as it was: then it is
// left alone.
func (g *gateway) sameRules(next *config.Config) bool {
	return reflect.DeepEqual(g.cfg.Servers, next.Servers) && reflect.DeepEqual(g.cfg.Routes, next.Routes) && g.cfg.Routing == next.Routing
}

// retire closes servers that are in no group any more, after the last request
// that may be at one of them has been answered or given up.
func (g *gateway) retire(servers []knownServer) {
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
func (g *gateway) warn(next *config.Config, read *material) {
	if next != g.cfg {
		for _, w := range next.Warnings() {
			g.log.Warn(w)
		}
	}
	for _, w := range read.warnings(next, time.Now()) {
		g.log.Warn(w)
	}
	for key, changed := range map[string]bool{
		"listen.address":        !slices.Equal(g.cfg.Listen.Address, next.Listen.Address),
		"listen.max_handshakes": g.cfg.Listen.MaxHandshakes != next.Listen.MaxHandshakes,
		"metrics":               g.cfg.Metrics != next.Metrics,
		"log":                   g.cfg.Log != next.Log,
		"tap":                   g.cfg.Tap != next.Tap,
	} {
		if changed {
			g.log.Warn(fmt.Sprintf("%s has changed: it takes effect at the next start, not now", key))
		}
	}
}

// watchFiles looks at the files that [listen] names, every reload_interval.
func (g *gateway) watchFiles() {
	const whenOff = 10 * time.Second // a reload may switch it on
	for {
		g.reloading.Lock()
		interval := g.cfg.Listen.ReloadInterval
		g.reloading.Unlock()
		t := time.NewTimer(interval)
		if interval == 0 {
			t.Reset(whenOff)
		}
		select {
		case <-g.ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		if interval > 0 {
			_ = g.reloadFiles() // logged and counted
		}
	}
}
