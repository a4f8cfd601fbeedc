package gateway

import (
	"context"
	"maps"
	"time"
)

// poller calls a function at an interval that may change at any time.
type poller struct {
	// static after construction
	changed chan time.Duration // of capacity 1: the new interval; 0 for never
}

func newPoller(interval time.Duration) *poller {
	p := &poller{changed: make(chan time.Duration, 1)}
	p.changed <- interval
	return p
}

// setInterval changes the interval, without waiting. Only one goroutine may call it at a
// time.
func (p *poller) setInterval(interval time.Duration) {
	select {
	case <-p.changed: // one that run has not received
	default:
	}
	p.changed <- interval
}

// run calls poll each time that the interval has passed since the last call, or since the
// interval was changed, until ctx is done.
func (p *poller) run(ctx context.Context, poll func()) {
	interval := <-p.changed
	timer := time.NewTimer(interval)
	defer timer.Stop()
	for {
		due := timer.C
		if interval == 0 {
			due = nil
		}
		select {
		case <-ctx.Done():
			return
		case next := <-p.changed:
			if next == interval {
				continue // a reload that does not change the interval does not postpone the poll
			}
			interval = next
		case <-due:
			poll()
		}
		timer.Reset(interval)
	}
}

// watchFiles reloads the files that the configuration names, every reload_interval, if
// they have changed. It also makes the socket for taps again if that is gone.
func (g *Gateway) watchFiles() {
	g.poll.run(g.ctx, func() { _ = g.reloadFiles() }) // logged and counted
}

// reloadFiles reads the certificates and revocation lists again. It uses the current
// configuration, because the configuration file may be half edited. If a file cannot be
// parsed, because it is being written for example, nothing changes, and it is read again
// once it has changed.
func (g *Gateway) reloadFiles() error { return g.reloadFilesAt(time.Now()) }

// reloadFilesAt is like reloadFiles, but checks certificates for the time at.
func (g *Gateway) reloadFilesAt(at time.Time) error {
	if err := g.acquireTurn(); err != nil {
		return err
	}
	defer g.releaseTurn()
	g.reloadBy = byChange
	g.restoreTap()
	current := g.current.Load()
	if from := g.reader.Snapshot(g.reloadCtx); g.shouldRetry(from) {
		return g.reloadAll(from, false, at)
	}
	from := g.reader.Snapshot(g.reloadCtx)
	read := sumFiles(current.Config, from)
	if maps.Equal(read, g.lastRead) && !g.skippedIsGood(current, at) || g.reloadCtx.Err() != nil {
		return nil
	}
	g.lastRead = read // the same files are not loaded again
	m, mistakes := loadMaterial(current.Config, from)
	if len(mistakes) > 0 {
		return g.recordReload("certificates", mistakes)
	}
	skipped, kept := g.keepBetter(current, m, at)
	err := g.replace(current.withMaterial(m))
	if err == nil {
		g.setSkipped(skipped)
		err = kept
	}
	return g.recordReload("certificates", err)
}
