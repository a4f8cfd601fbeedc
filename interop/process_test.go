package interop

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a program running beside the tests. Everything it prints is kept.
type process struct {
	name   string
	cmd    *exec.Cmd
	output *output
	exited chan struct{} // closed when the program has ended and err is set
	err    error
}

// start runs a program in the background; env is added to the environment.
func start(name string, env []string, command string, args ...string) (*process, error) {
	p := &process{name: name, output: newOutput(), exited: make(chan struct{})}
	p.cmd = exec.Command(command, args...)
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	// A group of its own: stop reaches children too, and ctrl-C in a terminal leaves the order to us.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// await waits until the program has printed text.
func (p *process) await(text string, within time.Duration) error {
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	for {
		printed, more := p.output.snapshot()
		if strings.Contains(printed, text) {
			return nil
		}
		select {
		case <-more:
		case <-p.exited:
			if printed, _ := p.output.snapshot(); strings.Contains(printed, text) {
				return nil
			}
			return fmt.Errorf("%s ended (%v) before it printed %q; its output:\n%s", p.name, p.err, text, printed)
		case <-deadline.C:
			return fmt.Errorf("%s did not print %q within %v; its output:\n%s", p.name, text, within, printed)
		}
	}
}

// signal sends sig to the program's whole group.
func (p *process) signal(sig syscall.Signal) { _ = syscall.Kill(-p.cmd.Process.Pid, sig) }

// stop sends sig and waits for the end, with SIGKILL after a while; it returns what Wait did.
func (p *process) stop(sig syscall.Signal, within time.Duration) error {
	p.signal(sig)
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	select {
	case <-p.exited:
		return p.err
	case <-deadline.C:
		p.signal(syscall.SIGKILL)
		<-p.exited
		return fmt.Errorf("%s was still running %v after %v", p.name, within, sig)
	}
}

// printed is what the program has printed so far.
func (p *process) printed() string {
	text, _ := p.output.snapshot()
	return text
}

// output collects what a program prints and wakes those who wait for more.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{} // closed and replaced at each write
}

func newOutput() *output { return &output{more: make(chan struct{})} }

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(b)
	close(o.more)
	o.more = make(chan struct{})
	return len(b), nil
}

// snapshot returns what was printed so far, and a channel that is closed when there is more.
func (o *output) snapshot() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String(), o.more
}

// result is a program that has run to its end.
type result struct {
	output string // standard output and error together
	status int    // exit status, -1 when it did not end by itself
}

// runProgram runs a program to its end, input on its standard input.
func runProgram(within time.Duration, input, command string, args ...string) result {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	cmd := exec.CommandContext(ctx, command, args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	r := result{output: string(out), status: cmd.ProcessState.ExitCode()}
	if cmd.ProcessState == nil {
		r.output += err.Error()
	}
	return r
}
