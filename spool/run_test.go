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
	for takes, most := range map[time.Duration]int{0: 25, 20 * time.Millisecond: 5, 200 * time.Millisecond: 3} {
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
			if n := len(st.taken()); n == 0 || n > 5*most {
				t.Errorf("commits that take %v: expected at most %d a second, got %d in 5 s", takes, most, n)
			}
			pass(time.Minute)
			b.wantRecords("at the end", 0)
		})
	}
}
