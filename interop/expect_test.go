package interop

import (
	"strings"
	"testing"

	"radsec-gw/bench/process"
	"radsec-gw/interop/testbed"
)

// expect fails the test unless a program ended with status and printed all of want.
func expect(t *testing.T, r testbed.Result, status int, want ...string) {
	t.Helper()
	if r.Status != status {
		t.Errorf("exit status %d, want %d", r.Status, status)
	}
	for _, w := range want {
		if !strings.Contains(r.Output, w) {
			t.Errorf("the output lacks %q", w)
		}
	}
	if t.Failed() {
		printed := shared.gateway.Printed()
		t.Logf("output:\n%s\nlast of the gateway's output:\n%s", r.Output, process.LastLines(printed, 20))
	}
}
