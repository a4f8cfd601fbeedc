package logs

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
)

// Nothing that a terminal obeys is in a line of either form, and JSON means the same as before.
//
// Fault S8.
func TestControlCharactersAreEscaped(t *testing.T) {
	const value = "a\u009b31mb\u007fc\u202ed\u2028e\U000e0001f\x1b[0m\r\ngé語😀"
	for _, asJSON := range []bool{true, false} {
		var printed strings.Builder
		slog.New(newHandler(&printed, asJSON)).Info("text", "subject", value)
		line := strings.TrimSuffix(printed.String(), "\n")
		if strings.ContainsAny(line, "\u009b\u007f\u202e\u2028\U000e0001\x1b\r\n") || !strings.Contains(line, "é語😀") {
			t.Errorf("JSON %v: %q", asJSON, line)
		}
		if !asJSON {
			continue
		}
		var fields map[string]string
		if err := json.Unmarshal([]byte(line), &fields); err != nil || fields["subject"] != value {
			t.Errorf("%s means %q (%v), want %q", line, fields["subject"], err, value)
		}
	}
}
