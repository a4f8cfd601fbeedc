package gateway

import (
	"context"
	"time"

	"radsec-gw/config"
	"radsec-gw/spool"
	"radsec-gw/spool/control"
)

// makeSpool makes the spool when a route uses it for the first time; start, which opens it, must
// be called then. A spool that is there gets its limits. One that no route uses any longer goes
// on, because it may have records. Called with reloading held, or by Start.
func (g *Gateway) makeSpool(cfg *config.Config) (start func()) {
	limits := spoolLimits(&cfg.Spool)
	if s := g.spool.Load(); s != nil {
		s.SetLimits(limits)
		return nil
	}
	if !cfg.UsesSpool() {
		return nil
	}
	opened := make(chan struct{}, 1)
	s := spool.New(spool.Config{Directory: cfg.Spool.Directory, Stream: g.spoolStream(cfg), Limits: limits, Owner: g.relay, Metrics: g.metrics.Spool(), Log: g.log, Opened: func() {
		select {
		case opened <- struct{}{}:
		default:
		}
	}})
	g.spool.Store(s)
	g.relay.SetSpool(s)
	return func() {
		g.running.Go(func() { g.serveSpool(s, opened) })
		s.Start(g.ctx) // the gateway serves without a spool that cannot be opened
	}
}

// spoolLimits returns the limits of [spool].
func spoolLimits(c *config.Spool) spool.Limits {
	return spool.Limits{MaxOctets: c.MaxOctets, MaxRecords: c.MaxRecords, MaxAge: c.MaxAge, Rate: c.ReplayRate, Window: c.ReplayWindow, Attempts: c.Attempts, ReplaceInterims: c.ReplaceInterims}
}

// serveSpool serves the socket of radsec-gw spool, once the store is open: until then another
// gateway may serve it.
func (g *Gateway) serveSpool(s *spool.Spool, opened <-chan struct{}) {
	stop := func() {}
	defer func() { stop() }()
	for {
		select {
		case <-opened: // again, if the directory was removed, and the socket with it
		case <-g.ctx.Done():
			return
		}
		stop()
		ctx, cancel := context.WithCancel(g.ctx)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if err := control.Serve(ctx, s); err != nil {
				g.log.Warn("radsec-gw spool cannot connect to this gateway", "error", err)
			}
		}()
		stop = func() { cancel(); <-ended }
	}
}

// spoolCloseTimeout is how long the gateway waits at its end for the disk of the spool.
const spoolCloseTimeout = 5 * time.Second

// closeSpool stores what waits, and closes the spool. The connections have ended by then.
func (g *Gateway) closeSpool() {
	s := g.spool.Load()
	if s == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(g.ctx), spoolCloseTimeout)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		g.log.Error(err.Error())
	}
}
