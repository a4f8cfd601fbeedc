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
	const read, enter = 0o4, 0o1
	for permission := os.FileMode(read); ; permission = enter {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm()&permission == 0 {
			return false
		}
		if path == filepath.Dir(path) {
			return true
		}
		path = filepath.Dir(path)
	}
}
