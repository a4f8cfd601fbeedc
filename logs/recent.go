package logs

import (
	"cmp"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"radsec-gw/locks"
)

// Entry is the lines of one cause that were logged as warnings or errors, folded into one:
// those with the same level, message and cause (see causeFields).
type Entry struct {
	First, Last time.Time
	Count       int // lines, with those that limits suppressed as far as later lines have reported them
	Level       slog.Level
	Source      Source
	Message     string
	Fields      []Field // of the last line
}

// Field is one attribute of a line.
type Field struct{ Key, Value string }

// Source is who has caused a line. Each source has entries of its own: what strangers
// cause cannot displace what the gateway says about itself.
type Source uint8

// The sources.
const (
	SourceGateway Source = iota // its configuration, files, certificates, descriptors, log
	SourceServer                // a RADIUS server
	SourcePeer                  // whoever connects
	NumSources    = iota
)

// String returns the name of the source.
func (s Source) String() string { return [NumSources]string{"gateway", "server", "peer"}[s] }

const (
	keepEntries = 40  // of each source and level
	longestText = 300 // bytes kept of one value: peers choose some of them
)

// causeFields are the fields whose values distinguish causes of the same message. Peers
// choose none of these values.
var causeFields = []string{"result", "reason", "server", "port", "client", "kind", "what", "mistake", "finding", "attribute", "output"}

// peerFields are the fields that lines about peers have.
var peerFields = []string{"peer", "connection", "most_from"}

// cause is what the lines of one entry have in common.
type cause struct {
	level   slog.Level
	message string
	values  string // of causeFields
}

// recent is the last entries, for the status page.
type recent struct {
	mu      locks.Mutex[locks.RecentLines]
	entries map[cause]*Entry // at most keepEntries of each source, for errors and for warnings
}

// add adds a line. Of the entry, First and Count need not be set.
func (r *recent) add(e Entry) {
	e.Source = sourceOfLine(e.Fields)
	e.First, e.Count = e.Last, 1
	if i := slices.IndexFunc(e.Fields, func(f Field) bool { return f.Key == "suppressed" }); i >= 0 {
		if n, err := strconv.Atoi(e.Fields[i].Value); err == nil && n > 0 {
			e.Count += n
		}
	}
	key := causeOf(&e)
	r.mu.Lock()
	defer r.mu.Unlock()
	if old := r.entries[key]; old != nil {
		e.First, e.Count = old.First, old.Count+e.Count
		*old = e
		return
	}
	r.makeSpace(&e)
	if r.entries == nil {
		r.entries = map[cause]*Entry{}
	}
	r.entries[key] = &e
}

// makeSpace removes the entry that has recurred longest ago if there are too many of the
// source and level of e. With mu held.
func (r *recent) makeSpace(e *Entry) {
	n, oldest := 0, cause{}
	for key, old := range r.entries {
		if old.Source != e.Source || isError(old.Level) != isError(e.Level) {
			continue
		}
		if n == 0 || old.Last.Before(r.entries[oldest].Last) {
			oldest = key
		}
		n++
	}
	if n >= keepEntries {
		delete(r.entries, oldest)
	}
}

func isError(l slog.Level) bool { return l >= slog.LevelError }

// list returns the entries, the one that recurred last first.
func (r *recent) list() []Entry {
	r.mu.Lock()
	list := make([]Entry, 0, len(r.entries))
	for _, e := range r.entries {
		list = append(list, *e) // its fields are replaced as a whole
	}
	r.mu.Unlock()
	slices.SortFunc(list, func(a, b Entry) int {
		if c := cmp.Or(b.Last.Compare(a.Last), strings.Compare(a.Message, b.Message)); c != 0 {
			return c
		}
		return strings.Compare(causeOf(&a).values, causeOf(&b).values)
	})
	return list
}

// sourceOfLine returns who has caused a line with these fields.
func sourceOfLine(fields []Field) Source {
	source := SourceGateway
	for _, f := range fields {
		switch {
		case slices.Contains(peerFields, f.Key):
			return SourcePeer
		case f.Key == "server":
			source = SourceServer
		}
	}
	return source
}

// causeOf returns the cause of a line.
func causeOf(e *Entry) cause {
	var values strings.Builder
	for _, f := range e.Fields {
		if slices.Contains(causeFields, f.Key) {
			values.WriteString(f.Key + "\x00" + f.Value + "\x00")
		}
	}
	return cause{e.Level, e.Message, values.String()}
}

func fieldOf(a slog.Attr) Field {
	return Field{Key: a.Key, Value: Clip(a.Value.Resolve().String())}
}

// Clip makes a text fit for people to read in a table: it escapes what cannot be printed
// (control characters, those that change the direction of text, octets that are not UTF-8)
// and cuts what is too long, between two characters.
func Clip(s string) string {
	n := len(s)
	if n > longestText {
		for n = longestText; n > 0 && !utf8.RuneStart(s[n]); n-- {
		}
	}
	text := printable(s[:n])
	if n < len(s) {
		text += "…"
	}
	return text
}

// printable returns s with what cannot be printed escaped as in a Go string.
func printable(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case unicode.IsPrint(r) && (r != utf8.RuneError || size > 1):
			b.WriteString(s[:size])
		default:
			quoted := strconv.QuoteToASCII(s[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		s = s[size:]
	}
	return b.String()
}
