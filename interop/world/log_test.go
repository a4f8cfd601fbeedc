//go:build linux

package world

import (
	"bytes"
	"strings"
	"sync"
	"time"
)

// log is what the program has printed.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{} // closed and replaced at each write
}

func newLog() *log { return &log{more: make(chan struct{})} }

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(b)
	close(l.more)
	l.more = make(chan struct{})
	return len(b), nil
}

func (l *log) snapshot() (string, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String(), l.more
}

// await waits until the text so far is as wanted.
func (l *log) await(within time.Duration, wanted func(text string) bool) bool {
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	for {
		text, more := l.snapshot()
		if wanted(text) {
			return true
		}
		select {
		case <-more:
		case <-deadline.C:
			return false
		}
	}
}

// count returns how many lines hold all of the words.
func (l *log) count(words ...string) int {
	text, _ := l.snapshot()
	return lines(text, words...)
}

// without returns how many lines do not hold a word.
func (l *log) without(word string) int {
	text, _ := l.snapshot()
	return strings.Count(text, "\n") - lines(text, word)
}

func lines(text string, words ...string) (n int) {
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

// tail returns the last n lines, long ones cut.
func (l *log) tail(n int) string {
	text, _ := l.snapshot()
	all := strings.Split(text, "\n")
	all = all[max(0, len(all)-n):]
	for i, line := range all {
		all[i] = line[:min(len(line), 300)]
	}
	return strings.Join(all, "\n")
}
