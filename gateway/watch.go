package gateway

import (
	"context"
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
