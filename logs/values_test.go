package logs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"radsec-gw/config"
	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// Values read the same in both forms of the log: durations and enumerations as
// words, not as numbers.
func TestLogValuesReadTheSame(t *testing.T) {
	var none *time.Location
	for _, x := range []struct {
		says string
		v    any
		want string
	}{
		{"a duration", 5 * time.Second, "5s"},
		{"a reason", metrics.ClosedNotAllowed, "not_allowed"},
		{"the result of a handshake", metrics.HandshakeOldVersion, "old_version"},
		{"a kind of packet", wire.KindCoA, wire.KindCoA.String()},
		{"a pointer with a name", time.UTC, "UTC"},
		{"an error", errors.New("gone"), "gone"},
		{"an address", netip.MustParseAddrPort("[::1]:2083"), "[::1]:2083"},
		{"a secret", config.NewSecret("hush"), "[secret]"},
		{"a number", 7, "7"},
		{"a level", slog.LevelWarn, "WARN"},
	} {
		var text, js bytes.Buffer
		write := func(to *bytes.Buffer, json bool, say func(log *slog.Logger)) {
			l := logs.New(to, logs.Config{JSON: json})
			say(slog.New(l))
			l.Close()
		}
		write(&text, false, func(log *slog.Logger) { log.Info("m", "v", x.v) })
		write(&js, true, func(log *slog.Logger) { log.With("bound", x.v).Info("m", "v", x.v) })
		var line struct{ V, Bound, Level, Msg any }
		d := json.NewDecoder(&js)
		d.UseNumber()
		if err := d.Decode(&line); err != nil {
			t.Fatal(err)
		}
		said := func(v any) string {
			if n, ok := v.(json.Number); ok {
				return n.String()
			}
			s, _ := v.(string)
			return s
		}
		if said(line.V) != x.want || said(line.Bound) != x.want {
			t.Errorf("%s should be %q in JSON, also when it is bound, but it is %v and %v", x.says, x.want, line.V, line.Bound)
		}
		if got := text.String(); !strings.HasSuffix(got, " v="+x.want+"\n") {
			t.Errorf("%s should be %q in text, but the line is %s", x.says, x.want, got)
		}
		if line.Level != "INFO" || line.Msg != "m" {
			t.Errorf("the line should keep its level INFO and its message m, but it has %v and %v", line.Level, line.Msg)
		}
	}
	var js bytes.Buffer
	l := logs.New(&js, logs.Config{JSON: true})
	slog.New(l).Info("m", "v", none)
	l.Close()
	if !json.Valid(js.Bytes()) {
		t.Errorf("a nil pointer should make a line all the same, but it makes %s", js.String())
	}
}
