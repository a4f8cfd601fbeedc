package process

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"
)

const patience = 10 * time.Second

func TestCost(t *testing.T) {
	dir := t.TempDir()
	// It stays one process, of one program, while it is measured: at the end it
	// reads from a pipe that nobody writes to.
	p, err := Start(exec.Command("sh", "-c", "mkfifo "+dir+"/f; i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo over; read line <>"+dir+"/f"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	if err := p.Until(context.Background(), "over", func() bool { return strings.HasSuffix(p.Printed(), "over\n") }); err != nil {
		t.Fatal(err)
	}
	spent, err := p.CPU()
	if err != nil || spent < time.Millisecond || spent > 10*time.Second {
		t.Errorf("a loop of 100,000 steps spent %v of CPU, %v", spent, err)
	}
	now, highest, err := p.Memory()
	if err != nil || now < 100<<10 || highest < now {
		t.Errorf("memory is %d, at most %d, %v", now, highest, err)
	}
	if _, err := p.SystemCalls(context.Background()); err != nil && !errors.Is(err, ErrNoPerf) {
		t.Error(err)
	}
}

func TestProcessThatEnds(t *testing.T) {
	p, err := Start(exec.Command("sh", "-c", "echo no such port >&2; exit 1"))
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"Until": p.Until(context.Background(), "listening", func() bool { return false }),
		"Await": p.Await("listening", patience),
	} {
		if err == nil || !strings.Contains(err.Error(), "no such port") || !strings.Contains(err.Error(), "exit status 1") {
			t.Errorf("%s: a program that fails gives %v, want what it printed", name, err)
		}
	}
}

// Stop lets a program end by itself, and kills it when it does not.
func TestStop(t *testing.T) {
	p, err := Start(exec.Command("sh", "-c", "trap 'echo stopping; exit 3' TERM; echo ready; sleep 60 & wait"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Await("ready", patience); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(patience); err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(p.Printed(), "stopping") {
		t.Errorf("after SIGTERM: %v; it printed %q", err, p.Printed())
	}
	if p, err = Start(exec.Command("sh", "-c", "trap '' TERM; echo ready; sleep 60 & wait; sleep 60")); err != nil {
		t.Fatal(err)
	}
	if err := p.Await("ready", patience); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(100 * time.Millisecond); err == nil || !strings.Contains(err.Error(), "still running") {
		t.Errorf("a program that ignores SIGTERM: %v", err)
	}
}
