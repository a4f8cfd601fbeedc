//go:build !linux

package peers

import (
	"errors"
	"syscall"
	"time"
)

// errNotLinux is what measurements and faults return that need Linux.
var errNotLinux = errors.New("only Linux can do this")

var attributes *syscall.SysProcAttr

func (p *Process) Suspend() error { return errNotLinux }

func (p *Process) Resume() error { return errNotLinux }

func RaiseFileLimit() error { return errNotLinux }

func (p *Process) CPU() (time.Duration, error) { return 0, errNotLinux }
