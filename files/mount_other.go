//go:build !linux

package files

// mountedSecret reports whether the file at path is on a read-only file system in memory, as
// far as is known.
func mountedSecret(string) bool { return false }
