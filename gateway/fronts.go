package gateway

import (
	"context"
	"net"
	"slices"
	"sync"

	"radsec-gw/config"
	"radsec-gw/dtlsfront"
	"radsec-gw/identity"
	"radsec-gw/relay"
	"radsec-gw/sessions"
	"radsec-gw/tlsfront"
)

// frontServer is what the fronts of all transports do.
type frontServer interface {
	// Serve serves until ctx is done. Wait waits until it has returned.
	Serve(ctx context.Context) error
	Wait()
	// Drain ends every session as soon as nothing is outstanding on it, until ctx is done, and
	// says why. StartDraining is the part that does not wait: when it returns, no session is
	// accepted any more. AwaitDrained is the rest.
	Drain(ctx context.Context, why string)
	StartDraining(why string)
	AwaitDrained(ctx context.Context)
	Addrs() []net.Addr
	// StaleLists returns the revocation lists that are out of date, and whether no client can
	// be accepted because of them or of those that are awaited, whose CAs AwaitedIssuers names.
	StaleLists() (list []identity.StaleList, all bool)
	AwaitedIssuers() []string
}

// front is a running listener: [listen] or a [[listener]].
type front struct {
	name   string
	server frontServer
	tls    *tlsfront.Server // of these two one is nil
	dtls   *dtlsfront.Front
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
	all     fronts                 // of the next generation
	changes []interface{ Apply() } // of those that stay
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
		cfg, of := &configs[i], next.files.fronts[i]
		cfg.Shared, cfg.KeyLog, cfg.Log = g.shared, next.keyLog, g.log
		cfg.Listeners, cfg.Fetched = next.radsec[i].listeners, g.fetchedFor(of)
		if i > 0 {
			cfg.Log = g.log.With("listener", cfg.Name)
		}
		g.connect(cfg, clients, of.Transport)
		f := running.named(cfg.Name)
		if f != nil && (f.dtls != nil) != (of.Transport == config.TransportDTLS) {
			f = nil // the name means another one now
		}
		if f == nil {
			if f, err = g.newFront(cfg, of, next.radsec[i].datagrams); err != nil {
				return nil, err
			}
			change.added = append(change.added, f)
		} else {
			c, err := f.prepare(cfg, of)
			if err != nil {
				return nil, err
			}
			change.changes = append(change.changes, c)
		}
		change.all = append(change.all, f)
	}
	return change, nil
}

// newFront makes a front, which does not serve yet.
func (g *Gateway) newFront(cfg *tlsfront.Config, of *frontMaterial, sockets []*dtlsfront.Listener) (f *front, err error) {
	f = &front{name: cfg.Name}
	if of.Transport == config.TransportDTLS {
		c := overDTLS(cfg, of)
		c.Listeners = sockets
		if f.dtls, err = dtlsfront.NewFront(c); err != nil {
			return nil, err
		}
		f.server = f.dtls
	} else {
		if f.tls, err = tlsfront.New(*cfg); err != nil {
			return nil, err
		}
		f.server = f.tls
	}
	f.ctx, f.stop = context.WithCancel(g.ctx)
	return f, nil
}

// prepare checks another configuration for a front.
func (f *front) prepare(cfg *tlsfront.Config, of *frontMaterial) (interface{ Apply() }, error) {
	if f.dtls != nil {
		return f.dtls.Prepare(overDTLS(cfg, of))
	}
	return f.tls.Prepare(*cfg)
}

// overDTLS returns the configuration of a front whose transport is DTLS.
func overDTLS(cfg *tlsfront.Config, of *frontMaterial) dtlsfront.FrontConfig {
	out := dtlsfront.FrontConfig{
		Name: cfg.Name, Shared: cfg.Shared, Clients: cfg.Clients, MaxOutstanding: cfg.MaxOutstanding, Log: cfg.Log, Metrics: cfg.Metrics,
		Certificates: append([]sessions.NamedCertificate{{Certificate: cfg.Certificate}}, cfg.Certificates...),
		Identity: identity.Config{Auth: cfg.ClientAuth, ClientCA: cfg.ClientCA, Others: cfg.Others, Intermediates: cfg.Intermediates, CRLs: cfg.CRLs,
			RefuseStaleCRL: cfg.RefuseStaleCRL, Fetched: cfg.Fetched},
		Limits: dtlsfront.Limits{HandshakeTimeout: cfg.HandshakeTimeout, IdleTimeout: cfg.IdleTimeout, MaxSessions: of.Listen.MaxConnections,
			MaxPerSource: cfg.MaxPerSource, MaxHandshakes: cfg.MaxHandshakes, MaxPackets: cfg.MaxPacketsPerConnection},
	}
	if cfg.KeyLog != nil {
		out.KeyLog = cfg.KeyLog
	}
	return out
}

// connect makes the relay the handler of the connections of each client.
func (g *Gateway) connect(cfg *tlsfront.Config, clients []*relay.Client, transport string) {
	for _, one := range cfg.Clients {
		i := slices.IndexFunc(clients, func(c *relay.Client) bool { return c.Config().Name == one.Name })
		one.Open = func(s sessions.Conn) sessions.Handler {
			return g.relay.Open(clients[i], s, s.RemoteAddr(), originOf(s, transport))
		}
	}
}

// apply puts a change of the fronts in use. The sockets of all of them are replaced last.
func (c *frontChange) apply(next *generation) {
	for _, change := range c.changes {
		change.Apply()
	}
	for i, f := range c.all {
		if f.dtls != nil {
			f.dtls.SetListeners(next.radsec[i].datagrams, next.Config.Listen.DrainTimeout)
		} else {
			f.tls.SetListeners(next.radsec[i].listeners)
		}
	}
}

// serveFronts starts to serve on fronts.
func (g *Gateway) serveFronts(list fronts) {
	for _, f := range list {
		g.running.Go(func() { g.addError(f.server.Serve(f.ctx)) })
	}
}

// retireFronts ends the fronts that are no longer configured, as at the end of the gateway: each
// connection when it has nothing outstanding, or after [listen].drain_timeout. None of them accepts
// a connection any more when the reload is done. Called with turn held.
func (g *Gateway) retireFronts(previous, next *generation) {
	for _, f := range previous.fronts {
		if next.fronts.named(f.name) == f {
			continue
		}
		g.log.Info("a listener was removed; its connections are closed as soon as nothing is outstanding on them", "listener", f.name)
		f.server.StartDraining("its listener was removed from the configuration")
		timeout := next.Config.Listen.DrainTimeout
		g.running.Go(func() {
			ctx, cancel := context.WithTimeout(g.ctx, timeout)
			defer cancel()
			f.server.AwaitDrained(ctx)
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
		draining.Go(func() { f.server.Drain(ctx, sessions.GatewayStops) })
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
