package spool

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// The store has what was committed, in the order of the numbers, also when it is opened again.
//
// Rules: SP2
func TestFileStore(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "new", "directory")
	want := memoryStore{}
	r := rand.New(rand.NewPCG(4, 4))
	for run := range 3 {
		st, err := openFileStore(directory, quiet)
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			add := []addition{{r.Uint64N(1000), []byte(fmt.Sprint(r.Uint64()))}, {r.Uint64(), bytes.Repeat([]byte{7}, r.IntN(20_000))}}
			remove := []uint64{r.Uint64N(1000), r.Uint64N(1000)}
			if err := st.commit(add, remove); err != nil {
				t.Fatal(err)
			}
			want.commit(add, remove)
		}
		if got := contents(t, st); !maps.EqualFunc(got, want, bytes.Equal) {
			t.Fatalf("run %d: expected %d records, got %d, or others", run, len(want), len(got))
		}
		var numbers []uint64
		st.each(500, func(seq uint64, _ []byte) bool {
			numbers = append(numbers, seq)
			return len(numbers) < 5
		})
		if len(numbers) != 5 || numbers[0] < 500 || !slices.IsSorted(numbers) {
			t.Errorf("run %d: expected the next five numbers from 500, got %v", run, numbers)
		}
		st.get([]uint64{1 << 63, numbers[0]}, func(seq uint64, value []byte) {
			if seq != numbers[0] || !bytes.Equal(value, want[seq]) {
				t.Errorf("run %d: expected record %d, got %d", run, numbers[0], seq)
			}
		})
		if err := st.close(); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(directory); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("expected a directory for this user alone, got %v, %v", info.Mode(), err)
	}
}

// A store that is closed gives errors.
//
// Rules: SP10
func TestClosedStore(t *testing.T) {
	st, err := openFileStore(t.TempDir(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := st.close(); err != nil {
			t.Errorf("expected that it closes, got %v", err)
		}
	}
	for name, err := range map[string]error{
		"each":   st.each(0, func(uint64, []byte) bool { return true }),
		"get":    st.get([]uint64{1}, func(uint64, []byte) {}),
		"commit": st.commit(nil, []uint64{1}),
	} {
		if !isDamaged(err) {
			t.Errorf("%s: expected an error that has the store opened again, got %v", name, err)
		}
	}
}

// A file that is cut off while it is used gives errors, whatever is being done, and ends neither
// the process nor anybody's patience. A new database begins then with what is left.
//
// Rules: SP9, SP10
func TestFileIsCutOffWhileItIsUsed(t *testing.T) {
	for _, size := range []int{0, 1, pageSize, 2 * pageSize, 5*pageSize - 1, 10 * pageSize} {
		for _, first := range []string{"each", "get", "commit", "close"} {
			directory, have, _ := database(t, 100, 1)
			st, err := openFileStore(directory, quiet)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(filepath.Join(directory, databaseName), int64(size)); err != nil {
				t.Fatal(err)
			}
			numbers := slices.Sorted(maps.Keys(have))
			use := map[string]func() error{
				"each":   func() error { return st.each(0, func(uint64, []byte) bool { return true }) },
				"get":    func() error { return st.get(numbers, func(uint64, []byte) {}) },
				"commit": func() error { return st.commit([]addition{{1 << 40, sampleRecord(1, 300)}}, numbers) },
				"close":  func() error { return nil },
			}
			if err := use[first](); err == nil && first != "close" {
				t.Errorf("cut off at %d: expected an error of %s", size, first)
			}
			var all sync.WaitGroup
			for _, f := range use {
				all.Go(func() { f() }) // must not hang
			}
			all.Wait()
			st.close()
			st, err = openFileStore(directory, quiet)
			if err != nil {
				t.Fatalf("cut off at %d, then %s: expected that it opens again, got %v", size, first, err)
			}
			if err := st.commit([]addition{{1 << 40, sampleRecord(1, 300)}}, nil); err != nil {
				t.Errorf("cut off at %d, then %s: expected that it can be written, got %v", size, first, err)
			}
			st.close()
		}
	}
}

// The spool says what has happened to its file, refuses records meanwhile, begins a new database,
// and goes on.
//
// Rules: SP9, SP10
func TestSpoolWhoseFileIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.owner.set(holding)
		b.add(s1Start, s2Start)
		synctest.Wait()
		if err := os.Truncate(filepath.Join(b.Directory(), databaseName), int64(2*pageSize)); err != nil {
			t.Fatal(err)
		}
		b.add(s1Stop)
		synctest.Wait()
		wantList(t, "acknowledged", b.owner.acknowledged(), "s1/start", "s2/start", "s1/stop: disk")
		if err := b.State().Err; !isDamaged(err) {
			t.Errorf("expected that the spool says that its file is damaged, got %v", err)
		}
		b.wantMetric("up", "", 0)
		pass(reopenPause)
		if err := b.State().Err; err != nil {
			t.Errorf("expected that the spool is open again, got %v", err)
		}
		b.wantLog("the spool's database is damaged; a new one has begun")
		b.add(s1Stop)
		pass(2 * removalPause)
		wantList(t, "acknowledged by the new store", b.owner.acknowledged(), "s1/stop")
		wantList(t, "kept", b.kept(), "s1/stop")
		b.wantMetric("up", "", 1)
	})
}

// A file that cannot be read is noticed by whoever reads it: the replay, or people.
//
// Rules: SP10
func TestReadingFindsTheDamage(t *testing.T) {
	for _, who := range []string{"replay", "people"} {
		synctest.Test(t, func(t *testing.T) {
			b := closedBed(t, "", roomy)
			current := b.disturbed()
			b.owner.set(holding)
			b.Start(t.Context())
			b.add(s1Start)
			synctest.Wait()
			b.owner.end(Answered)
			pass(time.Second)
			st := current()
			nonsense := fmt.Errorf("%w: a page of nonsense", errFault)
			if who == "replay" {
				st.failToGet(nonsense)
				b.add(s2Start)
			} else {
				st.mu.Lock()
				st.each6 = nonsense
				st.mu.Unlock()
				if err := b.Each(5, func(*Kept) bool { return true }); !isDamaged(err) {
					t.Errorf("expected that people get the error, got %v", err)
				}
			}
			pass(time.Second)
			if err := b.State().Err; err == nil || !strings.Contains(err.Error(), "a page of nonsense") {
				t.Errorf("%s: expected that the spool says what is wrong, got %v", who, err)
			}
			pass(reopenPause)
			if current() == st || b.State().Err != nil {
				t.Errorf("%s: expected that the store has been opened again, got %v", who, b.State().Err)
			}
			b.add(s1Stop)
			pass(time.Second)
			if got := b.owner.acknowledged(); !slices.Contains(got, "s1/stop") {
				t.Errorf("%s: expected that the spool stores again, got %q", who, got)
			}
		})
	}
}

// Of two spools in one directory, the second is not open, and says so; it takes over when the
// first has ended. Nothing of the first is lost.
//
// Rules: SP13
func TestTwoSpoolsInOneDirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := newBed(t, "", roomy)
		first.owner.set(holding)
		first.add(s1Start)
		synctest.Wait()
		second := newBed(t, first.Directory(), roomy)
		if err := second.State().Err; err == nil || !strings.Contains(err.Error(), "it is in use by another process: each gateway needs a directory of its own") {
			t.Errorf("expected an error about another process, got %v", err)
		}
		second.wantLog("the spool cannot be opened")
		second.wantLog("in use by another process")
		second.wantMetric("up", "", 0)
		if err := second.Add(second.entry(s2Start)); err != ErrClosed {
			t.Errorf("expected ErrClosed of the second spool, got %v", err)
		}
		pass(time.Hour)
		first.add(s1Stop)
		synctest.Wait()
		wantList(t, "acknowledged by the first", first.owner.acknowledged(), "s1/start", "s1/stop")
		first.close()
		pass(reopenPause + 2*lockTimeout)
		wantList(t, "kept by the second", second.kept())
		wantList(t, "sent by the second", second.owner.names(), "s1/start", "s1/stop")
		second.wantMetric("up", "", 1)
		if err := first.Add(first.entry(s1Start)); err != ErrClosed {
			t.Errorf("expected ErrClosed of the first spool, got %v", err)
		}
	})
}

// A process that waits for the directory must not get the database that the other has replaced
// meanwhile.
//
// Rules: SP13
func TestTwoSpoolsWithADamagedDatabase(t *testing.T) {
	from, have, _ := database(t, 100, 1)
	text := usedPart(t, from)
	directory := cutOff(t, text[:len(text)-pageSize])
	synctest.Test(t, func(t *testing.T) {
		limits := roomy
		limits.MaxAge = 1<<63 - 1
		first, second := closedBed(t, directory, limits), closedBed(t, directory, limits)
		var both sync.WaitGroup
		for _, b := range []*bed{first, second} {
			b.owner.set(holding)
			both.Go(func() { b.Start(t.Context()) })
		}
		both.Wait()
		pass(time.Minute)
		open := slices.DeleteFunc([]*bed{first, second}, func(b *bed) bool { return b.State().Err != nil })
		if len(open) != 1 {
			t.Fatalf("expected that one spool is open, got %d", len(open))
		}
		if n := open[0].State().Records; n < len(have)/2 {
			t.Errorf("expected most of %d records, got %d", len(have), n)
		}
		if kept, _ := filepath.Glob(filepath.Join(directory, "*.damaged-*")); len(kept) != 1 {
			t.Errorf("expected that one database is kept, got %q", kept)
		}
	})
}
