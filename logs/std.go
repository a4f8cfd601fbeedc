package logs

import (
	"context"
	"log"
	"log/slog"
	"strings"
)

// Std returns a logger for code that uses the standard library's log, such as net/http.
// Each of its lines becomes the field "error" of a line with this text. level returns the
// level of a line; if it is nil, lines are warnings.
func (l *Log) Std(text string, level func(line string) slog.Level) *log.Logger {
	if level == nil {
		level = func(string) slog.Level { return slog.LevelWarn }
	}
	return log.New(&stdWriter{log: slog.New(l), text: text, level: level}, "", 0)
}

type stdWriter struct {
	log   *slog.Logger
	text  string
	level func(line string) slog.Level
}

// Write implements io.Writer. The logger calls it once for each line.
func (s *stdWriter) Write(p []byte) (int, error) {
	line := strings.TrimRight(string(p), "\n")
	s.log.Log(context.Background(), s.level(line), s.text, "error", line)
	return len(p), nil
}
