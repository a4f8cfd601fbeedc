package web

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"time"

	"radsec-gw/locks"
	"radsec-gw/logs"
)

const (
	// longestRest bounds the time between two renderings, which is half of what the first has
	// taken. So they take two thirds of a processor, however many callers ask for them, while
	// each takes at most twice longestRest; longer ones take more, because /readyz must not
	// be kept waiting.
	longestRest = 200 * time.Millisecond
	// maxRenderings bounds the renderings that are kept for callers that have not read
	// them to the end.
	maxRenderings = 6
	// batchTimeout is how long a caller may take to read a rendering.
	batchTimeout = 20 * time.Second
	// maxScrape bounds what is allocated at once for a rendering, in bytes; it may grow.
	maxScrape = 64 << 20
	// After burst renderings in a row there is one each pace, which is also how often one
	// more of a burst is allowed: those are callers that ask again and again.
	burst = 10
	pace  = 100 * time.Millisecond
)

// batches answer requests for something that is costly to render. It renders once at a
// time, for all callers that wait then: nobody gets a rendering that began before the
// request arrived, and nobody waits for more than one of each variant before his own.
type batches struct {
	// static after construction
	render func(variant string, w http.ResponseWriter) // there are few variants
	log    *slog.Logger

	// owned by run
	resting time.Time // until when nothing is rendered
	ended   time.Time // the last rendering
	row     int       // renderings of the current burst

	mu      locks.Mutex[locks.Renderings] // guards the rest, and the callers of renderings
	queue   []*batch                      // that have not begun, at most one of each variant
	running bool                          // run is running; it ends when the queue is empty
	kept    []*batch                      // that callers are reading, the oldest first
}

// batch is a rendering that several callers get.
type batch struct {
	variant string
	done    chan struct{} // closed when the answer is complete

	callers map[*http.Request]*conn // guarded by batches.mu; a conn may be nil

	// owned by the goroutine that renders until done is closed, then immutable
	header http.Header
	status int
	body   []byte
}

// answer answers a request with a variant.
func (s *batches) answer(w http.ResponseWriter, r *http.Request, variant string) {
	one := s.join(r, variant)
	defer s.leave(r, one)
	select {
	case <-one.done:
	case <-r.Context().Done():
		return
	}
	maps.Copy(w.Header(), one.header)
	w.Header().Set("Content-Length", strconv.Itoa(len(one.body)))
	// An error means that it is no connection of net/http, but a recorder of a test.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(batchTimeout))
	w.WriteHeader(one.status)
	w.Write(one.body) // what fails here is the caller's connection
}

// join makes the request a caller of the next rendering of a variant.
func (s *batches) join(r *http.Request, variant string) *batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.running {
		s.running = true
		go s.run()
	}
	for _, one := range s.queue {
		if one.variant == variant {
			one.callers[r] = connOf(r)
			return one
		}
	}
	one := &batch{variant: variant, done: make(chan struct{}), header: http.Header{}, status: http.StatusOK,
		callers: map[*http.Request]*conn{r: connOf(r)}}
	s.queue = append(s.queue, one)
	return one
}

// leave removes a caller of a rendering.
func (s *batches) leave(r *http.Request, one *batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(one.callers, r)
}

// run renders the queue until it is empty.
func (s *batches) run() {
	for s.wanted() {
		time.Sleep(time.Until(s.resting))
		one := s.next()
		if one == nil {
			continue // its callers have gone
		}
		start := time.Now()
		s.fill(one)
		end := time.Now()
		s.resting = end.Add(s.rest(start, end))
		close(one.done)
	}
}

// rest returns how long nothing is rendered after a rendering.
func (s *batches) rest(start, end time.Time) time.Duration {
	rest := min(end.Sub(start)/2, longestRest)
	s.row = max(0, s.row-int(min(start.Sub(s.ended)/pace, burst))) + 1
	s.ended = end
	if s.row >= burst {
		s.row = burst
		rest = max(rest, pace)
	}
	return rest
}

// wanted reports whether anything is to be rendered; if not, run ends.
func (s *batches) wanted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = len(s.queue) > 0
	return s.running
}

// next takes the next rendering from the queue, or returns nil if there is none. It closes
// the connections of callers that have not read an old rendering to the end if too many are
// kept.
func (s *batches) next() *batch {
	s.mu.Lock()
	var slow []*conn
	defer func() {
		for _, c := range slow {
			c.Close()
		}
	}()
	defer s.mu.Unlock()
	kept := s.kept[:0]
	for _, one := range s.kept {
		if len(one.callers) > 0 {
			kept = append(kept, one)
		}
	}
	clear(s.kept[len(kept):])
	s.kept = kept
	for len(s.queue) > 0 {
		one := s.queue[0]
		s.queue = s.queue[1:]
		if len(one.callers) == 0 {
			continue // all have gone
		}
		if len(s.kept) >= maxRenderings {
			for _, c := range s.kept[0].callers {
				if c != nil {
					slow = append(slow, c)
				}
			}
			s.kept = append(s.kept[:0], s.kept[1:]...)
		}
		s.kept = append(s.kept, one)
		return one
	}
	return nil
}

// fill renders. A panic is logged, and answered like an error: this is not a goroutine of
// net/http, which would recover from it.
func (s *batches) fill(one *batch) {
	defer func() {
		if v := recover(); v != nil {
			s.log.Error("rendering an HTTP answer has panicked", "panic", logs.Clip(fmt.Sprint(v)))
			one.header, one.status, one.body = http.Header{}, http.StatusInternalServerError, []byte("internal error\n")
		}
	}()
	s.render(one.variant, one)
}

// Header implements http.ResponseWriter.
func (one *batch) Header() http.Header { return one.header }

// WriteHeader implements http.ResponseWriter.
func (one *batch) WriteHeader(status int) { one.status = status }

// Write implements http.ResponseWriter.
func (one *batch) Write(p []byte) (int, error) {
	if n, err := strconv.Atoi(one.header.Get("Content-Length")); err == nil && one.body == nil {
		one.body = make([]byte, 0, min(max(n, 0), maxScrape))
	}
	one.body = append(one.body, p...)
	return len(p), nil
}
