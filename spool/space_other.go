//go:build !linux && !darwin

package spool

// freeSpace does not know it on this system.
func freeSpace(string) (bytes int64, known bool) { return 0, false }
