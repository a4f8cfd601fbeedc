package logs

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// plainText is a logger that writes lines without time and level to s.
func plainText(s *sink) *slog.Logger {
	return slog.New(slog.NewTextHandler(s, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// take returns what was written since the last call.
func (s *sink) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.text.Reset()
	return strings.TrimSpace(s.text.String())
}

// A flood of one cause is a line at once and a line when the minute is over, with
// how many more there were; nothing remains unreported.
func TestALimiterReportsWhatItSuppressed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{}
		log := plainText(s)
		var l Limiter
		write := func(what string) {
			l.Log(func() Line { return Line{log, slog.LevelWarn, what, []any{"k", 1}} })
		}
		expect := func(when string, lines ...string) {
			t.Helper()
			synctest.Wait()
			if got, want := s.take(), strings.Join(lines, "\n"); got != want {
				t.Errorf("%s: logged %q, expected %q", when, got, want)
			}
		}
		for i := range 500 {
			write(fmt.Sprint("m", i))
		}
		expect("at once", "msg=m0 k=1")
		time.Sleep(61 * time.Second)
		expect("after a minute", "msg=m1 k=1 suppressed=498")
		write("m500")
		expect("soon after that", []string{}...)
		time.Sleep(61 * time.Second)
		expect("after the second minute", "msg=m500 k=1")
		time.Sleep(time.Hour)
		expect("when nothing else happens", []string{}...)
		write("m501")
		expect("much later", "msg=m501 k=1")
	})
}

// A function that makes a line may log with the same limiter: what it logs counts with the
// others.
func TestALineThatUsesItsLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{}
		log := plainText(s)
		var l Limiter
		line := func(text string, before func()) func() Line {
			return func() Line { before(); return Line{log, slog.LevelWarn, text, nil} }
		}
		write := func(text string) { l.Log(line(text, func() {})) }
		l.Log(line("m0", func() { write("m1") }))
		if got := s.take(); got != "msg=m0" {
			t.Errorf("logged %q at once, expected m0", got)
		}
		time.Sleep(61 * time.Second)
		if got := s.take(); got != "msg=m1" {
			t.Errorf("logged %q after a minute, expected m1", got)
		}
		l.Log(line("m2", func() { write("m3"); l.Allow() }))
		time.Sleep(61 * time.Second)
		if got := s.take(); got != "msg=m2 suppressed=2" {
			t.Errorf("logged %q after two minutes, expected m2 and the two others as suppressed", got)
		}
	})
}

// While a suppressed line is made its minute may end: either a later line reports it, or
// it is reported as soon as it is made; never both.
func TestALineThatTakesLong(t *testing.T) {
	for _, row := range []struct {
		later       bool // another line comes first
		first, then string
	}{{true, "msg=m2 suppressed=1", ""}, {false, "", "msg=m1"}} {
		synctest.Test(t, func(t *testing.T) {
			s := &sink{}
			log := plainText(s)
			var l Limiter
			line := func(text string, takes time.Duration) {
				l.Log(func() Line { time.Sleep(takes); return Line{log, slog.LevelWarn, text, nil} })
			}
			line("m0", 0)
			s.take()
			go line("m1", 70*time.Second)
			time.Sleep(61 * time.Second)
			if row.later {
				line("m2", 0)
			}
			if got := s.take(); got != row.first {
				t.Errorf("logged %q when the minute was over, expected %q", got, row.first)
			}
			time.Sleep(10 * time.Second)
			if got := s.take(); got != row.then {
				t.Errorf("logged %q when the line was made, expected %q", got, row.then)
			}
			time.Sleep(time.Hour)
			if got := s.take(); got != "" {
				t.Errorf("logged %q later, expected nothing", got)
			}
		})
	}
}

func TestALimiterForACallerThatWritesItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Limiter
		const pause = time.Minute
		start := time.Now()
		for _, row := range []struct {
			now        time.Duration
			suppressed int
			ok         bool
		}{{0, 0, true}, {time.Second, 0, false}, {pause - 1, 0, false}, {pause, 2, true}, {pause + 1, 0, false}} {
			time.Sleep(row.now - time.Since(start))
			if suppressed, ok := l.Allow(); suppressed != row.suppressed || ok != row.ok {
				t.Errorf("after %v: got %d, %v, expected %d, %v", row.now, suppressed, ok, row.suppressed, row.ok)
			}
		}
	})
}
