package tlsfront

import (
	"sync"
	"time"
)

// Log lines that peers cause: a burst, then so many a second. A peer that
// connects in a loop fills neither the disk nor the operator's eyes; the
// metrics count every connection all the same.
const (
	linesBurst     = 200
	linesPerSecond = 20
)

// tellAfter is how long lines are held back until their number is told, if no
// line that may be written has told it before.
const tellAfter = 10 * time.Second

// logLimit is a bucket of tokens, one for each log line. Its zero value is full.
type logLimit struct {
	mu     sync.Mutex // guards all
	used   float64    // tokens taken and not come back
	last   time.Time
	missed int // lines held back since the last one let through
}

// allow reports whether a line may be written now, and how many were held
// back before it. The first that is held back has tell called some time later
// with the number of those that no line has told by then.
func (l *logLimit) allow(now time.Time, tell func(missed int)) (missed int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used = max(0, l.used-now.Sub(l.last).Seconds()*linesPerSecond)
	l.last = now
	if l.used+1 > linesBurst {
		if l.missed++; l.missed == 1 {
			time.AfterFunc(tellAfter, func() { l.catchUp(tell) })
		}
		return 0, false
	}
	l.used++
	missed, l.missed = l.missed, 0
	return missed, true
}

func (l *logLimit) catchUp(tell func(missed int)) {
	l.mu.Lock()
	missed := l.missed
	l.missed = 0
	l.mu.Unlock()
	if missed > 0 {
		tell(missed)
	}
}
