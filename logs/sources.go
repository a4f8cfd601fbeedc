package logs

import (
	"context"
	"log/slog"
	"net/netip"
	"time"
)

// The limits of Sources. A peer that connects in a loop does not fill the disk: 20 lines
// of 400 bytes a second are 0.7 GB a day. Ten such sources use up the bucket for all, and
// then each other source has ten lines in the reserve: a client that is refused a few
// times is seen during any flood with fewer than ten new sources a second.
var (
	sourceEach    = rate{burst: 50, every: time.Second / 2}
	sourceAll     = rate{burst: 200, every: time.Second / 20}
	sourceReserve = rate{burst: 200, every: time.Second / 10}
)

const (
	sourceFew    = 10
	sourceKeys   = 4096 // of some 250 bytes: 1 MB
	sourceReport = 10 * time.Second
)

// Sources limits the log lines that peers cause, for each source address, so that a flood
// from some does not hide the others. The field "suppressed" of a line says how many like
// it were suppressed before it; those that no later line reports within some time are
// reported by one line for all sources. Its methods may be called from any goroutine.
type Sources struct {
	log   *slog.Logger
	about string
	lines *keyed[sourceLine]
}

// sourceLine is a kind of line about one source.
type sourceLine struct {
	source netip.Addr
	level  slog.Level
	text   string
}

// NewSources returns the limiter of lines about something, such as "RadSec
// connections", that go to log.
func NewSources(log *slog.Logger, about string) *Sources {
	return newSources(log, about, sourceEach, sourceReport)
}

// NewRareSources is like NewSources, but for lines that are expected to recur: each
// source has one line in every period.
func NewRareSources(log *slog.Logger, about string, period time.Duration) *Sources {
	return newSources(log, about, rate{burst: 1, every: period}, period)
}

func newSources(log *slog.Logger, about string, each rate, report time.Duration) *Sources {
	s := &Sources{log: log, about: about}
	s.lines = newKeyed(limits{each: each, all: sourceAll, reserve: sourceReserve, few: sourceFew, keys: sourceKeys, report: report}, s.report)
	return s
}

// Log writes a line that source has caused, an IPv4 address or the first of an
// IPv6 network, or counts it as suppressed, and reports which. attributes is called only
// when the line is written.
func (s *Sources) Log(source netip.Addr, level slog.Level, text string, attributes func() []any) bool {
	if !s.log.Enabled(context.Background(), level) {
		return false
	}
	suppressed, ok := s.lines.allow(sourceLine{source, level, text})
	if !ok {
		return false
	}
	Line{Log: s.log, Level: level, Text: text, Fields: attributes()}.write(suppressed)
	return true
}

// report writes the line for all sources.
func (s *Sources) report(all suppressed[sourceLine]) {
	level := slog.LevelInfo
	sources := map[netip.Addr]bool{}
	for _, k := range all.keys {
		level = max(level, k.level)
		sources[k.source] = true
	}
	Line{Log: s.log, Level: level, Text: "log lines about " + s.about + " were suppressed; the metrics count them all",
		Fields: []any{"sources", len(sources), "most_from", all.most.source.String()}}.write(all.lines)
}
