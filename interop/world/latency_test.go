//go:build linux

package world

import (
	"testing"
	"time"
)

// noEffect measures p99 alone and beside a fault, in turns, and fails when the
// fault shows: more than 1.2 times, and wakeUp beside.
//
// The lowest of the windows of each kind count, of three windows at least, and of
// eight before it fails. What delays packets does so in each window, by tens of
// milliseconds or seconds: a look-up, a write, a lock. Other programs on the
// machine do not disturb all of them.
func noEffect(t *testing.T, fault string, alone, beside func() time.Duration) {
	t.Helper()
	var without, with time.Duration
	for turn := 1; ; turn++ {
		if p := alone(); without == 0 || p < without {
			without = p
		}
		if p := beside(); with == 0 || p < with {
			with = p
		}
		bound := without*12/10 + wakeUp
		switch {
		case t.Failed(): // something else is wrong
		case turn < 3 || with > bound && turn < 8:
			continue
		case with > bound:
			t.Errorf("p99 is %v beside %s and %v without: expected at most %v", with, fault, without, bound)
		}
		t.Logf("p99 beside %s: %v, without: %v", fault, round(with), round(without))
		return
	}
}

// wakeUp is how late a program may be that was due when others were running: a
// tick of the kernel's scheduler (4 ms at 250 Hz), and a bit.
const wakeUp = 5 * time.Millisecond

// firstTry is the longest time of a request that was answered to its first transmission: the
// next is sent after 1.8 s (retransmit_initial is 2 s, off by
// up to a tenth).
const firstTry = 1700 * time.Millisecond

// besideControl sends logins for a realm and for a control realm in turns, ten of
// each a second, and returns what became of both. The control realm has only the
// server that the other is to end up with, so a busy machine delays both alike.
func (c *client) besideControl(realm, control string, d time.Duration) (sum, controlled summary) {
	var all, controls exchanges
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for from := time.Now(); time.Since(from) < d; {
		all = append(all, c.login("u@"+realm))
		<-ticker.C
		controls = append(controls, c.login("u@"+control))
		<-ticker.C
	}
	return all.wait(patience), controls.wait(patience)
}

// slower reports by how much the median is above that of the control, and whether
// that is more than allowed, or any request was not answered to its first transmission.
func (s summary) slower(control summary, allowed time.Duration) (by time.Duration, too bool) {
	by = s.quantile(0.5) - control.quantile(0.5)
	return by, by > allowed || s.max() > firstTry+control.max()
}
