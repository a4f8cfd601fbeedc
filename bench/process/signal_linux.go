package process

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// attributes end a program with this process, and give it a group of its own: a signal
// reaches its children, and ctrl-C in a terminal reaches this process only.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// Signal sends a signal to the program and its children.
func (p *Process) Signal(sig os.Signal) {
	_ = syscall.Kill(-p.cmd.Process.Pid, sig.(syscall.Signal)) // it may have ended
}

// Suspend stops the program until Resume; it handles no signal meanwhile.
func (p *Process) Suspend() { p.Signal(syscall.SIGSTOP) }

// Resume lets a suspended program continue.
func (p *Process) Resume() { p.Signal(syscall.SIGCONT) }

// CPU returns the time that all threads of the program, ended ones too, have spent on a
// processor, in user and kernel mode, to the nanosecond.
func (p *Process) CPU() (time.Duration, error) {
	// clock_getcpuclockid(3): the complement of the process's number above
	// three bits, of which 2 means the scheduler's exact account.
	const schedulersAccount = 2
	var t unix.Timespec
	clock := int32(^p.cmd.Process.Pid<<3 | schedulersAccount)
	if err := unix.ClockGettime(clock, &t); err != nil {
		return 0, fmt.Errorf("CPU time of %s: %w", p.name(), err)
	}
	return time.Duration(t.Nano()), nil
}

// RaiseFileLimit allows this process, and those that it starts, as many open files as the
// system does.
func RaiseFileLimit() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}
