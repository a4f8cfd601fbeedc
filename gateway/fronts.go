package gateway

import (
	"context"
	"slices"
	"sync"

	"radsec-gw/identity"
	"radsec-gw/relay"
	"radsec-gw/sessions"
	"radsec-gw/tlsfront"
)

// front is a running listener: [listen] or a [[listener]].
type front struct {
	name   string
	server *tlsfront.Server
	ctx    context.Context
	stop   context.CancelFunc // ends it immediately
}

// fronts are all of a generation, [listen] first. They are immutable.
type fronts []*front

// named returns the front with a name; nil if there is none.
func (list fronts) named(name string) *front {
	if i := slices.IndexFunc(list, func(f *front) bool { return f.name == name }); i >= 0 {
		return list[i]
	}
	return nil
}

// frontChange is what a reload does to the fronts.
type frontChange struct {
	all     fronts             // of the next generation
	changes []*tlsfront.Change // of those that stay
	added   fronts
}

// prepareFronts makes the fronts of a generation, or changes of those that are running, which
// are not applied yet.
func (g *Gateway) prepareFronts(next *generation, clients []*relay.Client, running fronts) (_ *frontChange, err error) {
	change := &frontChange{}
	defer func() {
		if err != nil {
			for _, f := range change.added {
				f.stop()
			}
		}
	}()
	configs, err := buildFronts(next.Config, next.files, g.metrics, &next.Descriptors)
	if err != nil {
		return nil, err
	}
	for i := range configs {
		cfg := &configs[i]
		cfg.Shared, cfg.KeyLog, cfg.Log = g.shared, next.keyLog, g.log
		cfg.Listeners, cfg.Fetched = next.radsec[i].listeners, g.fetchedFor(next.files.fronts[i])
		if i > 0 {
			cfg.Log = g.log.With("listener", cfg.Name)
		}
		g.connect(cfg, clients)
		f := running.named(cfg.Name)
		if f == nil {
			if f, err = g.newFront(cfg); err != nil {
				return nil, err
			}
			change.added = append(change.added, f)
		} else {
			var c *tlsfront.Change
			if c, err = f.server.Prepare(*cfg); err != nil {
				return nil, err
			}
			change.changes = append(change.changes, c)
		}
		change.all = append(change.all, f)
	}
	return change, nil
}

// newFront makes a front, which does not serve yet.
func (g *Gateway) newFront(cfg *tlsfront.Config) (*front, error) {
	server, err := tlsfront.New(*cfg)
	if err != nil {
		return nil, err
	}
	f := &front{name: cfg.Name, server: server}
	f.ctx, f.stop = context.WithCancel(g.ctx)
	return f, nil
}

// connect makes the relay the handler of the connections of each client.
func (g *Gateway) connect(cfg *tlsfront.Config, clients []*relay.Client) {
	for _, one := range cfg.Clients {
		i := slices.IndexFunc(clients, func(c *relay.Client) bool { return c.Config().Name == one.Name })
		one.Open = func(s sessions.Conn) sessions.Handler {
			return g.relay.Open(clients[i], s, s.RemoteAddr(), originOf(s))
		}
	}
}

// apply puts a change of the fronts in use. The sockets of all of them are replaced last.
func (c *frontChange) apply(next *generation) {
	for _, change := range c.changes {
		change.Apply()
	}
	for i, f := range c.all {
		f.server.SetListeners(next.radsec[i].listeners)
	}
}

// serveFronts starts to serve on fronts.
func (g *Gateway) serveFronts(list fronts) {
	for _, f := range list {
		g.running.Go(func() { g.addError(f.server.Serve(f.ctx)) })
	}
}

// retireFronts ends the fronts that are no longer configured, as at the end of the gateway: each
// connection when it has nothing outstanding, or after [listen].drain_timeout. Called with
// turn held.
func (g *Gateway) retireFronts(previous, next *generation) {
	for _, f := range previous.fronts {
		if next.fronts.named(f.name) == f {
			continue
		}
		g.log.Info("a listener was removed; its connections are closed as soon as nothing is outstanding on them", "listener", f.name)
		timeout := next.Config.Listen.DrainTimeout
		g.running.Go(func() {
			ctx, cancel := context.WithTimeout(g.ctx, timeout)
			defer cancel()
			f.server.Drain(ctx)
			f.stop()
			f.server.Wait()
			g.reloading.Lock()
			defer g.reloading.Unlock()
			if g.current.Load().fronts.named(f.name) == nil { // it may have come back
				g.metrics.RemoveListener(f.name)
			}
		})
	}
}

// drainFronts drains all fronts, and returns when the last connection is closed or ctx is done.
func (g *Gateway) drainFronts(ctx context.Context) {
	var draining sync.WaitGroup
	for _, f := range g.current.Load().fronts {
		draining.Go(func() { f.server.Drain(ctx) })
	}
	draining.Wait()
}

// staleLists returns the revocation lists that are out of date, and whether no client can be
// accepted anywhere because of them.
func (g *Gateway) staleLists() (list []identity.StaleList, all bool) {
	all = true
	for _, f := range g.current.Load().fronts {
		some, refused := f.server.StaleLists()
		all = all && refused
		for _, l := range some {
			i := slices.IndexFunc(list, func(o identity.StaleList) bool { return o.Issuer == l.Issuer && o.NextUpdate.Equal(l.NextUpdate) })
			if i < 0 {
				list = append(list, l)
			} else {
				list[i].Refused = list[i].Refused || l.Refused
			}
		}
	}
	return list, all
}

// pingFronts acquires and releases the locks that connections need.
func (g *Gateway) pingFronts() {
	for _, f := range g.current.Load().fronts {
		_ = f.server.Addrs()
	}
}
