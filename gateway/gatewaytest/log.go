package gatewaytest

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"
)

// Log is where a gateway logs to. It may be read at any time.
type Log struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Await waits until the log holds the text.
func (l *Log) Await(t testing.TB, text string) {
	t.Helper()
	deadline, tick := time.After(Patience), time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(l.String(), text) {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("expected %q, got\n%s", text, l.String())
		}
	}
}
