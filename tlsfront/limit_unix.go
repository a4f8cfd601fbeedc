//go:build unix

package tlsfront

import "syscall"

// descriptorLimit returns how many descriptors the process may have open; nil if that is
// unknown.
func descriptorLimit() any {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return nil
	}
	return limit.Cur // signed on some systems
}
