//go:build !linux && !darwin

package spool

import "os"

// tryLock does nothing: here only the lock of the database itself keeps others out.
func tryLock(*os.File) error { return nil }

// unlock does nothing: a file that is closed is not locked.
func unlock(*os.File) {}
