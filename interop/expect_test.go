package interop

import (
	"strings"
	"testing"
)

// expect fails the test unless a program ended with status and printed all of want.
func expect(t *testing.T, r result, status int, want ...string) {
	t.Helper()
	if r.status != status {
		t.Errorf("exit status %d, want %d", r.status, status)
	}
	for _, w := range want {
		if !strings.Contains(r.output, w) {
			t.Errorf("the output lacks %q", w)
		}
	}
	if t.Failed() {
		printed, _ := shared.gateway.output.snapshot()
		t.Logf("output:\n%s\nlast of the gateway's output:\n%s", r.output, lastLines(printed, 20))
	}
}

// lastLines cuts a program's output down to what a failed test wants to show.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
