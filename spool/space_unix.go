//go:build linux || darwin

package spool

import "syscall"

// freeSpace returns how many bytes a user who is not root can still write to the file system of
// a directory.
func freeSpace(directory string) (bytes int64, known bool) {
	var s syscall.Statfs_t
	if syscall.Statfs(directory, &s) != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}
