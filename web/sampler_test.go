package web

import (
	"testing"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/web/status"
)

func TestChartsAndWords(t *testing.T) {
	c := chartOf([]float32{0, 5, 10}, 15*time.Second, "requests", chartWidth, chartHeight, formatRate)
	if c.Path != "M0 25l60 -12l60 -12" || c.Label != "requests over the last 45 seconds: now 10.0/s, at most 10.0/s" {
		t.Errorf("chart %+v", c)
	}
	if c := chartOf(nil, time.Second, "requests", chartWidth, chartHeight, formatRate); c.Path != "" || c.Label == "" {
		t.Errorf("an empty chart %+v", c)
	}
	long := make([]float32, daySteps)
	long[100] = 7
	if c := chartOf(long, dayStep, "requests", wideWidth, wideHeight, formatRate); len(c.Path) > 6*chartPoints || c.Label != "requests over the last 1 day: now 0/s, at most 7.0/s" {
		t.Errorf("a chart of a day has %d bytes and the label %q", len(c.Path), c.Label)
	}
	for d, want := range map[time.Duration]string{
		0: "0 seconds", time.Second: "1 second", 61 * time.Second: "1 minute 1 second", time.Hour + time.Minute: "1 hour 1 minute", time.Hour: "1 hour",
		25 * time.Hour: "1 day 1 hour", 400 * time.Hour: "16 days",
	} {
		if got := formatDuration(d); got != want {
			t.Errorf("%v reads %q, expected %q", d, got, want)
		}
	}
	for v, want := range map[float64]string{0: "–", 0.0005: "0.50 ms", 0.02: "20 ms", 3: "3.0 s"} {
		if got := formatReply(v); got != want {
			t.Errorf("%v s reads %q, expected %q", v, got, want)
		}
	}
}

// observeFor reads the counts every sampleEvery, and calls each before it.
func observeFor(s *sampler, at time.Time, d time.Duration, each func()) time.Time {
	for end := at.Add(d); at.Before(end); {
		at = at.Add(sampleEvery)
		each()
		s.observe(at)
	}
	return at
}

// The samples of the last hour and day are what was counted in each step, and bounded.
func TestSamplesAreDifferences(t *testing.T) {
	b := newBed(t, nil)
	server, s := b.m.Server("radius-a", "auth"), b.server.sampler
	at := time.Unix(1000, 0)
	server.Count(metrics.ServerSent, 1000)
	s.observe(at)
	work := func() {
		server.Count(metrics.ServerSent, 50)
		server.Count(metrics.ServerTimeouts, 5)
		server.CountReply(metrics.ReplyAccepted)
		server.ObserveReply(2 * time.Millisecond)
	}
	at = observeFor(s, at, 25*time.Hour, work)
	series := s.historyOf("radius-a", "auth")
	if series == nil || len(series.RequestsPerSecond) != daySteps || series.StepSeconds != 300 {
		t.Fatalf("expected a day in steps of five minutes, got %+v", series)
	}
	out := &status.Snapshot{Servers: []status.Server{{Name: "radius-a", Port: "auth"}}}
	s.fill(out)
	for i, one := range []status.Series{*series, out.History.Hour, out.History.Day} {
		last := len(one.RequestsPerSecond) - 1
		if one.RequestsPerSecond[last] != 10 || one.ReplySeconds[last] < 0.0019 || one.ReplySeconds[last] > 0.0021 || one.UnansweredPerSecond[last] != 1 {
			t.Errorf("series %d ends with %v/s, %v s, %v/s unanswered; expected 10, 0.002 and 1", i, one.RequestsPerSecond[last], one.ReplySeconds[last], one.UnansweredPerSecond[last])
		}
	}
	if n := len(out.History.Hour.RequestsPerSecond); n != hourSteps || out.Summary.RequestsPerSecond != 10 || out.Servers[0].RequestsPerSecond != 10 {
		t.Errorf("%d samples of the hour, %v/s in all, %v/s of the server; expected %d, 10 and 10", n, out.Summary.RequestsPerSecond, out.Servers[0].RequestsPerSecond, hourSteps)
	}
	observeFor(s, at, time.Minute, func() {})
	s.fill(out)
	if hour := out.History.Hour.RequestsPerSecond; hour[len(hour)-1] != 0 || hour[0] != 10 {
		t.Errorf("after a minute without requests the hour begins with %v and ends with %v; expected 10 and 0", hour[0], hour[len(hour)-1])
	}
}

// A server that was removed has no samples; one that was added again begins without any.
func TestSamplesOfServersThatGo(t *testing.T) {
	b := newBed(t, nil)
	s := b.server.sampler
	at := time.Unix(1000, 0)
	s.observe(at)
	at = observeFor(s, at, time.Minute, func() { b.m.Server("radius-a", "auth").Count(metrics.ServerSent, 100) })
	if got := s.historyOf("radius-a", "auth"); got == nil || len(got.RequestsPerSecond) != 3 {
		t.Fatalf("expected the steps of a minute but the first, in which it had sent nothing yet, got %+v", got)
	}
	b.m.KeepServers(func(name string, _ metrics.Port) bool { return name != "radius-a" })
	b.m.Server("radius-a", "auth").Count(metrics.ServerSent, 5) // before the next reading
	at = observeFor(s, at, sampleEvery, func() {})
	if got := s.historyOf("radius-a", "auth"); got == nil || len(got.RequestsPerSecond) != 0 {
		t.Errorf("a server that is back should have no samples yet, but it has %+v", got)
	}
	b.m.KeepServers(func(name string, _ metrics.Port) bool { return name != "radius-a" })
	observeFor(s, at, sampleEvery, func() {})
	if got := s.historyOf("radius-a", "auth"); got != nil {
		t.Errorf("a server that is gone should have no samples, but it has %+v", got)
	}
}

// At most maxHistories ports have a history, and ports that are never used have none.
func TestHistoriesAreBounded(t *testing.T) {
	b := newBed(t, nil)
	at := time.Unix(1000, 0)
	for i := range 2 * maxHistories {
		b.m.Server(string(rune('a'+i%26))+formatCount(float64(i)), "auth").Count(metrics.ServerSent, 1)
	}
	b.server.sampler.observe(at)
	traced := 0
	for _, one := range b.server.sampler.ports {
		if one.traced {
			traced++
		}
	}
	if traced != maxHistories || b.server.sampler.historyOf("radius-b", "auth") != nil {
		t.Errorf("%d ports have a history, expected %d, and none of an unused one", traced, maxHistories)
	}
}

// A counter has changed when its reading has, and its changes last until it rests for
// minutes.
func TestChanges(t *testing.T) {
	n := uint64(0)
	b := newBed(t, func(c *Config) { c.Counters = func() map[string]uint64 { return map[string]uint64{"lost": n} } })
	s, at := b.server.sampler, time.Unix(1000, 0)
	s.observe(at)
	if c := s.changed("lost"); c.Lasts(at) || !c.First.IsZero() {
		t.Errorf("before any: %+v", c)
	}
	first := at.Add(sampleEvery)
	at = observeFor(s, at, time.Minute, func() { n++ })
	if c := s.changed("lost"); !c.First.Equal(first) || !c.Began.Equal(first) || !c.Last.Equal(at) || !c.Lasts(at) {
		t.Errorf("after a minute of changes: %+v", c)
	}
	at = observeFor(s, at, 2*lasting, func() {})
	if c := s.changed("lost"); c.Lasts(at) {
		t.Errorf("after a long rest: %+v", c)
	}
	at = observeFor(s, at, sampleEvery, func() { n++ })
	if c := s.changed("lost"); !c.First.Equal(first) || !c.Began.Equal(at) || !c.Lasts(at) {
		t.Errorf("when it changes again: %+v", c)
	}
}

// A counter that falls, because a server that was counted in is gone, has not changed; what it
// counts after that has.
func TestACounterThatFallsHasNotChanged(t *testing.T) {
	n := uint64(10)
	b := newBed(t, func(c *Config) { c.Counters = func() map[string]uint64 { return map[string]uint64{"reply": n} } })
	s, at := b.server.sampler, time.Unix(1000, 0)
	s.observe(at)
	counted := at
	for _, falls := range []uint64{4, 0} {
		at = observeFor(s, at, 2*lasting, func() { n = falls })
		if c := s.changed("reply"); !c.Last.Equal(counted) || c.Lasts(at) {
			t.Errorf("after it fell to %d it should have changed last at %v, got %+v", falls, counted, c)
		}
		at = observeFor(s, at, sampleEvery, func() { n++ })
		if c := s.changed("reply"); !c.Last.Equal(at) || !c.Began.Equal(at) {
			t.Errorf("after %d it was counted again, but it has changed at %+v, expected %v", falls, c, at)
		}
		counted = at
	}
}
