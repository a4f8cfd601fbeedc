package files

import "syscall"

// Types of file systems in memory (linux/magic.h).
const (
	tmpfs = 0x01021994
	ramfs = 0x858458f6
)

// mountedSecret reports whether the file at path is on a read-only file system in memory.
func mountedSecret(path string) bool {
	var fs syscall.Statfs_t
	return syscall.Statfs(path, &fs) == nil && isSecretMount(uint32(fs.Type), int64(fs.Flags))
}

// isSecretMount reports whether the type and the flags of statfs(2) are those of a read-only
// file system in memory.
func isSecretMount(kind uint32, flags int64) bool {
	const readOnly = 0x1 // ST_RDONLY
	return (kind == tmpfs || kind == ramfs) && flags&readOnly != 0
}
