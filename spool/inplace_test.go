package spool

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Somebody removes the database, or all of its directory, or puts another file in its place,
// while it is in use: it is written again with every record, and nothing that was acknowledged
// is lost when the process ends.
//
// Rules: SP4, SP9
func TestDatabaseIsRemovedWhileItIsUsed(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(directory string) error
	}{
		{"the database", func(d string) error { return os.Remove(filepath.Join(d, databaseName)) }},
		{"the directory", os.RemoveAll},
		{"renamed", func(d string) error { return os.Rename(d, d+"-elsewhere") }},
		{"another file", func(d string) error {
			other := filepath.Join(d, "other")
			if err := os.WriteFile(other, nil, 0o600); err != nil {
				return err
			}
			return os.Rename(other, filepath.Join(d, databaseName))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, filepath.Join(t.TempDir(), "spool"), roomy)
				b.owner.set(silent)
				b.add(series("s", 3)...)
				pass(100 * time.Millisecond)
				secret := b.Secret()
				if err := c.do(b.Directory()); err != nil {
					t.Fatal(err)
				}
				pass(3 * time.Second)
				if err := b.State().Err; err != nil {
					t.Fatalf("expected that the spool is open again, got %v", err)
				}
				wantList(t, "kept", b.kept(), "s/interim1", "s/interim2", "s/interim3")
				if !strings.Contains(b.text.String(), "was removed while it was in use; it was written again") {
					t.Errorf("expected a line about it, got %s", b.text)
				}
				b.close()
				again := newBed(t, b.Directory(), roomy)
				wantList(t, "kept by the next process", again.kept(), "s/interim1", "s/interim2", "s/interim3")
				if got, want := keyOf(t, again), keyOf(t, b); got != want || secret == nil {
					t.Errorf("expected the secret of before, got another")
				}
			})
		})
	}
}

// keyOf returns the spool's secret as text.
func keyOf(t *testing.T, b *bed) string {
	t.Helper()
	return string(b.Spool.key)
}

// While the database cannot be written again, nothing is acknowledged.
//
// Rules: SP2, SP10
func TestDatabaseCannotBeWrittenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, filepath.Join(t.TempDir(), "spool"), roomy)
		b.owner.set(silent)
		b.add(series("s", 1)...)
		pass(100 * time.Millisecond)
		if err := os.RemoveAll(b.Directory()); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(b.Directory(), nil, 0o600); err != nil { // a file has the name now
			t.Fatal(err)
		}
		pass(2 * time.Second)
		if err := b.State().Err; err == nil {
			t.Fatal("expected that the spool says so, got no error")
		}
		e := b.entry(sample{"other", start, 0})
		b.handOver(e)
		pass(time.Second)
		if e.Err == nil {
			t.Error("expected that the record is not acknowledged")
		}
		if err := os.Remove(b.Directory()); err != nil {
			t.Fatal(err)
		}
		pass(3 * time.Second)
		if err := b.State().Err; err != nil {
			t.Fatalf("expected that the spool is open again, got %v", err)
		}
		wantList(t, "kept", b.kept(), "s/interim1")
	})
}

// A file of records that were set aside has one that nobody understands: the others come back,
// once, and the file is kept for people.
//
// Rules: SP12
func TestRetryAsideWithADamagedRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.owner.set(silent)
		b.add(series("s", 2)...)
		pass(100 * time.Millisecond)
		text := "garbage\n\n" + string(b.export())
		if _, err := b.Drop(func(*Kept) bool { return true }); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		if err := os.WriteFile(filepath.Join(b.Directory(), asideName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := b.RetryAside(t.Context())
		if err != nil || got.Stored != 2 || got.Unread != 1 || !strings.Contains(strings.Join(got.Why, "\n"), "line 1: ") {
			t.Errorf("expected two records and one that is not understood, with its line, got %+v, %v", got, err)
		}
		if kept, err := os.ReadFile(filepath.Join(b.Directory(), retryName+".unread-1")); err != nil || string(kept) != text {
			t.Errorf("expected that the file is kept, got %q, %v", kept, err)
		}
		if got, err := b.RetryAside(t.Context()); err != nil || got.Stored != 0 {
			t.Errorf("expected nothing more, got %+v, %v", got, err)
		}
	})
}
