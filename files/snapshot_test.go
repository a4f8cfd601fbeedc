package files

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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

// A file is read once: a second call returns the same bytes, or the same error.
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
		t.Errorf("read again: got %q and %v, want what was read before", b, err)
	}
	if _, err := s.Read(missing, 100); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("read again: the missing file gives %v", err)
	}
	if s.Stuck() {
		t.Error("a missing file counts as blocked")
	}
}

// A file that is too large is refused.
func TestReadIsBounded(t *testing.T) {
	dir := t.TempDir()
	exact, large := filepath.Join(dir, "exact"), filepath.Join(dir, "large")
	write(t, exact, "1234")
	write(t, large, "12345")
	s := NewReader().Snapshot(t.Context())
	if b, err := s.Read(exact, 4); string(b) != "1234" || err != nil {
		t.Errorf("a file of the largest size: got %q and %v", b, err)
	}
	if b, err := s.Read(large, 4); err == nil || !strings.Contains(err.Error(), large+" is too large: expected at most 4 bytes") || b != nil {
		t.Errorf("a file one byte larger: got %q and %v", b, err)
	}
}

// A file that blocks costs one deadline, however many files are read after it; the
// error names the file.
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
			t.Error("Stuck does not report that a file blocked")
		}
		if reads("other") != 0 {
			t.Error("a file after the blocked one was read")
		}
	})
}

// Slow files, each within its deadline, have one deadline together.
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

// A directory is listed once, without directories, sorted; too many names are an error, and
// so is what is not a directory.
func TestSnapshotList(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b", "a", "c d"} {
		write(t, filepath.Join(dir, name), "")
	}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := NewReader().Snapshot(t.Context())
	for range 2 {
		if got, err := s.List(dir, 4); err != nil || strings.Join(got, ",") != "a,b,c d" {
			t.Errorf("expected a, b and c d, got %q and %v", got, err)
		}
		write(t, filepath.Join(dir, "later"), "")
	}
	if _, err := NewReader().Snapshot(t.Context()).List(dir, 4); err == nil || !strings.Contains(err.Error(), "expected at most 4 files") {
		t.Errorf("five names: expected an error, got %v", err)
	}
	if got, err := s.List(filepath.Join(dir, "sub"), 4); err != nil || len(got) != 0 {
		t.Errorf("an empty directory: got %q and %v", got, err)
	}
	if _, err := s.List(filepath.Join(dir, "none"), 4); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing directory gives %v", err)
	}
	if _, err := s.List(filepath.Join(dir, "a"), 4); err == nil {
		t.Error("a file was listed as a directory")
	}
}
