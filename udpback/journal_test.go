package udpback

import (
	"log/slog"
	"strings"
	"sync"
)

// journal is the log of a fixture, line by line and without times.
type journal struct {
	mu    sync.Mutex
	lines []string
}

// journal has the servers that are made from now on log to what it returns.
func (f *fixture) journal() *journal {
	j := new(journal)
	f.backend.log = slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	return j
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, strings.TrimSpace(string(line)))
	return len(line), nil
}

// take returns what was logged since the last call.
func (j *journal) take() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := j.lines
	j.lines = nil
	return lines
}
