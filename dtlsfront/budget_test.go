package dtlsfront

import (
	"testing"
	"time"
)

// A flood of ClientHellos is answered at a bounded rate, and others are answered again once it
// has ended.
// Rules: DT5
func TestBudget(t *testing.T) {
	var b budget
	now := time.Now()
	spend := func(n int) (spent int) {
		for range n {
			if b.spend(now) {
				spent++
			}
		}
		return spent
	}
	if got := spend(50_000); got != maxHellos {
		t.Errorf("%d of 50,000 at once are answered, expected %d", got, maxHellos)
	}
	now = now.Add(100 * time.Millisecond)
	if got := spend(50_000); got != maxHellos/10 {
		t.Errorf("a tenth of a second later %d more are answered, expected %d", got, maxHellos/10)
	}
	now = now.Add(time.Hour)
	if got := spend(10); got != 10 {
		t.Errorf("an hour later %d of 10 are answered", got)
	}
}
