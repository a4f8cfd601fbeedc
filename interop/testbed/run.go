package testbed

import (
	"os/exec"
	"time"

	"radsec-gw/bench/process"
)

// Result is a program that has run to its end.
type Result struct {
	Output string // standard output and standard error together
	Status int    // exit status; -1 when it was killed or did not start
}

// Run runs cmd to its end, and kills it when it takes longer than within.
func Run(within time.Duration, cmd *exec.Cmd) Result {
	p, err := process.Start(cmd)
	if err != nil {
		return Result{err.Error(), -1}
	}
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	select {
	case <-p.Exited():
	case <-deadline.C:
		p.Kill()
	}
	return Result{p.Printed(), cmd.ProcessState.ExitCode()}
}
