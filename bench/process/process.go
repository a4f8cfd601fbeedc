// Package process runs programs beside a measurement or a test: it keeps what they
// print, waits for lines of it, stops them, and reads from the kernel what they cost.
//
// A program that was started ends with this process at the latest, however that ends.
package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Process is a running program. Stop or Kill must be called.
type Process struct {
	// static after Start
	cmd    *exec.Cmd
	output *Output
	exited chan struct{} // closed when the program has ended and err is set

	err error // what Wait returned
}

// outputDelay is how long the output of a program that has ended is read, where a child of
// it keeps the pipe open.
const outputDelay = time.Second

// Start runs cmd in the background. What it prints is kept, on standard output and
// standard error together, except where cmd says where to.
func Start(cmd *exec.Cmd) (*Process, error) {
	p := &Process{cmd: cmd, output: new(Output), exited: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout = p.output
	}
	if cmd.Stderr == nil {
		cmd.Stderr = p.output
	}
	cmd.SysProcAttr = attributes()
	cmd.WaitDelay = outputDelay
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		if p.err = cmd.Wait(); errors.Is(p.err, exec.ErrWaitDelay) {
			p.err = nil
		}
		close(p.exited)
		p.output.finish()
	}()
	return p, nil
}

// Output is what the program has printed and prints.
func (p *Process) Output() *Output { return p.output }

// Printed returns what the program has printed so far.
func (p *Process) Printed() string { return p.output.String() }

// Exited is closed when the program has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Err returns what [exec.Cmd.Wait] returned, after Exited is closed.
func (p *Process) Err() error { return p.err }

// Alive returns nil while the program runs, and afterwards how it ended.
func (p *Process) Alive() error {
	select {
	case <-p.exited:
		return fmt.Errorf("%s ended by itself (%v); it printed:\n%s", p.name(), p.cmd.ProcessState, p.output.Last(20))
	default:
		return nil
	}
}

func (p *Process) name() string { return filepath.Base(p.cmd.Path) }

// Await waits until the program has printed text.
func (p *Process) Await(text string, within time.Duration) error {
	if p.output.Await(within, func(printed string) bool { return strings.Contains(printed, text) }) {
		return nil
	}
	if err := p.Alive(); err != nil {
		return fmt.Errorf("before it printed %q: %w", text, err)
	}
	return fmt.Errorf("%s did not print %q within %v; its output:\n%s", p.name(), text, within, p.Printed())
}

// untilTimeout bounds how long Until waits: long, because a machine may be busy with other things.
const untilTimeout = time.Minute

// Until polls ok, for untilTimeout at most, until it reports true. It fails at once when the
// program has ended.
func (p *Process) Until(ctx context.Context, what string, ok func() bool) error {
	deadline := time.Now().Add(untilTimeout)
	for !ok() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.exited:
			return fmt.Errorf("before it was %s: %w", what, p.Alive())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s was not %s within %v; it printed:\n%s", p.name(), what, untilTimeout, p.output.Last(20))
		}
	}
	return nil
}

// Stop sends SIGTERM and waits for the end, with SIGKILL after a while. It returns how the
// program ended.
func (p *Process) Stop(within time.Duration) error {
	p.Signal(syscall.SIGTERM)
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	select {
	case <-p.exited:
		return p.err
	case <-deadline.C:
		p.Kill()
		return fmt.Errorf("%s was still running %v after SIGTERM", p.name(), within)
	}
}

// Kill ends the program and its children at once, and waits for the end.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.exited
}

// Build builds a program of this module as it is shipped, into dir, and returns its path.
func Build(ctx context.Context, dir, program string) (path string, err error) {
	path = filepath.Join(dir, filepath.Base(program))
	build := exec.CommandContext(ctx, "go", "build", "-o", path, program)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if printed, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", program, err, printed)
	}
	return path, nil
}
