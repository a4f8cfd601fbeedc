package logs

import (
	"log/slog"
	"time"
	"unicode/utf8"

	"radsec-gw/locks"
)

// Entry is one line that was logged as a warning or an error.
type Entry struct {
	Time    time.Time
	Level   slog.Level
	Message string
	Fields  []Field
}

// Field is one attribute of a line.
type Field struct{ Key, Value string }

const (
	keepEntries = 50
	longestText = 300 // bytes kept of one value: peers choose some of them
)

// recent is the last entries, for the status page.
type recent struct {
	mu      locks.Mutex[locks.RecentLines]
	entries []Entry // a ring of keepEntries
	next    int
}

func (r *recent) add(e Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.entries) < keepEntries {
		r.entries = append(r.entries, e)
		return
	}
	r.entries[r.next] = e
	r.next = (r.next + 1) % keepEntries
}

// list returns the entries, the newest first.
func (r *recent) list() []Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.entries)
	list := make([]Entry, 0, n)
	for i := range n {
		list = append(list, r.entries[(r.next+2*n-1-i)%n])
	}
	return list
}

func fieldOf(a slog.Attr) Field {
	return Field{Key: a.Key, Value: Clip(a.Value.Resolve().String())}
}

// Clip cuts a text that is too long for people to read in a table, between two
// characters.
func Clip(s string) string {
	if len(s) <= longestText {
		return s
	}
	n := longestText
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
