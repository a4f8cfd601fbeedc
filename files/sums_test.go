package files

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// Sums differ if any file of a set has changed, including files that cannot be read.
func TestSumsDetectChanges(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	write(t, a, "first")
	r := NewReader()
	s := r.Snapshot(t.Context())
	_, _ = s.Read(a, 6)
	_, _ = s.Read(b, 6)
	before := s.Sums()
	changed := func() bool { return !maps.Equal(before, before.Again(r.Snapshot(t.Context()))) }
	if changed() {
		t.Error("nothing has changed, but the sums differ")
	}
	write(t, b, "there")
	if !changed() {
		t.Error("a file was created, but the sums are the same")
	}
	if err := os.Remove(b); err != nil {
		t.Fatal(err)
	}
	write(t, a, "second")
	if !changed() {
		t.Error("a file has other content, but the sums are the same")
	}
	write(t, a, "too long for it")
	if !changed() {
		t.Error("a file is too large, but the sums are the same")
	}
	write(t, a, "first")
	if changed() {
		t.Error("all is as before, but the sums differ")
	}
}
