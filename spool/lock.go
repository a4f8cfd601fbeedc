package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// lockTimeout is how long another process may take to end that uses the directory, and
// lockPause how often it is looked whether it has.
const (
	lockTimeout = time.Second
	lockPause   = 50 * time.Millisecond
)

// lockDirectory locks the directory for this process until the file is closed. The lock of the
// database itself is not enough: a process that waits for it would get that of a database that
// has been replaced meanwhile.
//
// Rules: SP13.
func lockDirectory(directory string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(directory, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for waited := time.Duration(0); ; waited += lockPause {
		err := tryLock(f)
		if err == nil {
			return f, nil
		}
		if err != errLocked || waited >= lockTimeout {
			f.Close()
			return nil, fmt.Errorf("%s: %w", directory, err)
		}
		time.Sleep(lockPause)
	}
}

// errLocked is the error of a directory that another process has locked.
var errLocked = errors.New("it is in use by another process: each gateway needs a directory of its own")
