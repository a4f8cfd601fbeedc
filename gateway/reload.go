package gateway

import (
	"errors"
	"maps"
	"time"

	"radsec-gw/config"
	"radsec-gw/files"
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
