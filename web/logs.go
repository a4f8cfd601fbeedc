package web

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Logs is a slog.Handler in front of another. It has the level, which can be
// changed while the gateway runs; it holds a flood of one message back and says
// how many lines it left out; and it keeps the last warnings for the status page.
type Logs struct {
	shared *logState // with all handlers made from this one
	inner  slog.Handler
	bound  []LogField // of WithAttrs, for the page
}

// logState is what the handlers share.
type logState struct {
	level slog.LevelVar
	now   func() time.Time // static after construction

	mu     sync.Mutex // guards the rest
	flood  map[string]*flood
	recent []LogEntry // a ring of keepEntries
	next   int
}

// LogEntry is one line that was logged as a warning or an error.
type LogEntry struct {
	Time    time.Time
	Level   slog.Level
	Message string
	Fields  []LogField
}

// LogField is one attribute of a line.
type LogField struct{ Key, Value string }

const (
	keepEntries = 50
	longestText = 300 // octets kept of one value: peers choose some of them

	floodBurst     = 100 // lines of one message at once, and then
	floodPerSecond = 10

	floodTell = 10 * time.Second // when what was left out is told, if no later line has
)

// flood is a bucket of tokens for one message. Messages are constants of the
// program: there is no more than a few dozen.
type flood struct {
	used float64 // lines taken and not come back
	last time.Time
	left int // lines left out since the last that was let through
}

// NewLogs returns a handler that passes on what level lets through.
func NewLogs(inner slog.Handler, level slog.Level) *Logs {
	s := &logState{now: time.Now, flood: map[string]*flood{}}
	s.level.Set(level)
	return &Logs{shared: s, inner: inner}
}

// Level returns the level in force.
func (l *Logs) Level() slog.Level { return l.shared.level.Level() }

// SetLevel changes it for all loggers made from this handler.
func (l *Logs) SetLevel(to slog.Level) { l.shared.level.Set(to) }

// Enabled implements slog.Handler. Warnings are taken at every level, for the page.
func (l *Logs) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn || l.passes(ctx, level)
}

func (l *Logs) passes(ctx context.Context, level slog.Level) bool {
	return level >= l.Level() && l.inner.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (l *Logs) Handle(ctx context.Context, r slog.Record) error {
	left, ok := l.shared.take(&r, l.catchUp)
	if !ok {
		return nil
	}
	if r.Level >= slog.LevelWarn {
		l.remember(&r)
	}
	if !l.passes(ctx, r.Level) {
		return nil
	}
	if left > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Int("left_out", left))
	}
	return l.inner.Handle(ctx, r)
}

// take says whether the message may be logged now, and how many like it were
// left out since the last.
func (s *logState) take(r *slog.Record, catchUp func(*flood, slog.Level, string)) (left int, ok bool) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.flood[r.Message]
	if f == nil {
		f = &flood{}
		s.flood[r.Message] = f
	}
	f.used = max(0, f.used-now.Sub(f.last).Seconds()*floodPerSecond)
	f.last = now
	if f.used+1 > floodBurst {
		if f.left++; f.left == 1 {
			level, message := r.Level, r.Message
			time.AfterFunc(floodTell, func() { catchUp(f, level, message) })
		}
		return 0, false
	}
	f.used++
	left, f.left = f.left, 0
	return left, true
}

// catchUp tells how many lines with a message were left out, unless a later line
// has.
func (l *Logs) catchUp(f *flood, level slog.Level, message string) {
	l.shared.mu.Lock()
	left := f.left
	f.left = 0
	l.shared.mu.Unlock()
	if left == 0 || !l.passes(context.Background(), level) {
		return
	}
	r := slog.NewRecord(time.Now(), level, "log lines were left out, there were too many of them", 0)
	r.AddAttrs(slog.String("lines", message), slog.Int("left_out", left))
	_ = l.inner.Handle(context.Background(), r)
}

// remember keeps the record for the page.
func (l *Logs) remember(r *slog.Record) {
	e := LogEntry{Time: r.Time, Level: r.Level, Message: r.Message}
	e.Fields = append(e.Fields, l.bound...)
	r.Attrs(func(a slog.Attr) bool {
		e.Fields = append(e.Fields, fieldOf(a))
		return true
	})
	s := l.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.recent) < keepEntries {
		s.recent = append(s.recent, e)
		return
	}
	s.recent[s.next] = e
	s.next = (s.next + 1) % keepEntries
}

// Recent returns the last warnings and errors, the newest first.
func (l *Logs) Recent() []LogEntry {
	s := l.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.recent)
	list := make([]LogEntry, 0, n)
	for i := range n {
		list = append(list, s.recent[(s.next+2*n-1-i)%n])
	}
	return list
}

// WithAttrs implements slog.Handler.
func (l *Logs) WithAttrs(as []slog.Attr) slog.Handler {
	bound := l.bound[:len(l.bound):len(l.bound)]
	for _, a := range as {
		bound = append(bound, fieldOf(a))
	}
	return &Logs{shared: l.shared, inner: l.inner.WithAttrs(as), bound: bound}
}

// WithGroup implements slog.Handler. The page shows the fields without the group's name.
func (l *Logs) WithGroup(name string) slog.Handler {
	return &Logs{shared: l.shared, inner: l.inner.WithGroup(name), bound: l.bound}
}

func fieldOf(a slog.Attr) LogField {
	return LogField{Key: a.Key, Value: clip(a.Value.Resolve().String())}
}

// clip cuts a text that is too long for the page, between two characters.
func clip(s string) string {
	if len(s) <= longestText {
		return s
	}
	n := longestText
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// showLevel answers GET /loglevel.
func (s *Server) showLevel(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, strings.ToLower(s.cfg.Logs.Level().String()))
}

// changeLevel answers PUT /loglevel, whose body is "debug", "info", "warn" or
// "error". It needs a token even where reading needs none: whoever may reach
// the port could else hide what happens next.
func (s *Server) changeLevel(w http.ResponseWriter, r *http.Request) {
	if len(s.cfg.Token) == 0 {
		http.Error(w, "the level can be changed here only when [metrics] has a token; SIGUSR1 and SIGUSR2 change it without", http.StatusForbidden)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "expected a body of one word", http.StatusRequestEntityTooLarge)
		return
	}
	var level slog.Level
	word := strings.ToLower(strings.TrimSpace(string(body)))
	switch word {
	case "debug":
		level = slog.LevelDebug
	case "info":
		level = slog.LevelInfo
	case "warn":
		level = slog.LevelWarn
	case "error":
		level = slog.LevelError
	default:
		http.Error(w, "expected debug, info, warn or error as the body", http.StatusBadRequest)
		return
	}
	s.cfg.Logs.SetLevel(level)
	slog.New(s.cfg.Logs).Warn("the log level was changed over HTTP", "level", word, "from", r.RemoteAddr)
	s.showLevel(w, r)
}
