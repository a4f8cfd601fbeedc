package gatewaytest

import (
	"strings"
	"testing"

	"radsec-gw/bench/process"
)

// Await waits until a log, or what was written elsewhere, holds the text.
func Await(t testing.TB, log *process.Output, text string) {
	t.Helper()
	if !log.Await(Patience, func(written string) bool { return strings.Contains(written, text) }) {
		t.Fatalf("expected %q, got\n%s", text, log)
	}
}
