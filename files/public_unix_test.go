//go:build unix

package files

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// A file is public if everybody may read it and enter each directory above it, also where a symbolic
// link leads to it.
//
// Fault S3.
func TestPublic(t *testing.T) {
	base := t.TempDir()
	for dir := base; dir != os.TempDir() && dir != filepath.Dir(dir); dir = filepath.Dir(dir) { // t.TempDir's own are for the owner only
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	dir, link := filepath.Join(base, "dir"), filepath.Join(base, "link")
	file := filepath.Join(dir, "key")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	open := true // a private directory for temporary files makes everything in it private
	for dir := os.TempDir(); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o1 == 0 {
			open = false
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	for _, row := range []struct {
		dir, file os.FileMode
		want      bool
	}{{0o755, 0o644, true}, {0o711, 0o604, true}, {0o755, 0o640, false}, {0o755, 0o600, false}, {0o750, 0o644, false}, {0o700, 0o644, false}} {
		if err := os.Chmod(file, row.file); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, row.dir); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{file, link} {
			if got := NewReader().Snapshot(t.Context()).Public(path); got != (row.want && open) {
				t.Errorf("%s with modes %o and %o: got %v, expected %v", path, row.dir, row.file, got, row.want && open)
			}
		}
		os.Chmod(dir, 0o755)
	}
	if NewReader().Snapshot(t.Context()).Public(filepath.Join(dir, "none")) {
		t.Error("a file that is not there is public")
	}
	if runtime.GOOS == "linux" && !NewReader().Snapshot(t.Context()).Public("/proc/version") {
		t.Error("/proc/version is not public")
	}
}
