package testbed

import (
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestRun(t *testing.T) {
	if r := Run(Patience, exec.Command("sh", "-c", "echo out; echo err >&2; exit 2")); r.Status != 2 || !strings.Contains(r.Output, "out") || !strings.Contains(r.Output, "err") {
		t.Errorf("got %+v, expected both outputs and status 2", r)
	}
	if r := Run(10*time.Millisecond, exec.Command("sleep", "60")); r.Status != -1 {
		t.Errorf("a program that takes too long: %+v, expected status -1", r)
	}
	if r := Run(Patience, exec.Command("/nonexistent")); r.Status != -1 || r.Output == "" {
		t.Errorf("a program that is missing: %+v, expected status -1 and why", r)
	}
}
