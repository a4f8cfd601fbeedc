package spool

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What is not a database at all is kept, and a new one begins. An empty file is a new one.
//
// Rules: SP9
func TestGarbageForADatabase(t *testing.T) {
	noise := make([]byte, 50_000)
	rand.NewChaCha8([32]byte{}).Read(noise)
	for name, c := range map[string]struct {
		text []byte
		kept bool
		log  string
	}{
		"empty":         {nil, false, "the spool's database is empty: if it was cut off, its records are lost"},
		"noise":         {noise, true, "is damaged"},
		"zeros":         {make([]byte, 20_000), true, "is damaged"},
		"a text":        {[]byte("[server]\n"), true, "is damaged"},
		"one octet":     {[]byte{0}, true, "is damaged"},
		"half its size": {noise[:4096], true, "is damaged"},
	} {
		directory, text := cutOff(t, c.text), new(output)
		st, err := openFileStore(directory, slog.New(slog.NewTextHandler(text, nil)))
		if err != nil {
			t.Errorf("%s: expected a new database, got %v", name, err)
			continue
		}
		if got := contents(t, st); len(got) != 0 {
			t.Errorf("%s: expected no records, got %d", name, len(got))
		}
		st.close()
		kept, _ := filepath.Glob(filepath.Join(directory, "*.damaged-*"))
		if (len(kept) == 1) != c.kept {
			t.Errorf("%s: expected that the file is kept: %t, got %q", name, c.kept, kept)
		}
		if !strings.Contains(text.String(), c.log) {
			t.Errorf("%s: expected a log line with %q, got %q", name, c.log, text)
		}
	}
}

// Each damaged database is kept under a name of its own.
//
// Rules: SP9
func TestDamagedTwice(t *testing.T) {
	directory := t.TempDir()
	var want []string
	for i := range 3 {
		if err := os.WriteFile(filepath.Join(directory, databaseName), []byte{byte(i)}, 0o600); err != nil {
			t.Fatal(err)
		}
		st, err := openFileStore(directory, quiet)
		if err != nil {
			t.Fatal(err)
		}
		st.close()
		want = append(want, fmt.Sprintf("%s.damaged-%d", databaseName, i+1))
	}
	var got []string
	list, _ := os.ReadDir(directory)
	for _, e := range list {
		if strings.Contains(e.Name(), "damaged") {
			got = append(got, e.Name())
		}
	}
	slices.Sort(got)
	wantList(t, "kept", got, want...)
}

// What cannot be read at all is not damaged, and stays.
//
// Rules: SP9
func TestDatabaseThatCannotBeRead(t *testing.T) {
	directory := t.TempDir()
	path := filepath.Join(directory, databaseName)
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openFileStore(directory, quiet); err == nil || !strings.Contains(err.Error(), "expected a regular file") {
		t.Errorf("expected an error about a regular file, got %v", err)
	}
	if _, err := os.Stat(filepath.Join(path, "x")); err != nil {
		t.Errorf("expected that it stays, got %v", err)
	}
}

// What is salvaged is copied once, under its number, or under another if that is taken. Old copies
// that the tree does not lead to are only for what is missing.
//
// Rules: SP9
func TestSalvager(t *testing.T) {
	to := memoryStore{}
	s := salvager{to: to, have: map[uint64]bool{}}
	later := []byte{formatVersion + 1, 7, 7, 7, 7}
	s.found(1, sampleRecord(1, 0), true)
	s.found(5, sampleRecord(5, 0), true)
	s.found(1, sampleRecord(2, 0), true)  // its number is wrong
	s.found(5, sampleRecord(3, 0), false) // an old copy
	s.found(4, sampleRecord(4, 0), false)
	s.found(6, later, true)
	s.found(7, later, false)
	s.found(8, []byte{formatVersion, 1, 2, 3}, true)
	for _, value := range s.misplaced {
		s.last++
		s.put(s.last, value)
	}
	s.flush()
	want := memoryStore{1: sampleRecord(1, 0), 4: sampleRecord(4, 0), 5: sampleRecord(5, 0), 6: later, 7: sampleRecord(2, 0)}
	if !maps.EqualFunc(to, want, bytes.Equal) {
		t.Errorf("expected the records %v, got %v", slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(to)))
	}
	for n := range 2*maxCommit + 10 {
		s.found(uint64(100+n), sampleRecord(n, 0), true)
		if len(s.add) > maxCommit {
			t.Fatalf("expected at most %d records in memory, got %d", maxCommit, len(s.add))
		}
	}
	if s.flush(); s.err != nil || len(to) != len(want)+2*maxCommit+10 {
		t.Errorf("expected %d records, got %d, %v", len(want)+2*maxCommit+10, len(to), s.err)
	}
}
