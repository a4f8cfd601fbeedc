//go:build unix

package files

import (
	"os"
	"path/filepath"
)

// public reports whether modes allow everybody to read the file at path.
func public(path string) bool {
	path, err := filepath.Abs(path)
	if err != nil {
		return false
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&0o4 != 0 && reachable(path)
}

// writable returns the file at path, or the first directory on the way to it, that modes
// allow everybody to change; "" if there is none. In a directory with the sticky bit nobody
// can replace what others have put there.
func writable(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return ""
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	if at := writableDirectory(path); at != "" {
		return at
	}
	if at := writableDirectory(real); at != "" {
		return at
	}
	if info, err := os.Stat(real); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o2 != 0 && reachable(real) {
		return path
	}
	return ""
}

// writableDirectory returns the first directory on the way to path that everybody can change.
func writableDirectory(path string) string {
	const write, enter = 0o2, 0o1
	for i := 1; i < len(path); i++ {
		if path[i] != filepath.Separator {
			continue
		}
		info, err := os.Stat(path[:i])
		if err != nil || info.Mode().Perm()&enter == 0 {
			return "" // nobody gets any further
		}
		if info.Mode().Perm()&write != 0 && info.Mode()&os.ModeSticky == 0 {
			return path[:i]
		}
	}
	return ""
}

// reachable reports whether everybody can enter the directories above path.
func reachable(path string) bool {
	for path != filepath.Dir(path) {
		path = filepath.Dir(path)
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o1 == 0 {
			return false
		}
	}
	return true
}
