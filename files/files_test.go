package files

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A file is read once: who asks again gets what was there the first time, also
// when that was an error.
func TestSnapshotReadsOnce(t *testing.T) {
	path, missing := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	write(t, path, "first")
	s := NewReader().Snapshot(t.Context())
	if b, err := s.Read(path, 100); string(b) != "first" || err != nil {
		t.Fatalf("got %q and %v", b, err)
	}
	if _, err := s.Read(missing, 100); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("a missing file gives %v", err)
	}
	write(t, path, "second")
	write(t, missing, "there now")
	if b, err := s.Read(path, 100); string(b) != "first" || err != nil {
		t.Errorf("asked again: got %q and %v, want what was read before", b, err)
	}
	if _, err := s.Read(missing, 100); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("asked again: the missing file gives %v", err)
	}
	if s.Stuck() {
		t.Error("a missing file counts as blocked")
	}
}

// What is too large, and what is not a file, is refused.
func TestReadIsBounded(t *testing.T) {
	dir := t.TempDir()
	exact, large, fifo := filepath.Join(dir, "exact"), filepath.Join(dir, "large"), filepath.Join(dir, "fifo")
	write(t, exact, "1234")
	write(t, large, "12345")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	s := NewReader().Snapshot(t.Context())
	if b, err := s.Read(exact, 4); string(b) != "1234" || err != nil {
		t.Errorf("a file as large as it may be: got %q and %v", b, err)
	}
	for path, want := range map[string]string{large: "is too large: expected at most 4 bytes", fifo: "is not a regular file",
		dir: "is not a regular file", "/dev/zero": "is not a regular file"} {
		if b, err := s.Read(path, 4); err == nil || !strings.Contains(err.Error(), path+" "+want) || b != nil {
			t.Errorf("%s: got %q and %v, want an error with %q", path, b, err, want)
		}
	}
	if _, err := NewReader().Snapshot(t.Context()).ReadStream("/dev/zero", 1<<20); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("/dev/zero as a stream: %v", err)
	}
}

// blocking is a Reader whose files called "stuck" answer when release is closed.
// reads returns how often a file was read.
func blocking(release <-chan struct{}) (r *Reader, reads func(path string) int) {
	r = NewReader()
	counts := map[string]int{}
	r.read = func(path string, _ int64, _ bool) ([]byte, error) {
		r.mu.Lock()
		counts[path]++
		r.mu.Unlock()
		if strings.HasPrefix(path, "stuck") {
			<-release
		}
		return []byte(path), nil
	}
	return r, func(path string) int {
		r.mu.Lock()
		defer r.mu.Unlock()
		return counts[path]
	}
}

// A file that blocks costs one deadline, whatever else is named; the error says
// which file it is.
//
// Fault W15.
func TestBlockedFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		r, reads := blocking(release)
		s := r.Snapshot(t.Context())
		start := time.Now()
		for _, path := range []string{"good", "stuck", "other", "stuck"} {
			b, err := s.Read(path, 100)
			want := map[string]string{"stuck": "stuck blocks: expected an answer within 5s", "other": "other was not read, because stuck blocks"}[path]
			switch {
			case want == "" && (err != nil || string(b) != path):
				t.Errorf("%s: got %q and %v", path, b, err)
			case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
				t.Errorf("%s: got %v, want an error with %q", path, err, want)
			}
		}
		if took := time.Since(start); took != fileTimeout {
			t.Errorf("the set took %v, want one deadline of %v", took, fileTimeout)
		}
		if !s.Stuck() {
			t.Error("the set does not say that a file blocked")
		}
		if reads("other") != 0 {
			t.Error("a file after the blocked one was tried")
		}
	})
}

// Trying a blocked file again and again adds no more reads of it, and once it
// answers it is read anew.
func TestBlockedFileIsReadByOneGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		r, reads := blocking(release)
		var stuck *StuckError
		for range 3 {
			if _, err := r.Snapshot(t.Context()).Read("stuck", 100); !errors.As(err, &stuck) {
				t.Errorf("got %v, want a StuckError", err)
			}
		}
		if reads("stuck") != 1 {
			t.Errorf("%d reads of one blocked file were begun, want 1", reads("stuck"))
		}
		close(release)
		synctest.Wait()
		if b, err := r.Snapshot(t.Context()).Read("stuck", 100); string(b) != "stuck" || err != nil {
			t.Errorf("after it answers: got %q and %v", b, err)
		}
		if reads("stuck") != 2 {
			t.Errorf("%d reads, want a second one after the first has returned", reads("stuck"))
		}
	})
}

// The end of the context ends the waiting at once.
func TestContextEndsTheWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		r, _ := blocking(release)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		start := time.Now()
		if _, err := r.Snapshot(ctx).Read("stuck", 100); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); took != time.Millisecond {
			t.Errorf("it took %v", took)
		}
	})
}

// The number of reads that have not returned is bounded.
func TestBlockedFilesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		r, _ := blocking(release)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for i := range maxStuck {
			r.Call(ctx, fmt.Sprint("stuck", i), func() error { <-release; return nil })
		}
		if err := r.Call(t.Context(), "one more", func() error { return nil }); err == nil || !strings.Contains(err.Error(), "have not returned") {
			t.Errorf("one more call gives %v", err)
		}
	})
}

// Files that answer slowly, each within its deadline, have one deadline together.
func TestSlowFilesHaveADeadlineTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewReader()
		r.read = func(string, int64, bool) ([]byte, error) {
			time.Sleep(fileTimeout - time.Second)
			return nil, nil
		}
		s := r.Snapshot(t.Context())
		start := time.Now()
		var last error
		for i := 0; last == nil && i < 100; i++ {
			_, last = s.Read(fmt.Sprint(i), 1)
		}
		if took := time.Since(start); last == nil || took > setTimeout+fileTimeout || took < setTimeout {
			t.Errorf("after %v: %v, want an error after about %v", took, last, setTimeout)
		}
	})
}
