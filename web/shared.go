package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"radsec-gw/locks"
	"radsec-gw/web/status"
)

const (
	// snapshotFor is how long callers share one snapshot at least. They share it for
	// snapshotShare times as long as it took to make, so that a gateway with thousands of
	// clients and servers spends a tenth of a processor on it, but for mostFor at most.
	snapshotFor   = time.Second
	snapshotShare = 10
	mostFor       = 4 * time.Second
	// maxViews bounds the views other than the whole that are rendered of one snapshot.
	// Whoever asks for one more waits for the next snapshot.
	maxViews = 16
	// longestWait is how long a caller waits for a snapshot.
	longestWait = 5 * time.Second
)

// errBusy is returned when too many callers ask for different views.
var errBusy = errors.New("too many different views of the status are asked for; try again in a second")

// request is what a caller may ask for.
type request struct {
	format format
	view   status.View
}

// format is how a snapshot is rendered.
type format uint8

const (
	formatPage format = iota
	formatJSON
)

// rendering is a rendered snapshot.
type rendering struct {
	zipped []byte // with gzip: many may be kept, for callers that are slow
	size   int    // without
	err    error
}

// shared renders snapshots for all callers together: one snapshot a second at most, each
// view of it once, and one view at a time. What strangers or a hundred open pages
// ask for costs no more than that.
type shared struct {
	// static after construction
	assemble func() *status.Snapshot
	render   func(*status.Snapshot, request) ([]byte, error) // whose result is valid until the next call
	turn     chan struct{}                                   // held by whoever renders

	// owned by the holder of the turn
	zip *gzip.Writer
	out bytes.Buffer // compressed

	mu      locks.Mutex[locks.SharedStatus] // guards current and its fields
	current *edition
}

// edition is one snapshot and what was rendered of it.
type edition struct {
	snapshot func() *status.Snapshot // made when it is first asked for

	// guarded by shared.mu
	expires time.Time // zero until the snapshot is made, or that has failed
	views   map[request]func() rendering
	others  int // views other than the whole
}

func newShared(assemble func() *status.Snapshot, render func(*status.Snapshot, request) ([]byte, error)) *shared {
	s := &shared{assemble: assemble, render: render, turn: make(chan struct{}, 1)}
	s.zip, _ = gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // fails for other levels only
	return s
}

// get returns what r asks for, of a snapshot that is at most mostFor old.
func (s *shared) get(ctx context.Context, r request) (rendering, error) {
	ctx, cancel := context.WithTimeout(ctx, longestWait)
	defer cancel()
	for {
		render, next := s.find(r, time.Now())
		if render != nil {
			got := render()
			return got, got.err
		}
		t := time.NewTimer(next)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return rendering{}, errBusy
		}
	}
}

// find returns the function that renders r, once for all callers. If there are too many
// views already it returns when to try again.
func (s *shared) find(r request, now time.Time) (render func() rendering, next time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil || !s.current.expires.IsZero() && !now.Before(s.current.expires) {
		s.current = s.newEdition()
	}
	e := s.current
	if render = e.views[r]; render != nil {
		return render, 0
	}
	if r.view != (status.View{}) {
		if e.others >= maxViews {
			return nil, max(e.expires.Sub(now), snapshotFor/10)
		}
		e.others++
	}
	render = sync.OnceValue(func() rendering { return s.renderTurn(e, r) })
	e.views[r] = render
	return render, 0
}

func (s *shared) newEdition() *edition {
	e := &edition{views: map[request]func() rendering{}}
	e.snapshot = sync.OnceValue(func() *status.Snapshot {
		began := time.Now()
		defer func() { // also after a panic, which callers get until the edition expires
			s.mu.Lock()
			defer s.mu.Unlock()
			e.expires = time.Now().Add(min(max(snapshotFor, snapshotShare*time.Since(began)), mostFor))
		}()
		return s.assemble()
	})
	return e
}

// renderTurn renders r when nobody else renders.
func (s *shared) renderTurn(e *edition, r request) rendering {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	body, err := s.render(e.snapshot(), r)
	return rendering{zipped: s.compress(body), size: len(body), err: err}
}

// compress compresses a body. Called with the turn held.
func (s *shared) compress(body []byte) []byte {
	s.out.Reset()
	s.zip.Reset(&s.out)
	s.zip.Write(body) // writing to a bytes.Buffer does not fail
	s.zip.Close()
	return bytes.Clone(s.out.Bytes())
}
