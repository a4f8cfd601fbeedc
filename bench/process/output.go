package process

import (
	"bytes"
	"strings"
	"sync"
	"time"
)

// Output collects what a program prints, and wakes those who wait for more. The zero
// value is empty and ready.
type Output struct {
	mu       sync.Mutex // guards the fields below
	text     bytes.Buffer
	more     chan struct{} // closed at the next write; nil when no one waits
	finished bool          // nothing more is written
}

// Write adds what was printed. It never fails.
func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wakeLocked()
	return o.text.Write(b)
}

// finish says that nothing more is written.
func (o *Output) finish() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.finished = true
	o.wakeLocked()
}

func (o *Output) wakeLocked() {
	if o.more != nil {
		close(o.more)
		o.more = nil
	}
}

// String returns what was printed so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// Await waits until ok reports true of the text so far. It reports false when that did not
// happen in time, or the program has ended before.
func (o *Output) Await(within time.Duration, ok func(text string) bool) bool {
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	for {
		text, more, finished := o.snapshot()
		switch {
		case ok(text):
			return true
		case finished:
			return false
		}
		select {
		case <-more:
		case <-deadline.C:
			return false
		}
	}
}

func (o *Output) snapshot() (text string, more <-chan struct{}, finished bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.more == nil {
		o.more = make(chan struct{})
	}
	return o.text.String(), o.more, o.finished
}

// Count returns how many lines contain all of the words.
func (o *Output) Count(words ...string) int { return CountLines(o.String(), words...) }

// Last returns the last n lines, long ones cut.
func (o *Output) Last(n int) string { return LastLines(o.String(), n) }

// CountLines returns how many lines of a text contain all of the words.
func CountLines(text string, words ...string) (n int) {
next:
	for line := range strings.Lines(text) {
		for _, word := range words {
			if !strings.Contains(line, word) {
				continue next
			}
		}
		n++
	}
	return n
}

// LastLines returns the last n lines of a text, each cut after 500 bytes.
func LastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	lines = lines[max(0, len(lines)-n):]
	for i, line := range lines {
		lines[i] = line[:min(len(line), 500)]
	}
	return strings.Join(lines, "\n")
}
