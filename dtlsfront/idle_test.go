package dtlsfront

import (
	"log/slog"
	"testing"
	"time"
)

// A session without a request that lasts is not a health check: it is logged while it is open, once.
// Rules: DT12
func TestLastingSessionIsLogged(t *testing.T) {
	opened := time.Now()
	var lines []slog.Level
	s := &Session{server: new(Server), accepted: func(l slog.Level) { lines = append(lines, l) }}
	s.server.limits.Store(&Limits{})
	s.activity.LastRequest = opened
	s.check(opened.Add(lasting - 1))
	if len(lines) != 0 {
		t.Fatalf("it is logged before %v", lasting)
	}
	s.check(opened.Add(lasting))
	s.check(opened.Add(2 * lasting))
	if len(lines) != 1 || lines[0] != slog.LevelInfo {
		t.Errorf("it is logged at %v, expected once at INFO", lines)
	}
}
