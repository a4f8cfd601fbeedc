package udpback

import (
	"sync"
	"time"
)

// Complaint lets one log line through a minute, and counts what it held back, so
// that a flood of one cause does not hide the others. The zero value is ready.
type Complaint struct {
	mu   sync.Mutex
	next time.Duration
	held int
}

const complaintPause = time.Minute

// Due says whether to speak now, and how many times it did not since the last.
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
