package gateway

import (
	"context"
	"maps"
	"time"
)

// ticks come at an interval that may change while somebody waits for the next one.
type ticks struct {
	// static after construction
	changed chan time.Duration // of capacity 1: the interval that holds from now on; 0: never
}

func newTicks(interval time.Duration) *ticks {
	t := &ticks{changed: make(chan time.Duration, 1)}
	t.changed <- interval
	return t
}

// change sets the interval. It waits for nobody. Only one goroutine may call it at a time.
func (t *ticks) change(interval time.Duration) {
	select {
	case <-t.changed: // one that nobody has taken notice of
	default:
	}
	t.changed <- interval
}

// run calls look each time that an interval has passed since the last look, or since
// the interval has changed, until ctx is done.
func (t *ticks) run(ctx context.Context, look func()) {
	interval := <-t.changed
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
		case next := <-t.changed:
			if next == interval {
				continue // a reload of other things postpones no look
			}
			interval = next
		case <-due:
			look()
		}
		timer.Reset(interval)
	}
}

// watchFiles looks at the files that [listen] and [metrics] name, every
// reload_interval.
func (g *Gateway) watchFiles() {
	g.looks.run(g.ctx, func() { _ = g.reloadFiles() }) // logged and counted
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
