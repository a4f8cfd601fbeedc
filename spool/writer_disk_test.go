package spool

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

var errNoSpace = &nonFatal{syscall.ENOSPC}

// nonFatal is an error of the disk, as package bbolt passes it on.
type nonFatal struct{ err error }

func (e *nonFatal) Error() string { return "write spool.db: " + e.err.Error() }
func (e *nonFatal) Unwrap() error { return e.err }

// While the disk is full nothing is acknowledged, the spool says so, and the servers get what is
// stored. When it has space again, the spool goes on.
//
// Rules: SP10
func TestDiskFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, current, release := blockedBed(t)
		release()
		pass(time.Second)
		b.owner.acknowledged()
		current().fail(errNoSpace)
		b.add(s1Start)
		pass(time.Second)
		wantList(t, "acknowledged", b.owner.acknowledged(), "s1/start: disk")
		if err := b.State().Err; !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("expected that the spool says that there is no space, got %v", err)
		}
		b.wantLog("the spool cannot write: records are not acknowledged until it can")
		b.wantMetric("up", "", 0)
		b.wantMetric("refused_total", "disk", 1)
		b.wantMetric("failures_total", "", 1)
		b.wantRecords("that could be stored", 1)
		var live Live
		e := b.entry(s1Start)
		if !b.Begin(&live, &e.Marks) {
			t.Error("expected that a record which was not stored keeps nothing from being sent")
		}
		b.End(&live, true)

		b.owner.end(Answered) // its removal fails
		pass(time.Minute)
		b.wantRecords("after the answer", 0)
		current().fail(nil)
		pass(time.Minute)
		wantList(t, "kept, when the removal has been tried again", b.kept())
		b.add(s1Start)
		pass(time.Second)
		wantList(t, "acknowledged", b.owner.acknowledged(), "s1/start")
		if err := b.State().Err; err != nil {
			t.Errorf("expected that the spool has no error, got %v", err)
		}
		if n := strings.Count(b.text.String(), "the spool can write again"); n != 1 {
			t.Errorf("expected one log line when it can write again, got %d", n)
		}
		b.wantMetric("up", "", 1)
	})
}

// Removals need no space: they are done although the additions of the same commit fail.
//
// Rules: SP10
func TestRemovalsOnAFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, current, release := blockedBed(t)
		release()
		pass(time.Second)
		st := current()
		st.mu.Lock()
		st.before = func(add []addition, _ []uint64) error {
			if len(add) > 0 {
				return errNoSpace
			}
			return nil
		}
		st.mu.Unlock()
		b.owner.end(Answered)
		b.add(s1Start)
		synctest.Wait()
		if n := b.inStore(); n != 0 {
			t.Errorf("expected nothing in the store, got %d records", n)
		}
		pass(time.Second)
		st.taken()
		pass(time.Hour)
		if n := len(st.taken()); n != 0 {
			t.Errorf("expected no commits when nothing is left to do, got %d", n)
		}
	})
}

// Removals that fail together with an addition are not forgotten.
//
// Rules: SP10
func TestRemovalsThatFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, current, release := blockedBed(t)
		release()
		pass(time.Second)
		st := current()
		release = st.block()
		b.add(s2Start)
		synctest.Wait() // in a commit
		b.owner.end(Answered)
		b.add(s1Start)
		st.fail(errNoSpace)
		release()
		synctest.Wait()
		if n := len(st.taken()); n != 4 {
			t.Errorf("expected two commits, one that fails, and one more of its removals, got %d", n)
		}
		b.owner.end(Answered)
		pass(time.Minute)
		b.wantRecords("when both were answered", 0)
		st.fail(nil)
		pass(2 * time.Second)
		if n := b.inStore(); n != 0 {
			t.Errorf("expected that the removals are tried again, got %d records in the store", n)
		}
	})
}

// A commit may fail after it was written, when it is synced. What it added was not acknowledged:
// it is not sent, and removed.
//
// Rules: SP2, SP10
func TestSyncFailsAfterTheWrite(t *testing.T) {
	directory := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := closedBed(t, directory, roomy)
		current := b.disturbed()
		b.Start(t.Context())
		st := current()
		st.mu.Lock()
		st.after = func(error) error { return errors.New("fdatasync: input/output error") }
		st.mu.Unlock()
		b.add(s1Start, s1Stop)
		synctest.Wait()
		wantList(t, "acknowledged", b.owner.acknowledged(), "s1/start: disk", "s1/stop: disk")
		b.wantRecords("when the sync has failed", 0)
		st.mu.Lock()
		st.after = nil
		st.mu.Unlock()
		pass(2 * time.Second)
		b.add(s2Start)
		pass(time.Second)
		wantList(t, "sent", b.owner.names(), "s2/start")
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, directory, roomy)
		wantList(t, "kept for the next process", b.kept())
		pass(time.Minute)
		wantList(t, "sent by the next process", b.owner.names())
	})
}

// A disk that fails for an hour, with records at all times, leaves nothing behind in memory.
//
// Rules: SP10, SP11
func TestDiskFailsForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, current, release := blockedBed(t)
		release()
		pass(time.Second)
		current().fail(errNoSpace)
		for i := range 3600 {
			b.add(sample{fmt.Sprint("s", i), start, 0})
			pass(time.Second)
		}
		b.wantRecords("after an hour", 1)
		if n := len(b.removals); n != 0 {
			t.Errorf("expected no removals that wait, got %d", n)
		}
		if n := int(b.index.items.used); n > 10 {
			t.Errorf("expected that the memory of records is used again, got %d", n)
		}
		if n := strings.Count(b.text.String(), "the spool cannot write"); n > 70 {
			t.Errorf("expected at most a log line a minute, got %d in an hour", n)
		}
	})
}

// While a commit hangs, records are taken over up to a bound, and then refused; nobody waits,
// requests go on without the spool, and Close gives up when its context ends.
//
// Rules: SP10
func TestDiskHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _, release := blockedBed(t)
		var taken, busy atomic.Int64
		var live [100]Live
		begin := time.Now()
		for i := range maxWaiting + 100 {
			switch err := b.Add(b.entry(sample{fmt.Sprint("s", i), start, 0})); {
			case err == nil:
				taken.Add(1)
			case errors.Is(err, ErrBusy):
				busy.Add(1)
			default:
				t.Fatal(err)
			}
		}
		if taken.Load() != maxWaiting-1 || busy.Load() != 101 { // one is being written
			t.Errorf("expected %d records to be taken over and 101 refused, got %d and %d", maxWaiting-1, taken.Load(), busy.Load())
		}
		for i := range live {
			e := b.entry(sample{fmt.Sprint("t", i), start, 0})
			if !b.Begin(&live[i], &e.Marks) {
				t.Error("expected that requests go on without the spool")
			}
		}
		for i := range live {
			b.End(&live[i], true)
		}
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("expected that nobody waits, got %v", waited)
		}
		b.wantMetric("refused_total", "busy", 101)
		if st := b.State(); st.Waiting != maxWaiting {
			t.Errorf("expected %d records that wait, got %d", maxWaiting, st.Waiting)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := b.Close(ctx); err == nil || time.Since(begin) != 5*time.Second {
			t.Errorf("expected an error of Close after 5 s, got %v after %v", err, time.Since(begin))
		}
		wantList(t, "acknowledged", b.owner.acknowledged())
		release()
		synctest.Wait()
		if got := len(b.owner.acknowledged()); got != maxWaiting {
			t.Errorf("expected that each record that was taken over has its answer when the disk works again, got %d", got)
		}
	})
}

// Close stores what waits.
//
// Rules: SP2
func TestCloseStoresWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _, release := blockedBed(t)
		for i := range maxCommit + 500 {
			b.add(sample{fmt.Sprint("s", i), start, 0})
		}
		time.AfterFunc(time.Second, release)
		b.close()
		got := b.owner.acknowledged()
		for _, name := range got {
			if strings.Contains(name, ":") {
				t.Errorf("expected that all records are stored, got %s", name)
				break
			}
		}
		again := newBed(t, b.Directory(), roomy)
		if n := again.State().Records; n != len(got) || n != maxCommit+501 {
			t.Errorf("expected that %d records are acknowledged and kept, got %d and %d", maxCommit+501, len(got), n)
		}
	})
}
