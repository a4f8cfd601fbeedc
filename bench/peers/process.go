// Package peers starts the programs that are measured, with configurations
// made for them, and reads from the kernel what they cost.
package peers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process is a running program. Stop must be called.
type Process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when the program has ended
}

// Start runs a program with its output in a log file in dir. It ends with this
// process, whatever ends this process.
func Start(dir, name string, args ...string) (*Process, error) {
	p := &Process{log: filepath.Join(dir, filepath.Base(name)+".log"), done: make(chan struct{})}
	f, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p.cmd = exec.Command(name, args...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, f, f
	p.cmd.SysProcAttr = attributes
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait() // Alive says how it ended
		close(p.done)
	}()
	return p, nil
}

// Stop asks the program to end, and ends it after two seconds.
func (p *Process) Stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(2 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// Log is the last few lines that the program printed.
func (p *Process) Log() string {
	b, _ := os.ReadFile(p.log)
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], "\n")
}

// Alive is nil while the program runs, and says how it ended afterwards.
func (p *Process) Alive() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s ended by itself (%v); it printed:\n%s", filepath.Base(p.cmd.Path), p.cmd.ProcessState, p.Log())
	default:
		return nil
	}
}

// Until polls ok, for ten seconds at most, until it holds; it fails at once when the program has ended.
func (p *Process) Until(ctx context.Context, what string, ok func() bool) error {
	deadline := time.Now().Add(10 * time.Second)
	for !ok() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.done:
			return fmt.Errorf("before it was %s: %w", what, p.Alive())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s was not %s within 10 s; it printed:\n%s", filepath.Base(p.cmd.Path), what, p.Log())
		}
	}
	return nil
}

// Memory is resident memory now and at its highest, in bytes.
func (p *Process) Memory() (now, highest int64, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		kilobytes, _ := strconv.ParseInt(f[1], 10, 64)
		switch f[0] {
		case "VmRSS:":
			now = kilobytes << 10
		case "VmHWM:":
			highest = kilobytes << 10
		}
	}
	return now, highest, nil
}

// ErrNoPerf means that system calls cannot be counted here.
var ErrNoPerf = errors.New("perf cannot count system calls here: it needs linux-perf and root")

// SystemCalls counts the system calls that the program makes in a second.
func (p *Process) SystemCalls(ctx context.Context) (float64, error) {
	cmd := exec.CommandContext(ctx, "perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "-p", strconv.Itoa(p.cmd.Process.Pid), "--", "sleep", "1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, ErrNoPerf
	}
	count, err := strconv.ParseFloat(strings.SplitN(strings.TrimSpace(string(out)), ",", 2)[0], 64)
	if err != nil {
		return 0, ErrNoPerf
	}
	return count, nil
}

// Kill ends the program at once.
func (p *Process) Kill() error { return p.cmd.Process.Kill() }

// Exited is closed when the program has ended.
func (p *Process) Exited() <-chan struct{} { return p.done }
