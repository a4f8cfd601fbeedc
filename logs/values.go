package logs

import (
	"encoding"
	"fmt"
	"io"
	"log/slog"
	"reflect"
)

// newHandler returns a handler that writes lines of every level to w, as JSON or as text.
func newHandler(w io.Writer, json bool) slog.Handler {
	o := &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: asText}
	if json {
		return slog.NewJSONHandler(escaper{w}, o)
	}
	return slog.NewTextHandler(w, o)
}

// asText makes values the same in both forms of the log: slog writes durations to JSON as
// nanoseconds, and enumerations as numbers.
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

// named returns the result of v's String method. It reports false for errors and text
// marshalers, which slog writes as text anyway.
func named(v any) (string, bool) {
	switch v := v.(type) {
	case error, encoding.TextMarshaler:
		return "", false
	case fmt.Stringer:
		if p := reflect.ValueOf(v); p.Kind() == reflect.Pointer && p.IsNil() {
			return "", false // its method may not expect that
		}
		return v.String(), true
	}
	return "", false
}
