package main

import (
	"context"
	"os/exec"
	"testing"
	"time"
)

// A process that sleeps is stuck, one that works is not, however long it does.
func TestCancelStuck(t *testing.T) {
	for _, row := range []struct {
		script string
		stuck  bool
	}{
		{"exec sleep 60", true},
		{"while :; do :; done", false},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		cmd := exec.CommandContext(ctx, "sh", "-c", row.script)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, ok := busy(cmd.Process.Pid); !ok {
			t.Error("the system does not say how busy a process was")
		}
		cancelStuck(ctx, cancel, cmd.Process.Pid, time.Second)
		if got := ctx.Err() == context.Canceled; got != row.stuck {
			t.Errorf("%q: found stuck %t, expected %t", row.script, got, row.stuck)
		}
		cancel()
		cmd.Wait()
	}
}
