//go:build unix

package explain

import (
	"io/fs"
	"syscall"
)

// owner returns the user and the group that a file belongs to, as far as its file system
// knows them.
func owner(info fs.FileInfo) (uid, gid uint32, ok bool) {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Uid, s.Gid, true
	}
	return 0, 0, false
}
