//go:build !linux

package process

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// errNotLinux is the error of what only Linux can do.
var errNotLinux = errors.New("only Linux can do this")

func attributes() *syscall.SysProcAttr { return nil }

// Signal sends a signal to the program.
func (p *Process) Signal(sig os.Signal) { _ = p.cmd.Process.Signal(sig) }

// Suspend does nothing.
func (p *Process) Suspend() {}

// Resume does nothing.
func (p *Process) Resume() {}

// CPU returns an error.
func (p *Process) CPU() (time.Duration, error) { return 0, errNotLinux }

// RaiseFileLimit returns an error.
func RaiseFileLimit() error { return errNotLinux }
