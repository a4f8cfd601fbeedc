package peers

import (
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// attributes end a program with this process, and keep a terminal's signals from it.
var attributes = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}

// Suspend stops the program until Resume: it takes no other signal meanwhile.
func (p *Process) Suspend() error { return p.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume lets a suspended program go on.
func (p *Process) Resume() error { return p.cmd.Process.Signal(syscall.SIGCONT) }

// RaiseFileLimit allows this process, and those that it starts, as many open files as
// the system does.
func RaiseFileLimit() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}

// CPU is the time that all threads of the program, ended ones too, have spent
// on a processor, in user and kernel mode, to the nanosecond.
func (p *Process) CPU() (time.Duration, error) {
	// clock_getcpuclockid(3): the complement of the process's number above
	// three bits, of which 2 means the scheduler's exact account.
	const schedulersAccount = 2
	var t unix.Timespec
	clock := int32(^p.cmd.Process.Pid<<3 | schedulersAccount)
	if err := unix.ClockGettime(clock, &t); err != nil {
		return 0, fmt.Errorf("CPU time of %s: %w", filepath.Base(p.cmd.Path), err)
	}
	return time.Duration(t.Nano()), nil
}
