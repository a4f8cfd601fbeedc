package gateway

import (
	"errors"
	"maps"
	"slices"
	"time"

	"radsec-gw/config"
	"radsec-gw/files"
	"radsec-gw/metrics"
)

// Reload reads the configuration file and the files that it names again, and puts them in
// use. If there are mistakes nothing changes; they are logged and returned. A reload is
// canceled when the gateway is about to stop.
//
// Connections whose client is still allowed stay open and follow the client's new policy,
// requests in flight finish where they are, servers whose configuration is the same keep
// their sockets and health, and addresses that are still listened on keep their listeners.
//
// Only other reloads wait for the files that Reload reads.
func (g *Gateway) Reload() error {
	g.back.Refresh() // whatever the file says: something around the gateway has changed
	g.lists.Refresh()
	if err := g.acquireTurn(); err != nil {
		return err
	}
	defer g.releaseTurn()
	g.reloadBy = byRequest
	g.tapLost = false // log it again
	g.restoreTap()
	g.lastMistakes = "" // log all mistakes, also those that polling the files has found before
	return g.reloadAll(g.reader.Snapshot(g.reloadCtx), true, time.Now())
}

// reloadAll is like Reload, but reads from a snapshot. Unless the reload is requested, a
// certificate that clients accept is not replaced by one that they refuse. Called with turn
// held.
func (g *Gateway) reloadAll(from *files.Snapshot, requested bool, at time.Time) error {
	next, err := loadFrom(from, g.current.Load().Config.Path, g.reader)
	g.refusedSums = nil
	if err != nil {
		g.refusedSums = from.Sums()
		return g.recordReload("configuration", err)
	}
	previous := g.current.Load()
	var skipped *material
	var kept error
	if !requested {
		skipped, kept = g.keepBetter(previous, next.files, at)
	}
	if err = g.replace(next); err == nil { // otherwise the next poll of the files finds what has changed
		g.lastRead = next.files.sums
		g.setSkipped(skipped)
		g.logWorse(previous.Plan, next)
		err = kept
	}
	return g.recordReload("configuration", err)
}

// shouldRetry reports whether a reload of everything was refused and a file that the
// configuration names has changed since: it was half written, or one of a pair. The
// configuration itself, with all that it includes, must be unchanged, because it may be half edited: its author will
// request another reload. Called with turn held.
func (g *Gateway) shouldRetry(from *files.Snapshot) bool {
	if g.refusedSums == nil {
		return false
	}
	again := g.refusedSums.Again(from)
	return !from.Stuck() && g.reloadCtx.Err() == nil && g.refusedSums.SameConfiguration(again) && !maps.Equal(again, g.refusedSums)
}

// errStopping is returned by a reload that was canceled.
var errStopping = errors.New("the gateway is about to stop")

// acquireTurn waits until no other reload runs. The caller must call releaseTurn.
func (g *Gateway) acquireTurn() error {
	select {
	case g.turn <- struct{}{}:
	case <-g.reloadCtx.Done():
		return errStopping
	}
	if g.reloadCtx.Err() != nil {
		g.releaseTurn()
		return errStopping
	}
	return nil
}

func (g *Gateway) releaseTurn() { <-g.turn }

// placesOf returns where the mistakes of a reload are, for the metrics: each place once.
func placesOf(cfg *config.Config, err error) (places []metrics.Place) {
	var list config.Mistakes
	if !errors.As(err, &list) {
		return []metrics.Place{{File: asWritten(cfg, cfg.Path)}}
	}
	for _, m := range list {
		if p := (metrics.Place{File: asWritten(cfg, m.File), Key: m.Key}); !slices.Contains(places, p) {
			places = append(places, p)
		}
	}
	return places
}

// recordReload counts and logs the result of a reload. Mistakes that stay the same while
// a file is being written are logged and counted once. Called with turn held.
func (g *Gateway) recordReload(what string, err error) error {
	if g.reloadCtx.Err() != nil && err != nil {
		g.log.Info("reload canceled, the gateway is about to stop", "what", what)
		return errStopping
	}
	g.reloadLog.record(g.reloadBy, what, err, time.Now())
	all := what == "configuration"
	text := "reload refused, the current configuration stays in use"
	switch {
	case err == nil:
		g.lastMistakes = ""
		g.reloads.Taken(time.Now(), all)
		g.log.Info("reloaded", "what", what)
		return nil
	case errors.As(err, new(keptError)):
		g.reloads.Kept(time.Now(), all)
		text = "reloaded without the new certificate"
		g.log.Info(text, "what", what)
	case err.Error() != g.lastMistakes:
		g.reloads.Refused(placesOf(g.current.Load().Config, err), all)
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
