package udpback

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Complaint lets one log line through a minute, and counts what it held back, so
// that a flood of one cause does not hide the others. What was held back is told
// when the minute is over, even if nothing more comes. The zero value is ready.
type Complaint struct {
	mu    sync.Mutex
	next  time.Duration
	held  int
	first Line // of those held back
}

const complaintPause = time.Minute

// Line is a log line that is ready to be written; its field left_out is added.
type Line struct {
	Log    *slog.Logger
	Level  slog.Level
	Text   string
	Fields []any // as slog takes them
}

// Say writes a line, or counts it. The line is made only if it is to be written,
// now or when the minute is over.
func (c *Complaint) Say(now time.Duration, line func() Line) {
	c.mu.Lock()
	if now >= c.next {
		held := c.held
		c.next, c.held, c.first = now+complaintPause, 0, Line{}
		c.mu.Unlock()
		line().write(held)
		return
	}
	defer c.mu.Unlock()
	if c.held++; c.held == 1 {
		c.first = line()
		over := c.next
		time.AfterFunc(over-now, func() { c.catchUp(over) })
	}
}

// catchUp tells what was held back in the minute that was over then, unless a
// later line has.
func (c *Complaint) catchUp(over time.Duration) {
	c.mu.Lock()
	if c.next != over {
		c.mu.Unlock()
		return
	}
	held, line := c.held, c.first
	c.next, c.held, c.first = c.next+complaintPause, 0, Line{}
	c.mu.Unlock()
	if held > 0 {
		line.write(held - 1)
	}
}

func (l Line) write(leftOut int) {
	l.Log.Log(context.Background(), l.Level, l.Text, append(l.Fields[:len(l.Fields):len(l.Fields)], "left_out", leftOut)...)
}

// Due says whether to speak now, for who writes the line itself, and how many
// times it did not since the last.
func (c *Complaint) Due(now time.Duration) (held int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now < c.next {
		c.held++
		return 0, false
	}
	held, c.held, c.next = c.held, 0, now+complaintPause
	return held, true
}
