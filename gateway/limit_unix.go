//go:build unix

package gateway

import (
	"os"
	"syscall"
)

// descriptorLimit returns how many descriptors the process may have open. Go raises the
// soft limit to the hard one when the process starts.
func descriptorLimit() (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, os.NewSyscallError("getrlimit", err)
	}
	const unlimited = 1 << 30
	return int(min(uint64(limit.Cur), unlimited)), nil
}
