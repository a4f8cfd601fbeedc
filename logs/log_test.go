package logs

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// inBubble runs a test with a Log on fake time; said returns what was written
// since it was last called.
func inBubble(t *testing.T, c Config, test func(l *Log, said func() string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &sink{}
		l := New(s, c)
		defer l.Close()
		test(l, func() string {
			synctest.Wait()
			return s.take()
		})
	})
}

func TestTheLevelHoldsLinesBackButNotFromThePage(t *testing.T) {
	inBubble(t, Config{Level: slog.LevelError}, func(l *Log, said func() string) {
		log := slog.New(l)
		log.Info("quiet")
		log.Warn("kept for the page", "why", "it is a warning")
		if got := said(); got != "" {
			t.Errorf("logged %q at level error, expected nothing", got)
		}
		if r := l.Recent(); len(r) != 1 || r[0].Message != "kept for the page" {
			t.Errorf("the page has %v, expected the warning", r)
		}
	})
}

// Level and form change for loggers that were made before.
func TestConfigureWhileRunning(t *testing.T) {
	inBubble(t, Config{Level: slog.LevelInfo}, func(l *Log, said func() string) {
		log := slog.New(l).With("server", "radius-a")
		log.Debug("hidden")
		log.Info("one")
		if got := said(); !strings.HasSuffix(got, "level=INFO msg=one server=radius-a") || strings.Contains(got, "hidden") {
			t.Errorf("logged %q, expected a line of text", got)
		}
		l.Configure(Config{Level: slog.LevelDebug, JSON: true})
		log.Debug("two")
		var line struct{ Msg, Server, Level string }
		if got := said(); json.Unmarshal([]byte(got), &line) != nil || line.Msg != "two" || line.Server != "radius-a" || line.Level != "DEBUG" {
			t.Errorf("logged %q, expected a line of JSON at level debug", got)
		}
		// A level that somebody has set stays when the configured one does not change.
		l.SetLevel(slog.LevelError)
		l.Configure(Config{Level: slog.LevelDebug})
		if got := l.Level(); got != slog.LevelError {
			t.Errorf("the level is %v, expected the one that was set, ERROR", got)
		}
		l.Configure(Config{Level: slog.LevelInfo})
		if got := l.Level(); got != slog.LevelInfo || l.ConfiguredLevel() != slog.LevelInfo {
			t.Errorf("the level is %v and the configured one %v, expected INFO", got, l.ConfiguredLevel())
		}
	})
}

// A flood of one message is cut, others go through, and the next line says how
// many were suppressed.
func TestAFloodOfOneMessage(t *testing.T) {
	inBubble(t, Config{}, func(l *Log, said func() string) {
		log := slog.New(l)
		const burst = 100
		for i := range burst + 50 {
			log.Warn("refused", "peer", i)
		}
		log.Warn("another")
		got := said()
		if n := strings.Count(got, "msg=refused"); n != burst {
			t.Errorf("%d lines of the flood were written, expected %d", n, burst)
		}
		if !strings.Contains(got, "msg=another") {
			t.Error("the flood hid another message")
		}
		time.Sleep(time.Second)
		log.Warn("refused", "peer", "last")
		if got := said(); !strings.HasSuffix(got, "peer=last suppressed=50") {
			t.Errorf("logged %q, expected the next line to report that 50 were suppressed", got)
		}
	})
}

// Suppressed lines of a flood are reported even if no line follows it.
func TestTheEndOfAFloodIsReported(t *testing.T) {
	inBubble(t, Config{}, func(l *Log, said func() string) {
		log := slog.New(l)
		for range 150 {
			log.Warn("refused")
		}
		said()
		time.Sleep(messageLimits.report + time.Second)
		if got, want := said(), `messages=1 most=refused suppressed=50`; !strings.HasSuffix(got, want) {
			t.Errorf("the log ends with %q, expected it to report %s", got, want)
		}
	})
}

// Messages that are all different do not fill the memory.
func TestMessagesAreForgotten(t *testing.T) {
	inBubble(t, Config{Level: slog.LevelError}, func(l *Log, said func() string) {
		log := slog.New(l)
		for i := range 10 * messageLimits.keys {
			log.Warn(fmt.Sprint("message ", i))
		}
		if n := len(l.shared.flood.entries); n != messageLimits.keys {
			t.Errorf("%d messages are remembered, expected %d", n, messageLimits.keys)
		}
	})
}

// A line that a limiter has allowed is not limited again as a message.
func TestLimitedLinesAreNotLimitedTwice(t *testing.T) {
	inBubble(t, Config{}, func(l *Log, said func() string) {
		s := NewSources(slog.New(l), "connections")
		for i := range 150 {
			s.Log(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), slog.LevelWarn, "refused", func() []any { return nil })
		}
		if n := strings.Count(said(), "msg=refused"); n != 150 {
			t.Errorf("%d lines from 150 sources, expected 150", n)
		}
	})
}

// Losses are told in the form that is configured, and at once on the page,
// which can be read when the log cannot.
func TestLossesAreReportedInTheLogAndOnThePage(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := &sink{hook: failing(syscall.EPIPE)}
			l := New(s, Config{JSON: asJSON})
			defer l.Close()
			log := slog.New(l)
			log.Info("one")
			l.Output().Put(KindRequest, []byte("two\n"))
			time.Sleep(time.Minute)
			if r := l.Recent(); len(r) != 1 || !strings.HasPrefix(r[0].Message, "log lines are lost from now on") {
				t.Errorf("the page has %v, expected it to report the loss once", r)
			}
			s.behave(nil)
			log.Info("three")
			time.Sleep(time.Second)
			synctest.Wait()
			lines := strings.Split(s.take(), "\n")
			if len(lines) != 2 || !strings.Contains(lines[0], "three") {
				t.Fatalf("written %q, expected a line and one that reports the loss", lines)
			}
			if want := "lost=2 event_write_failed=1 request_write_failed=1"; !asJSON && !strings.HasSuffix(lines[1], want) {
				t.Errorf("written %q, expected it to end with %s", lines[1], want)
			}
			var line struct {
				Lost    int
				Event   int `json:"event_write_failed"`
				Request int `json:"request_write_failed"`
				Level   string
			}
			if asJSON && (json.Unmarshal([]byte(lines[1]), &line) != nil || line.Lost != 2 || line.Event != 1 || line.Request != 1 || line.Level != "WARN") {
				t.Errorf("written %q, expected JSON that reports one event and one request", lines[1])
			}
		})
	}
}

// Lines of the standard library's log come as lines like any other.
func TestStd(t *testing.T) {
	inBubble(t, Config{}, func(l *Log, said func() string) {
		l.Std("the HTTP side", nil).Printf("panic serving %s:\n%s", "192.0.2.1", "stack")
		if got, want := said(), `level=WARN msg="the HTTP side" error="panic serving 192.0.2.1:\nstack"`; !strings.HasSuffix(got, want) {
			t.Errorf("logged %q, expected it to end with %s", got, want)
		}
		l.Std("x", func(line string) slog.Level { return slog.LevelDebug }).Print("hidden")
		if got := said(); got != "" {
			t.Errorf("logged %q, expected nothing of a line at level debug", got)
		}
	})
}

// A logger of another kind keeps its handler, and has no Output.
func TestOf(t *testing.T) {
	s := &sink{}
	l := Of(plainText(s))
	slog.New(l).Warn("one", "k", 1)
	if got := s.take(); got != "msg=one k=1" {
		t.Errorf("logged %q, expected the line of the handler", got)
	}
	if len(l.Recent()) != 1 || l.Output() != nil {
		t.Errorf("%d lines for the page and the Output %v, expected one and none", len(l.Recent()), l.Output())
	}
	if Of(slog.New(l)) != l {
		t.Error("the Log of a Log's logger is another")
	}
	l.Close()
}
