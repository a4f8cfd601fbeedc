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

// The configuration is the file, those that it includes, and the names in their directories;
// not the other files.
func TestSameConfiguration(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, "d", name) }
	if err := os.Mkdir(filepath.Join(dir, "d"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"main", "part", "other"} {
		write(t, path(name), name)
	}
	r := NewReader()
	s := r.Snapshot(t.Context())
	_, _ = s.ReadStream(path("main"), 100)
	_, _ = s.ReadPart(path("part"), 100)
	_, _ = s.Read(path("other"), 100)
	_, _ = s.List(filepath.Join(dir, "d"), 100)
	before := s.Sums()
	want := func(what string, same bool) {
		t.Helper()
		if got := before.SameConfiguration(before.Again(r.Snapshot(t.Context()))); got != same {
			t.Errorf("%s: expected %v, got %v", what, same, got)
		}
	}
	want("nothing changed", true)
	write(t, path("other"), "changed")
	want("another file changed", true)
	write(t, path("part"), "changed")
	want("an included file changed", false)
	write(t, path("part"), "part")
	want("as before", true)
	write(t, path("new"), "")
	want("a new file", false)
	if err := os.Remove(path("new")); err != nil {
		t.Fatal(err)
	}
	write(t, path("main"), "changed")
	want("the file itself changed", false)
}
