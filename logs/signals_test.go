//go:build unix

package logs

import (
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// SIGUSR1 makes the log say more, SIGUSR2 as configured, also after the
// configuration has changed.
func TestSignalsChangeTheLevel(t *testing.T) {
	s := &sink{}
	l := New(s, Config{Level: slog.LevelInfo})
	defer l.ObeySignals()()
	log := slog.New(l)
	level := func(sig syscall.Signal, want slog.Level) {
		t.Helper()
		if err := syscall.Kill(os.Getpid(), sig); err != nil {
			t.Fatal(err)
		}
		deadline, tick := time.After(10*time.Second), time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for l.Level() != want {
			select {
			case <-tick.C:
			case <-deadline:
				t.Fatalf("%v: the level is %v, expected %v", sig, l.Level(), want)
			}
		}
	}
	log.Debug("before")
	level(syscall.SIGUSR1, slog.LevelDebug)
	log.Debug("between")
	level(syscall.SIGUSR2, slog.LevelInfo)
	log.Debug("after")
	l.Configure(Config{Level: slog.LevelWarn})
	level(syscall.SIGUSR1, slog.LevelInfo)
	level(syscall.SIGUSR2, slog.LevelWarn)
	l.Close()
	if text := s.String(); strings.Contains(text, "msg=before") || !strings.Contains(text, "msg=between") || strings.Contains(text, "msg=after") {
		t.Errorf("written %s\nexpected the line between the two signals, and neither that before nor that after", text)
	}
}
