package logs

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"radsec-gw/locks"
)

// Log is the slog.Handler of the process, and the Output behind it. It has the
// level and the form of lines, which can be changed while the process runs; it
// limits the lines of one message; and it keeps the last warnings for the status
// page. Its methods may be called from any goroutine.
type Log struct {
	shared     *shared      // with all handlers made from this one
	text, json slog.Handler // of which shared.json chooses
	bound      []Field      // of WithAttrs, for the status page
}

// Config is what can be changed while the process runs.
type Config struct {
	Level slog.Level
	JSON  bool // the form of lines; else key=value
	// Journal has each line begin with its priority as systemd's journal reads it; see
	// IsJournal. Fixed by New.
	Journal bool
}

// shared is what the handlers made from one Log share.
type shared struct {
	// static after construction
	out   *Output
	flood *keyed[string] // by message

	level   slog.LevelVar
	json    atomic.Bool
	recent  recent
	onLevel atomic.Pointer[func()] // called after the level has changed; nil: none

	mu         locks.Mutex[locks.LogLevel] // guards configured
	configured slog.Level
}

// messageLimits are the limits of lines with the same message. Messages are constants of
// the program and warnings about its configuration.
var messageLimits = limits{each: rate{burst: 100, every: time.Second / 10}, keys: 512, report: 10 * time.Second}

// New returns a Log that writes to w. The caller must call Close.
func New(w io.Writer, c Config) *Log {
	l := &Log{shared: &shared{out: newOutput(w, queueBytes, queueLines)}}
	s := l.shared
	s.out.notice, s.out.losing, s.out.priorities = s.notice, s.lossBegan, c.Journal
	to := lineWriter{s.out}
	l.text, l.json = newHandler(to, false), newHandler(to, true)
	s.flood = newKeyed(messageLimits, l.flooded)
	s.configured = c.Level
	s.level.Set(c.Level)
	s.json.Store(c.JSON)
	go s.out.run()
	return l
}

// Of returns the Log that log writes to. For a logger with another handler it returns a
// Log that passes lines to that handler, and has no Output.
func Of(log *slog.Logger) *Log {
	h := log.Handler()
	if l, ok := h.(*Log); ok {
		return l
	}
	l := &Log{shared: &shared{configured: slog.LevelDebug}, text: h, json: h}
	l.shared.flood = newKeyed(messageLimits, l.flooded)
	l.shared.level.Set(slog.LevelDebug)
	return l
}

// lineWriter is an Output as an io.Writer for slog's handlers, which call Write once for
// each line.
type lineWriter struct{ out *Output }

func (w lineWriter) Write(line []byte) (int, error) {
	w.out.Put(KindEvent, line)
	return len(line), nil
}

// Close writes what is queued, within a second.
func (l *Log) Close() { l.shared.out.Close() }

// Output returns where the lines go; nil for a Log that has none.
func (l *Log) Output() *Output { return l.shared.out }

// Configure changes the level and the form of lines for all loggers made from
// this Log. A level that was set by a signal or over HTTP stays while the
// configured one is the same.
func (l *Log) Configure(c Config) {
	s := l.shared
	s.json.Store(c.JSON)
	s.mu.Lock()
	changed := c.Level != s.configured
	s.configured = c.Level
	s.mu.Unlock()
	if changed {
		l.SetLevel(c.Level)
	}
}

// Level returns the current level.
func (l *Log) Level() slog.Level { return l.shared.level.Level() }

// SetLevel changes the level for all loggers made from this Log.
func (l *Log) SetLevel(to slog.Level) {
	l.shared.level.Set(to)
	if f := l.shared.onLevel.Load(); f != nil {
		(*f)()
	}
}

// OnLevel has f called after each change of the level. f must not block, and must not
// change the level. There is one such function.
func (l *Log) OnLevel(f func()) { l.shared.onLevel.Store(&f) }

// ConfiguredLevel returns the level that was configured last.
func (l *Log) ConfiguredLevel() slog.Level {
	l.shared.mu.Lock()
	defer l.shared.mu.Unlock()
	return l.shared.configured
}

// Recent returns the last warnings and errors, folded by their causes; the one that
// recurred last is the first.
func (l *Log) Recent() []Entry { return l.shared.recent.list() }

// handler returns the handler of the configured form.
func (l *Log) handler() slog.Handler {
	if l.shared.json.Load() {
		return l.json
	}
	return l.text
}

// Enabled implements slog.Handler. Warnings are enabled at every level, for the status
// page.
func (l *Log) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn || l.passes(ctx, level)
}

func (l *Log) passes(ctx context.Context, level slog.Level) bool {
	return level >= l.Level() && l.handler().Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (l *Log) Handle(ctx context.Context, r slog.Record) error {
	if ctx.Value(limitedKey{}) == nil {
		suppressed, ok := l.shared.flood.allow(r.Message)
		if !ok {
			return nil
		}
		if suppressed > 0 {
			r = r.Clone()
			r.AddAttrs(slog.Int("suppressed", suppressed))
		}
	}
	if r.Level >= slog.LevelWarn {
		l.remember(&r)
	}
	if !l.passes(ctx, r.Level) {
		return nil
	}
	return l.handler().Handle(ctx, r)
}

// remember keeps the record for the status page.
func (l *Log) remember(r *slog.Record) {
	e := Entry{Last: r.Time, Level: r.Level, Message: r.Message}
	e.Fields = append(e.Fields, l.bound...)
	r.Attrs(func(a slog.Attr) bool {
		e.Fields = append(e.Fields, fieldOf(a))
		return true
	})
	l.shared.recent.add(e)
}

// WithAttrs implements slog.Handler.
func (l *Log) WithAttrs(as []slog.Attr) slog.Handler {
	bound := l.bound[:len(l.bound):len(l.bound)]
	for _, a := range as {
		bound = append(bound, fieldOf(a))
	}
	return &Log{shared: l.shared, text: l.text.WithAttrs(as), json: l.json.WithAttrs(as), bound: bound}
}

// WithGroup implements slog.Handler. The status page shows the fields without the group's
// name.
func (l *Log) WithGroup(name string) slog.Handler {
	return &Log{shared: l.shared, text: l.text.WithGroup(name), json: l.json.WithGroup(name), bound: l.bound}
}

// flooded logs how many lines the limit for each message has suppressed.
func (l *Log) flooded(all suppressed[string]) {
	Line{Log: slog.New(l), Level: slog.LevelWarn, Text: "log lines were suppressed, there were too many like them",
		Fields: []any{"messages", len(all.keys), "most", all.most}}.write(all.lines)
}

// lossBegan adds an entry to the status page, because the log itself cannot be written
// now.
func (s *shared) lossBegan() {
	s.recent.add(Entry{Last: time.Now(), Level: slog.LevelWarn,
		Message: "log lines are lost from now on: nobody reads standard error, or what it is written to is full"})
}

// notice returns the line that reports lost lines.
func (s *shared) notice(lost Losses) []byte {
	r := slog.NewRecord(time.Now(), slog.LevelWarn, "log lines were lost before this one: nobody read standard error, or what it is written to was full", 0)
	r.AddAttrs(slog.Uint64("lost", lost.total()))
	for k := range Kind(NumKinds) {
		for why := range Reason(NumReasons) {
			if n := lost[k][why]; n > 0 {
				r.AddAttrs(slog.Uint64(k.String()+"_"+why.String(), n))
			}
		}
	}
	var line bytes.Buffer
	_ = newHandler(&line, s.json.Load()).Handle(context.Background(), r) // writing to a bytes.Buffer does not fail
	return line.Bytes()
}
