package logs

import (
	"encoding"
	"fmt"
	"io"
	"log/slog"
	"reflect"
)

// newHandler writes lines to w, as JSON or as text, at every level.
func newHandler(w io.Writer, json bool) slog.Handler {
	o := &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: asText}
	if json {
		return slog.NewJSONHandler(w, o)
	}
	return slog.NewTextHandler(w, o)
}

// asText has a value read the same in both forms of the log. By itself slog
// writes durations to JSON as nanoseconds, and our enumerations as numbers.
func asText(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindDuration:
		a.Value = slog.StringValue(a.Value.Duration().String())
	case slog.KindAny:
		if s, ok := named(a.Value.Any()); ok {
			a.Value = slog.StringValue(s)
		}
	}
	return a
}

// named returns what v calls itself. Errors and what marshals itself as text are
// left to slog, which writes both well.
func named(v any) (string, bool) {
	switch v := v.(type) {
	case error, encoding.TextMarshaler:
		return "", false
	case fmt.Stringer:
		if p := reflect.ValueOf(v); p.Kind() == reflect.Pointer && p.IsNil() {
			return "", false // its method may not be made for that
		}
		return v.String(), true
	}
	return "", false
}
