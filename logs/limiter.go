package logs

import (
	"context"
	"log/slog"
	"time"

	"radsec-gw/locks"
)

// oneCause is how many lines one Limiter allows.
var oneCause = rate{burst: 1, every: time.Minute}

// Limiter allows one log line a minute for one cause, and counts the others, so that a
// flood of one cause does not hide the rest. Suppressed lines are reported when the
// minute is over, even if there is no other line to write then. The zero value is ready
// for use.
type Limiter struct {
	mu         locks.Mutex[locks.Limiter] // guards the fields below
	bucket     bucket
	suppressed int
	first      Line // of those suppressed
}

// Line is a log line that is ready to be written. When lines like it were suppressed, the
// field "suppressed" says how many.
type Line struct {
	Log    *slog.Logger
	Level  slog.Level
	Text   string
	Fields []any // as slog takes them
}

// Log writes a line, or counts it. It calls line only if the line may be written, now or
// when the minute is over, and without a lock: line may use the limiter itself.
func (l *Limiter) Log(line func() Line) {
	now := time.Now()
	l.mu.Lock()
	if l.bucket.has(oneCause, now) {
		suppressed := l.takeSuppressed(now)
		l.mu.Unlock()
		line().write(suppressed)
		return
	}
	l.suppressed++
	first, end := l.suppressed == 1, l.bucket.full
	l.mu.Unlock()
	if first {
		l.keep(line(), end)
	}
}

// keep keeps the first line suppressed in a minute, to be reported at its end. If a later
// line has reported it while it was made, keep does nothing.
func (l *Limiter) keep(line Line, end time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bucket.full == end {
		l.first = line
		time.AfterFunc(time.Until(end), func() { l.report(end) })
	}
}

// Allow is Log for a caller that writes the line itself: it reports whether to
// write it now, and how many were suppressed since the last.
func (l *Limiter) Allow() (suppressed int, ok bool) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.bucket.has(oneCause, now) {
		l.suppressed++
		return 0, false
	}
	return l.takeSuppressed(now), true
}

// takeSuppressed begins a minute with a line, and returns how many were suppressed
// in the one before. Called with mu held.
func (l *Limiter) takeSuppressed(now time.Time) (suppressed int) {
	l.bucket.take(oneCause, now)
	suppressed, l.suppressed, l.first = l.suppressed, 0, Line{}
	return suppressed
}

// report writes the first line suppressed in the minute that ended at end, unless a later
// line has reported it.
func (l *Limiter) report(end time.Time) {
	l.mu.Lock()
	if l.bucket.full != end {
		l.mu.Unlock()
		return
	}
	line := l.first
	suppressed := l.takeSuppressed(end)
	l.mu.Unlock()
	if suppressed > 0 {
		line.write(suppressed - 1)
	}
}

func (l Line) write(suppressed int) {
	fields := l.Fields
	if suppressed > 0 {
		fields = append(fields[:len(fields):len(fields)], "suppressed", suppressed)
	}
	l.Log.Log(limited, l.Level, l.Text, fields...)
}

// limited is the context of lines that a limiter has allowed: Log does not limit them
// again.
var limited = context.WithValue(context.Background(), limitedKey{}, true)

type limitedKey struct{}
