package crlfetch

import (
	"context"
	"crypto/x509"
	"log/slog"
	"math/rand/v2"
	"time"

	"radsec-gw/identity"
	"radsec-gw/logs"
	"radsec-gw/metrics"
)

// source is one URL.
type source struct {
	// static after construction
	fetcher   *Fetcher
	url       string
	requested chan struct{} // of capacity 1: fetch now
	lines     logs.Limiter  // of failures

	// guarded by Fetcher.mu
	cancel   context.CancelFunc // nil: not started
	stopped  bool
	point    bool                             // a certificate names it, not the configuration
	lists    map[listKey]*x509.RevocationList // the last good ones; nil: none yet; immutable
	tag      validators                       // of the answer that lists is from
	awaited  bool                             // there is no list, and there should be
	unsaved  bool                             // lists are not on disk yet
	bytes    int                              // of the last list
	tried    time.Time                        // when the last attempt ended
	good     time.Time                        // when the last attempt ended that did not fail
	since    time.Time                        // when the first of the failures ended that have gone on since; zero: none
	failures int                              // in a row
	failure  *failure                         // the last attempt's; nil: it has not failed
}

// State is the state of one URL.
type State struct {
	URL       string
	Point     bool          // a certificate names it, not the configuration
	Tried     time.Time     // when the last attempt ended; zero: never
	Succeeded time.Time     // when the last attempt ended that did not fail; zero: never
	Failing   time.Time     // since when attempts fail; zero: the last one did not
	Result    metrics.Fetch // of the last attempt, if that failed
	Err       string        // why the last attempt failed; "": it did not
	Advice    string        // what to do about that
	Bytes     int           // of the last list
	Lists     []*x509.RevocationList
	Awaited   bool // no list has arrived, and there should be one
}

// newSource returns a source that is not started. awaited says that its list should be there
// from the beginning.
func newSource(f *Fetcher, url string, point, awaited bool) *source {
	return &source{fetcher: f, url: url, point: point, awaited: awaited, requested: make(chan struct{}, 1)}
}

// start starts the goroutine, if it does not run. Called with mu held.
func (s *source) start(ctx context.Context) {
	if s.cancel != nil {
		return
	}
	ctx, s.cancel = context.WithCancel(ctx)
	s.fetcher.running.Go(func() { s.run(ctx) })
}

// stop ends the goroutine soon. Called with mu held.
func (s *source) stop() {
	s.stopped = true
	if s.cancel != nil {
		s.cancel()
	}
}

// request requests a fetch now. It does not wait.
func (s *source) request() {
	select {
	case s.requested <- struct{}{}:
	default: // one is requested already
	}
}

// view returns the state. Called with mu held.
func (s *source) view() State {
	v := State{URL: s.url, Point: s.point, Tried: s.tried, Succeeded: s.good, Failing: s.since, Bytes: s.bytes, Awaited: s.awaited}
	for _, l := range s.lists {
		v.Lists = append(v.Lists, l)
	}
	if s.failure != nil {
		v.Result, v.Err, v.Advice = s.failure.result, s.failure.text, s.failure.advice()
	}
	return v
}

// run fetches until ctx is done.
func (s *source) run(ctx context.Context) {
	defer s.cancel()
	for ctx.Err() == nil {
		select {
		case <-s.requested: // what begins now is what was requested
		default:
		}
		began := time.Now()
		s.fetch(ctx)
		if !s.pause(ctx, began) {
			return
		}
	}
}

// pause waits until the next fetch is due, and reports whether there is one.
func (s *source) pause(ctx context.Context, began time.Time) bool {
	f := s.fetcher
	f.mu.Lock()
	wait := pauseAfter(f.settings.Refresh, s.failures, nextUpdateOf(s.lists), time.Now(), rand.Float64())
	f.mu.Unlock()
	due := time.NewTimer(wait)
	defer due.Stop()
	select {
	case <-due.C:
	case <-s.requested:
	case <-ctx.Done():
		return false
	}
	due.Reset(shortestPause - time.Since(began)) // no sooner, even if it is requested
	select {
	case <-due.C:
	case <-ctx.Done():
		return false
	}
	return true
}

// fetch makes one attempt.
func (s *source) fetch(ctx context.Context) {
	f := s.fetcher
	select {
	case f.slots <- struct{}{}:
	case <-ctx.Done():
		return
	}
	f.mu.Lock()
	tag, point := s.tag, s.point
	f.mu.Unlock()
	a, failed := f.get(ctx, s.url, tag, point)
	var got []*x509.RevocationList
	if failed == nil && !a.unchanged {
		got, failed = f.parse(s.url, a.body)
	}
	<-f.slots
	if ctx.Err() != nil {
		return // the failure may be of that
	}
	s.record(a, got, failed, time.Now())
	s.save(ctx)
}

// record takes the lists of an attempt, or records why it failed.
func (s *source) record(a answer, got []*x509.RevocationList, failed *failure, now time.Time) {
	f := s.fetcher
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.stopped {
		return
	}
	result := metrics.FetchUnchanged
	if failed == nil && !a.unchanged {
		var next map[listKey]*x509.RevocationList
		if next, result, failed = decide(s.lists, got, f.settings.issuers(), now); failed == nil {
			s.take(next, result, a)
		}
	}
	if failed != nil {
		result = failed.result
	} else if failed = staleness(s.lists, now); failed != nil {
		result = metrics.FetchStale
	}
	s.tried = now
	f.cfg.Metrics.Count(s.url, result, now)
	s.report(failed, now)
}

// take puts lists in use. Called with mu held.
func (s *source) take(next map[listKey]*x509.RevocationList, result metrics.Fetch, a answer) {
	s.tag, s.bytes = a.tag, len(a.body)
	if result == metrics.FetchUnchanged {
		return
	}
	s.lists, s.awaited, s.unsaved = next, false, true
	s.fetcher.notify()
	for _, l := range next {
		s.fetcher.cfg.Log.Info("a revocation list was fetched and is in use", "url", s.url, "issuer", logName(l),
			"from", l.ThisUpdate.UTC().Format(time.DateTime), "next_update", l.NextUpdate.UTC().Format(time.DateTime), "revoked", len(l.RevokedCertificateEntries))
	}
}

// report records and logs whether an attempt has failed. Called with mu held.
func (s *source) report(failed *failure, now time.Time) {
	f, before := s.fetcher, s.failure
	s.failure = failed
	if failed == nil {
		if s.failures > 0 {
			f.cfg.Log.Info("revocation lists can be fetched again", "url", s.url, "failures", s.failures)
		}
		s.good, s.since, s.failures = now, time.Time{}, 0
		return
	}
	if s.failures++; s.since.IsZero() {
		s.since = now
	}
	if s.lists == nil && !s.awaited && !s.point {
		s.awaited = true // added by a reload: its first attempt has failed
		f.notify()
	}
	if before != nil && before.result == failed.result {
		return // it was logged
	}
	in := "the last good list stays in use"
	switch {
	case failed.result == metrics.FetchStale:
		in = "it is in use as crl_stale says"
	case s.lists == nil:
		in = "there is none yet"
	}
	s.lines.Log(func() logs.Line {
		return logs.Line{Log: f.cfg.Log, Level: slog.LevelWarn, Text: "fetching a revocation list has failed: " + in,
			Fields: []any{"url", s.url, "result", failed.result, "err", failed.text, "advice", failed.advice()}}
	})
}

// restore puts lists in use that were on disk, if they are still good. Called with mu held.
func (f *Fetcher) restore(s *source, kept *stored) {
	now := time.Now()
	if kept.fetched.After(now) { // the clock may not be set yet; it was when the list was fetched
		now = kept.fetched
	}
	next, _, failed := decide(nil, kept.lists, f.settings.issuers(), now)
	if failed != nil {
		f.cfg.Log.Warn("a revocation list on disk is not used", "url", s.url, "file", nameOf(s.url), "err", failed.text)
		return
	}
	s.lists, s.awaited, s.tag, s.good, s.bytes = next, false, kept.tag, kept.fetched, kept.bytes
	f.cfg.Metrics.Add(s.url, kept.fetched)
	for _, l := range next {
		f.cfg.Log.Info("a revocation list on disk is in use until it is fetched again", "url", s.url, "issuer", logName(l), "from", l.ThisUpdate.UTC().Format(time.DateTime))
	}
}

// logName returns an issuer's name as it may be logged.
func logName(l *x509.RevocationList) string { return identity.Clip(l.Issuer.String(), 200) }
