package spool

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A disk that hangs makes no error: after some seconds the spool says so by itself, in its
// state, its metrics and the log, and nobody who looks at its records waits for the disk. When
// it answers again, all is as before.
//
// Rules: SP10
func TestDiskThatHangsIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _, release := blockedBed(t)
		pass(hangAfter - time.Second)
		if err := b.State().Err; err != nil {
			t.Errorf("expected no error yet, got %v", err)
		}
		pass(3 * time.Second)
		if err := b.State().Err; !errors.Is(err, errHangs) {
			t.Errorf("expected that the disk does not answer, got %v", err)
		}
		b.wantMetric("up", "", 0)
		if err := b.Each(0, func(*Kept) bool { return true }); !errors.Is(err, errHangs) {
			t.Errorf("expected that a list is refused, got %v", err)
		}
		release()
		pass(2 * time.Second)
		if err := b.State().Err; err != nil {
			t.Errorf("expected no error when the disk answers again, got %v", err)
		}
		b.wantMetric("up", "", 1)
	})
}

// What waited for a disk that hangs may fail in the end: then the spool does not say that all is
// well, although the disk answers.
//
// Rules: SP10
func TestDiskThatHangsAndFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := closedBed(t, "", roomy)
		current := b.disturbed()
		b.Start(t.Context())
		gone := errors.New("input/output error")
		st := current()
		release := st.block()
		t.Cleanup(release)
		st.mu.Lock()
		st.before = func([]addition, []uint64) error { return gone }
		st.mu.Unlock()
		b.add(s1Start)
		pass(2 * hangAfter)
		release()
		pass(3 * time.Second)
		if err := b.State().Err; !errors.Is(err, gone) {
			t.Errorf("expected the error of the disk, got %v", err)
		}
		b.wantMetric("up", "", 0)
	})
}
