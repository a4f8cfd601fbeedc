package web

import (
	"context"
	"time"

	"radsec-gw/locks"
	"radsec-gw/metrics"
)

// The charts show a sample each sampleEvery, for ten minutes.
const (
	sampleEvery = 5 * time.Second
	keepSamples = 120
)

// sample is what happened at one port of a server between two readings of its counts.
type sample struct {
	rate float64 // requests a second, retransmissions not counted
	trip float64 // mean round trip in seconds; 0: nothing was answered
}

// sampler keeps the last samples of every port of every server.
type sampler struct {
	metrics *metrics.Metrics // static after construction

	mu     locks.Mutex[locks.Sampler] // guards the rest
	last   map[endpoint]metrics.ServerCounts
	at     time.Time // when last was taken
	series map[endpoint][]sample
}

func newSampler(m *metrics.Metrics) *sampler {
	return &sampler{metrics: m, last: map[endpoint]metrics.ServerCounts{}, series: map[endpoint][]sample{}}
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

// observe reads the counts and keeps a sample of what has happened since the last reading.
func (s *sampler) observe(now time.Time) {
	counts := s.metrics.Servers()
	s.mu.Lock()
	defer s.mu.Unlock()
	elapsed := now.Sub(s.at).Seconds()
	s.forget(counts)
	for _, c := range counts {
		key := endpoint{c.Name, c.Port}
		if before, known := s.last[key]; known && elapsed > 0 {
			list := append(s.series[key], between(&before, &c, elapsed))
			s.series[key] = list[max(0, len(list)-keepSamples):]
		}
		s.last[key] = c
	}
	s.at = now
}

// forget removes the samples of servers that have been removed, or that have been added
// again and counted from zero since the last reading. Called with mu held.
func (s *sampler) forget(counts []metrics.ServerCounts) {
	now := map[endpoint]*metrics.ServerCounts{}
	for i := range counts {
		now[endpoint{counts[i].Name, counts[i].Port}] = &counts[i]
	}
	for key, before := range s.last {
		if c := now[key]; c == nil || restarted(&before, c) {
			delete(s.last, key)
			delete(s.series, key)
		}
	}
}

// restarted reports whether the counts began at zero again.
func restarted(before, now *metrics.ServerCounts) bool {
	for i := range now.Counts {
		if now.Counts[i] < before.Counts[i] {
			return true
		}
	}
	return now.Timed < before.Timed
}

// between returns a sample from two readings that are seconds apart.
func between(before, now *metrics.ServerCounts, seconds float64) sample {
	one := sample{rate: float64(now.Counts[metrics.ServerSent]-before.Counts[metrics.ServerSent]) / seconds}
	if n := now.Timed - before.Timed; n > 0 {
		one.trip = (now.TimeSum - before.TimeSum).Seconds() / float64(n)
	}
	return one
}

// of returns a copy of one port's samples, the oldest first.
func (s *sampler) of(key endpoint) []sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]sample(nil), s.series[key]...)
}
