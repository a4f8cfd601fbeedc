//go:build linux || darwin

package spool

import (
	"os"
	"syscall"
)

// tryLock locks a file until it is closed, also by the end of the process. The error is
// errLocked if another has locked it.
func tryLock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == syscall.EWOULDBLOCK {
		return errLocked
	}
	return err
}

// unlock unlocks a file.
func unlock(f *os.File) { syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }
