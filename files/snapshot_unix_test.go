//go:build unix

package files

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Read refuses what is not a regular file, and ReadStream bounds what it reads.
func TestReadRegularFilesOnly(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	s := NewReader().Snapshot(t.Context())
	for _, path := range []string{fifo, dir, "/dev/zero"} {
		if b, err := s.Read(path, 4); err == nil || !strings.Contains(err.Error(), path+" is not a regular file") || b != nil {
			t.Errorf("%s: got %q and %v, want an error", path, b, err)
		}
	}
	if _, err := NewReader().Snapshot(t.Context()).ReadStream("/dev/zero", 1<<20); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("/dev/zero as a stream: %v", err)
	}
}
