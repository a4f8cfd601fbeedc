package logs

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// limiterPause is the time between two lines of one Limiter.
const limiterPause = time.Minute

// Limiter lets one log line a minute through for one cause, and counts the
// others, so that a flood of one cause does not hide the rest. What was
// suppressed is told when the minute is over, even if nothing else is to be
// said then. The zero value is ready for use.
type Limiter struct {
	mu         sync.Mutex
	next       time.Duration // when a line may be written again
	suppressed int
	first      Line // of those suppressed
}

// Line is a log line that is ready to be written. When it stands for others,
// its field "suppressed" says how many.
type Line struct {
	Log    *slog.Logger
	Level  slog.Level
	Text   string
	Fields []any // as slog takes them
}

// Say writes a line, or counts it. The line is made only if it is to be written,
// now or when the minute is over. now is any clock that goes forward from zero.
func (l *Limiter) Say(now time.Duration, line func() Line) {
	l.mu.Lock()
	if now >= l.next {
		suppressed := l.suppressed
		l.next, l.suppressed, l.first = now+limiterPause, 0, Line{}
		l.mu.Unlock()
		line().write(suppressed)
		return
	}
	defer l.mu.Unlock()
	if l.suppressed++; l.suppressed == 1 {
		l.first = line()
		over := l.next
		time.AfterFunc(over-now, func() { l.catchUp(over) })
	}
}

// catchUp writes the first line suppressed in the minute that was over then,
// unless a later line has told of it.
func (l *Limiter) catchUp(over time.Duration) {
	l.mu.Lock()
	if l.next != over {
		l.mu.Unlock()
		return
	}
	suppressed, line := l.suppressed, l.first
	l.next, l.suppressed, l.first = l.next+limiterPause, 0, Line{}
	l.mu.Unlock()
	if suppressed > 0 {
		line.write(suppressed - 1)
	}
}

// Due is Say for a caller that writes the line itself: it reports whether to
// write it now, and how many were suppressed since the last.
func (l *Limiter) Due(now time.Duration) (suppressed int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now < l.next {
		l.suppressed++
		return 0, false
	}
	suppressed, l.suppressed, l.next = l.suppressed, 0, now+limiterPause
	return suppressed, true
}

func (l Line) write(suppressed int) {
	fields := l.Fields
	if suppressed > 0 {
		fields = append(fields[:len(fields):len(fields)], "suppressed", suppressed)
	}
	l.Log.Log(limited, l.Level, l.Text, fields...)
}

// limited is the context of lines that a limiter has let through: Log does not
// limit them once more.
var limited = context.WithValue(context.Background(), limitedKey{}, true)

type limitedKey struct{}
