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
	mu   locks.Mutex[locks.ReloadLog] // guards what follows
	list []status.Reload              // the newest first, the start included

	// What is not in use although it was read; zero: nothing. A file that is taken later does
	// not mend a configuration that was refused.
	configuration failure // refused when it was last read
	files         failure // certificates and revocation lists, likewise
	kept          failure // the gateway's own certificate, for which the one before stays in use
}

// failure is a reload whose mistakes have not been mended.
type failure struct {
	status.Reload
	since time.Time // since when reloads have failed for these mistakes
	total int       // how many mistakes there are, of which the Reload has some
}

// after returns f, with the time of before if that failed for the same mistakes.
func (f failure) after(before failure) failure {
	if before.Result != "" && slices.Equal(before.Mistakes, f.Mistakes) {
		f.since = before.since
	}
	return f
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
	r.note(failure{one, at, numMistakes(err)})
	same := len(r.list) > 0 && r.list[0].Result == one.Result && slices.Equal(r.list[0].Mistakes, one.Mistakes) && r.list[0].What == what
	if same && err != nil && by == byChange { // a file that is still being written
		r.list[0].At = one.At
		return
	}
	r.list = slices.Insert(r.list, 0, one)
	r.list = r.list[:min(len(r.list), keepReloads)]
}

// note notes what a reload, which may have been taken, means for what is not in use. Called
// with mu held.
func (r *reloadLog) note(f failure) {
	all := f.What == "configuration" // with all files that it names
	switch {
	case f.Result != reloadRefused:
		r.files = failure{}
		if all {
			r.configuration = failure{}
		}
		if f.Result == reloadKept {
			r.kept = f.after(r.kept)
		} else {
			r.kept = failure{}
		}
	case all:
		r.configuration, r.files = f.after(r.configuration), failure{}
	default:
		r.files = f.after(r.files)
	}
}

// all returns the reloads, the newest first, and those whose mistakes have not been mended.
func (r *reloadLog) all() (list []status.Reload, failed []failure) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range []failure{r.configuration, r.files, r.kept} {
		if f.Result != "" {
			failed = append(failed, f)
		}
	}
	return slices.Clone(r.list), failed
}

// numMistakes returns how many mistakes an error has.
func numMistakes(err error) int {
	var list config.Mistakes
	switch {
	case err == nil:
		return 0
	case errors.As(err, &list):
		return len(list)
	}
	return 1
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
