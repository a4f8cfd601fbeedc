package logs

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// Each line begins with the priority of its level, in both forms, also the lines of requests
// and those whose text names another level.
func TestLinesForTheJournalHavePriorities(t *testing.T) {
	for _, json := range []bool{false, true} {
		var out bytes.Buffer
		l := New(&out, Config{Level: slog.LevelDebug, JSON: json, Journal: true})
		log := slog.New(l)
		log.Debug("one")
		log.Info("two level=ERROR")
		log.Warn("three")
		log.Error("four")
		line := "time=2026-01-02T03:04:05.678Z level=DEBUG msg=request\n"
		if json {
			line = `{"time":"2026-01-02T03:04:05.678+01:00","level":"DEBUG","msg":"request"}` + "\n"
		}
		l.Output().Put(KindRequest, []byte(line))
		l.Output().Put(KindEvent, []byte("something else\n"))
		l.Close()
		var got []string
		for line := range strings.Lines(out.String()) {
			got = append(got, line[:3])
		}
		if want := "<7> <6> <4> <3> <7> <6>"; strings.Join(got, " ") != want {
			t.Errorf("json %t: got the priorities %q, expected %q, of\n%s", json, got, want, out.String())
		}
		if n := l.Output().Waiting(); n != 0 {
			t.Errorf("json %t: %d bytes count as waiting at the end, expected none", json, n)
		}
	}
}

// Without the journal lines are as they were.
func TestLinesWithoutPriorities(t *testing.T) {
	var out bytes.Buffer
	l := New(&out, Config{})
	slog.New(l).Error("one")
	l.Close()
	if !strings.HasPrefix(out.String(), "time=") {
		t.Errorf("the line is %q, expected no priority", out.String())
	}
}

func TestWithPriorities(t *testing.T) {
	if got, want := WithPriorities("a\nb\n"), "<3>a\n<3>b\n"; got != want {
		t.Errorf("got %q, expected %q", got, want)
	}
}
