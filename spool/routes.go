package spool

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// This file is what the status page shows beside State, and what check says.

// What check says of the files and the pauses.
const (
	AsideFile    = asideName
	FirstPause   = firstPause
	LongestPause = longestPause
)

// RouteState is what is known of the records of one route.
type RouteState struct {
	Route    string        // its name; "": of records that were imported
	Records  int           // that are kept
	Sending  int           // of these, in flight to servers
	Ready    int           // sessions whose next record can be sent
	Silent   bool          // its servers stayed silent: one record at a time is sent, after pauses
	Resumes  time.Duration // until the pause ends; 0: there is none now
	Answered time.Duration // since a server last answered a record; 0: none has since the store was opened
}

// Routes returns the routes that have had records since the store was opened: those with the
// most records first, and at most so many.
func (s *Spool) Routes(most int) []RouteState {
	list := s.routeStates()
	slices.SortStableFunc(list, func(a, b RouteState) int {
		return cmp.Or(cmp.Compare(b.Records, a.Records), cmp.Compare(a.Route, b.Route))
	})
	return list[:min(len(list), most)]
}

func (s *Spool) routeStates() []RouteState {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.now()
	list := make([]RouteState, len(s.index.lanes))
	for i, l := range s.index.lanes {
		list[i] = RouteState{Route: l.route, Records: l.records, Sending: l.inFlight, Ready: len(l.ready), Silent: l.pause > 0, Resumes: time.Duration(max(0, l.resumeAt-now))}
		if l.heard != 0 {
			list[i].Answered = time.Duration(max(1, now-l.heard))
		}
	}
	return list
}

// Limits returns the limits in use.
func (s *Spool) Limits() Limits { return *s.limits.Load() }

// noteFailure notes how the last commit has ended.
func (s *Spool) noteFailure(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure = err
}

// lookAside finds out how large the files of records are that were set aside.
func (w *writer) lookAside() {
	size := int64(0)
	for _, name := range []string{asideName, retryName} {
		if info, err := os.Stat(filepath.Join(w.cfg.Directory, name)); err == nil {
			size += info.Size()
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.aside = size
}
