package spool

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// Records that were delivered are removed together: a hundred a second need few commits, and the
// fewer the slower the disk is.
//
// Rules: SP9
func TestRemovalsAreGrouped(t *testing.T) {
	for takes, want := range map[time.Duration][2]int{0: {10, 25}, 20 * time.Millisecond: {1, 5}, 200 * time.Millisecond: {1, 3}} {
		synctest.Test(t, func(t *testing.T) {
			limits := roomy
			limits.Rate = 100
			b := closedBed(t, "", limits)
			current := b.disturbed()
			b.Start(t.Context())
			b.openWindow()
			for i := range 1000 {
				b.add(sample{fmt.Sprint("s", i), start, 0})
			}
			st := current()
			st.mu.Lock()
			st.before = func([]addition, []uint64) error {
				<-time.After(takes)
				return nil
			}
			st.mu.Unlock()
			pass(2 * time.Second)
			st.taken()
			pass(5 * time.Second)
			if n := len(st.taken()); n < 5*want[0] || n > 5*want[1] {
				t.Errorf("commits that take %v: expected %d to %d a second, got %d in 5 s", takes, want[0], want[1], n)
			}
			pass(time.Minute)
			b.wantRecords("at the end", 0)
		})
	}
}

// A record that was answered is removed within a moment, and at the latest when the spool is
// closed.
//
// Rules: SP9
func TestRemovedSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.owner.set(holding)
		b.add(s1Start, s2Start)
		synctest.Wait()
		b.owner.end(Answered)
		if n := b.inStore(); n != 2 {
			t.Errorf("expected two records in the store at once, got %d", n)
		}
		pass(2 * removalPause)
		if n := b.inStore(); n != 1 {
			t.Errorf("expected one record in the store after a moment, got %d", n)
		}
		b.owner.end(Answered)
		b.close()
		again := newBed(t, b.Directory(), roomy)
		again.wantRecords("kept by the next process", 0)
	})
}

// When the store fails, those who wait are told: what was in its last commit, and what was to
// be in the next.
//
// Rules: SP10
func TestWaitingRecordsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, current, release := blockedBed(t)
		st := current()
		st.mu.Lock()
		st.before = func([]addition, []uint64) error { return fmt.Errorf("%w: gone", errFault) }
		st.mu.Unlock()
		b.add(s1Start, s1Stop)
		release()
		synctest.Wait()
		wantList(t, "acknowledged", b.owner.acknowledged(), "other/start", "s1/start: disk", "s1/stop: disk")
		pass(2 * reopenPause)
		st = current()
		st.mu.Lock()
		st.before = func([]addition, []uint64) error { return fmt.Errorf("%w: gone", errFault) }
		st.mu.Unlock()
		release = st.block()
		b.add(s1Start)
		synctest.Wait() // in a commit
		b.add(s1Stop, s2Start)
		release()
		synctest.Wait()
		wantList(t, "acknowledged later", b.owner.acknowledged(), "s1/start: disk", "s1/stop: closed", "s2/start: closed")
		if st := b.State(); st.Waiting != 0 {
			t.Errorf("expected that nothing waits, got %d", st.Waiting)
		}
		b.wantMetric("refused_total", "closed", 2)
	})
}
