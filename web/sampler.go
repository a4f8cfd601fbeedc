package web

import (
	"context"
	"time"

	"radsec-gw/locks"
	"radsec-gw/metrics"
	"radsec-gw/web/status"
)

// The counts are read each sampleEvery. The charts show a value for each step of the last
// hour and of the last day.
const (
	sampleEvery = 5 * time.Second

	hourStep  = 15 * time.Second
	hourSteps = int(time.Hour / hourStep)
	dayStep   = 5 * time.Minute
	daySteps  = int(24 * time.Hour / dayStep)

	// maxHistories bounds the ports of servers that have a history: each takes up to
	// (240+288)*20 bytes, so all of them 5 MB.
	maxHistories = 500
)

// totals are counts since the start of a port, or of the whole gateway.
type totals struct {
	sent, unanswered, replies uint64
	replyTime                 time.Duration
}

func totalsOf(c *metrics.ServerCounts) totals {
	return totals{c.Counts[metrics.ServerSent], c.Counts[metrics.ServerTimeouts], c.Timed, c.TimeSum}
}

// minus returns what t has more than before.
func (t totals) minus(before totals) totals {
	return totals{t.sent - before.sent, t.unanswered - before.unanswered, t.replies - before.replies, t.replyTime - before.replyTime}
}

func (t totals) plus(more totals) totals {
	return totals{t.sent + more.sent, t.unanswered + more.unanswered, t.replies + more.replies, t.replyTime + more.replyTime}
}

// isBefore reports whether t can be an earlier reading than next. Counts that began at zero
// again are none.
func (t totals) isBefore(next totals) bool {
	return t.sent <= next.sent && t.unanswered <= next.unanswered && t.replies <= next.replies && t.replyTime <= next.replyTime
}

// sample is what happened in one step.
type sample struct {
	rate       float32 // requests a second, retransmissions not counted
	reply      float32 // mean time to a reply in seconds; 0: nothing was answered
	unanswered float32 // requests a second
	inFlight   float32 // at the end of the step
	open       float32 // connections, at the end of the step; of the whole gateway only
}

// sampleOf returns the sample of what was counted in some seconds.
func sampleOf(t totals, seconds float64) sample {
	if seconds <= 0 {
		return sample{}
	}
	one := sample{rate: float32(float64(t.sent) / seconds), unanswered: float32(float64(t.unanswered) / seconds)}
	if t.replies > 0 {
		one.reply = float32(t.replyTime.Seconds() / float64(t.replies))
	}
	return one
}

// ring has the samples of the last steps.
type ring struct {
	step time.Duration
	most int

	samples []sample // the oldest is at next once there are most of them
	next    int
	from    totals    // at the beginning of the current step
	began   time.Time // when it began; zero: no step has begun
}

// observe notes the totals at a time, and ends the step when it is over. gauges has the
// fields of a sample that are not counted.
func (r *ring) observe(now totals, at time.Time, gauges sample) {
	if r.began.IsZero() {
		r.from, r.began = now, at
		return
	}
	elapsed := at.Sub(r.began)
	if elapsed < r.step-sampleEvery/2 {
		return
	}
	one := sampleOf(now.minus(r.from), elapsed.Seconds())
	one.inFlight, one.open = gauges.inFlight, gauges.open
	if len(r.samples) < r.most {
		r.samples = append(r.samples, one)
	} else {
		r.samples[r.next] = one
		r.next = (r.next + 1) % r.most
	}
	r.from, r.began = now, at
}

// list returns a copy of the samples, the oldest first.
func (r *ring) list() []sample {
	return append(append([]sample(nil), r.samples[r.next:]...), r.samples[:r.next]...)
}

// series returns the samples as a list for each of their fields.
func (r *ring) series(whole bool) status.Series {
	s := status.Series{StepSeconds: int64(r.step / time.Second), RequestsPerSecond: []float32{}, ReplySeconds: []float32{}}
	for _, one := range r.list() {
		s.RequestsPerSecond, s.ReplySeconds = append(s.RequestsPerSecond, one.rate), append(s.ReplySeconds, one.reply)
		s.UnansweredPerSecond, s.InFlight = append(s.UnansweredPerSecond, one.unanswered), append(s.InFlight, one.inFlight)
		if whole {
			s.Connections = append(s.Connections, one.open)
		}
	}
	return s
}

// track is what is remembered of a port, or of the whole gateway.
type track struct {
	last   totals
	now    sample // of the last sampleEvery
	traced bool   // hour and day are used
	hour   ring
	day    ring
}

func newTrack(first totals) *track {
	return &track{last: first, hour: ring{step: hourStep, most: hourSteps}, day: ring{step: dayStep, most: daySteps}}
}

// observe notes the totals at a time, seconds after the last.
func (t *track) observe(now totals, at time.Time, seconds float64, gauges sample) {
	t.now = sampleOf(now.minus(t.last), seconds)
	t.last = now
	if t.traced {
		t.hour.observe(now, at, gauges)
		t.day.observe(now, at, gauges)
	}
}

// sampler keeps the history of every port of every server, and of the whole gateway.
type sampler struct {
	metrics  *metrics.Metrics         // static after construction
	counters func() map[string]uint64 // likewise; nil: there are none

	mu    locks.Mutex[locks.Sampler] // guards the rest
	at    time.Time                  // when the counts were read
	ports map[endpoint]*track
	all   *track
	sum   totals // of all ports since the start, those included that are gone
	seen  map[string]*changes
}

// changes says when a counter has changed.
type changes struct {
	n uint64
	Changes
}

// Changes says when a counter has changed since the start, within a few seconds. Zero times
// mean that it has not.
type Changes struct {
	First, Last time.Time
	Began       time.Time // of the changes that have gone on, with pauses of at most lasting, until Last
}

// lasting is how long after its last change a counter counts as one that still changes.
const lasting = 5 * time.Minute

// Lasts reports whether the counter has changed in the last minutes.
func (c Changes) Lasts(now time.Time) bool { return !c.Last.IsZero() && now.Sub(c.Last) < lasting }

func newSampler(m *metrics.Metrics, counters func() map[string]uint64) *sampler {
	s := &sampler{metrics: m, counters: counters, ports: map[endpoint]*track{}, all: newTrack(totals{}), seen: map[string]*changes{}}
	s.all.traced = true
	return s
}

// run takes samples until ctx is done.
func (s *sampler) run(ctx context.Context) {
	s.observe(time.Now())
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			s.observe(now)
		case <-ctx.Done():
			return
		}
	}
}

// observe reads the counts and notes what has happened since the last reading.
func (s *sampler) observe(now time.Time) {
	counts, open := s.metrics.Servers(), s.metrics.NumConnections()
	var counters map[string]uint64
	if s.counters != nil {
		counters = s.counters()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	elapsed := now.Sub(s.at).Seconds()
	gone := s.ports
	s.ports = make(map[endpoint]*track, len(counts))
	gauges := sample{open: float32(open)}
	traced := 0
	for i := range counts {
		c := &counts[i]
		key, total := endpoint{c.Name, c.Port}, totalsOf(c)
		t := gone[key]
		gauges.inFlight += float32(c.Outstanding)
		if t == nil || !t.last.isBefore(total) {
			t = newTrack(total)
		} else {
			s.sum = s.sum.plus(total.minus(t.last))
		}
		if t.traced = t.traced || traced < maxHistories && total.sent > 0; t.traced {
			traced++
		}
		t.observe(total, now, elapsed, sample{inFlight: float32(c.Outstanding)})
		s.ports[key] = t
	}
	s.all.observe(s.sum, now, elapsed, gauges)
	s.at = now
	s.note(counters, now)
}

// note notes which counters have changed. Called with mu held.
func (s *sampler) note(counters map[string]uint64, now time.Time) {
	for name, n := range counters {
		c := s.seen[name]
		if c == nil {
			c = &changes{}
			s.seen[name] = c
		}
		if n <= c.n { // one that falls lacks what a server or client that is gone had counted
			c.n = n
			continue
		}
		if c.First.IsZero() {
			c.First = now
		}
		if !c.Lasts(now) {
			c.Began = now
		}
		c.n, c.Last = n, now
	}
}

// changed returns when a counter has changed.
func (s *sampler) changed(counter string) Changes {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.seen[counter]; c != nil {
		return c.Changes
	}
	return Changes{}
}

// fill sets what the snapshot has of the last seconds, hour and day.
func (s *sampler) fill(snapshot *status.Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	snapshot.Summary.RequestsPerSecond, snapshot.Summary.ReplySeconds = float64(s.all.now.rate), float64(s.all.now.reply)
	snapshot.History = status.History{Hour: s.all.hour.series(true), Day: s.all.day.series(true)}
	for i := range snapshot.Servers {
		p := &snapshot.Servers[i]
		if t := s.ports[endpoint{p.Name, metrics.Port(p.Port)}]; t != nil {
			p.RequestsPerSecond, p.ReplySeconds = float64(t.now.rate), float64(t.now.reply)
		}
	}
}

// historyOf returns the history of a port: of the last hour, or, once that is over, of the
// last day.
func (s *sampler) historyOf(server, port string) *status.Series {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.ports[endpoint{server, metrics.Port(port)}]
	if t == nil || !t.traced {
		return nil
	}
	series := t.hour.series(false)
	if len(t.hour.samples) >= hourSteps {
		series = t.day.series(false)
	}
	return &series
}
