//go:build unix

package files

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
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

// A file that has replaced a pipe without a writer is read, though the call for the pipe never
// returns; while the pipe is there, nothing is added to that call.
//
// Fault W15.
func TestWhatReplacesAPipeIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gw.toml")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var begun atomic.Int32
		r := NewReader()
		ask := func() error {
			return r.Call(t.Context(), path, func() error {
				if begun.Add(1) == 1 {
					<-release
				}
				return nil
			})
		}
		for range 3 {
			if err := ask(); !errors.As(err, new(*StuckError)) {
				t.Errorf("while the pipe is there: expected a StuckError, got %v", err)
			}
		}
		if begun.Load() != 1 {
			t.Errorf("%d calls were begun for the pipe, expected 1", begun.Load())
		}
		if err := os.Rename(path, path+".old"); err != nil { // one that is removed while it is opened keeps its number, too
			t.Fatal(err)
		}
		write(t, path, "text")
		if err := ask(); err != nil || begun.Load() != 2 {
			t.Errorf("after a file has replaced it: got %v after %d calls, expected a second one to succeed", err, begun.Load())
		}
		close(release)
		synctest.Wait()
		if len(r.running) != 0 || r.pending != 0 {
			t.Errorf("%d calls are kept and %d are counted after all have returned, expected none", len(r.running), r.pending)
		}
	})
}
