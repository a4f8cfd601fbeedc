package gateway

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"radsec-gw/config"
	"radsec-gw/locks"
	"radsec-gw/logs"
	"radsec-gw/web/status"
)

const (
	// keepReloads is how many reloads the status page shows.
	keepReloads = 20
	// keepMistakes is how many mistakes of each reload it shows.
	keepMistakes = 10
)

// Who has caused a reload.
const (
	byStart   = "start"
	byRequest = "request"
	byChange  = "change" // of a file
)

// The results of a reload.
const (
	reloadTaken   = "taken"
	reloadKept    = "kept"
	reloadRefused = "refused"
)

// reloadLog remembers the last reloads, for the status page.
type reloadLog struct {
	mu    locks.Mutex[locks.ReloadLog] // guards what follows
	list  []status.Reload              // the newest first, the start included
	since time.Time                    // since when reloads have failed for the mistakes of the first; zero: they have not
}

// record remembers the result of a reload. One that fails like the last is the same.
func (r *reloadLog) record(by, what string, err error, at time.Time) {
	one := status.Reload{At: at.UTC(), By: by, What: what, Result: reloadTaken, Mistakes: mistakeTexts(err)}
	switch {
	case errors.As(err, new(keptError)):
		one.Result = reloadKept
	case err != nil:
		one.Result = reloadRefused
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	same := len(r.list) > 0 && r.list[0].Result == one.Result && slices.Equal(r.list[0].Mistakes, one.Mistakes) && r.list[0].What == what
	switch {
	case err == nil:
		r.since = time.Time{}
	case same && by == byChange: // a file that is still being written
		r.list[0].At = one.At
		return
	case !same:
		r.since = at
	}
	r.list = slices.Insert(r.list, 0, one)
	r.list = r.list[:min(len(r.list), keepReloads)]
}

// all returns the reloads, the newest first, and since when the last have failed.
func (r *reloadLog) all() (list []status.Reload, since time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.list), r.since
}

// mistakeTexts returns the mistakes of an error, each with its file and line.
func mistakeTexts(err error) []string {
	texts := []string{}
	var list config.Mistakes
	switch {
	case err == nil:
		return texts
	case !errors.As(err, &list):
		return []string{logs.Clip(err.Error())}
	}
	for _, m := range list[:min(len(list), keepMistakes)] {
		texts = append(texts, logs.Clip(m.String()))
	}
	if n := len(list) - len(texts); n > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", n))
	}
	return texts
}
