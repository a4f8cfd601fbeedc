package spool

import (
	"testing"
	"testing/synctest"
	"time"
)

// The spool's clock goes on from the last record by the time that has passed on the machine's
// clock meanwhile, and not backwards, whatever that clock says.
//
// Rules: SP6
func TestNewClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const last = int64(5e18)
		for _, c := range []struct {
			name    string
			stopped time.Duration // by the machine's clock, since the last record
			want    time.Duration // age of the last record
		}{
			{"an hour later", time.Hour, time.Hour},
			{"at once", 0, 0},
			{"the machine's clock was put back", -time.Hour, 0},
			{"by years", -20 * 365 * 24 * time.Hour, 0},
			{"the machine's clock was put forward", 1000 * time.Hour, 1000 * time.Hour},
		} {
			clock := newClock(clock{}, last, time.Now().Add(-c.stopped))
			if got := clock.age(last); got != c.want {
				t.Errorf("%s: expected an age of %v, got %v", c.name, c.want, got)
			}
			if got := clock.age(last + int64(time.Minute) + int64(c.want)); got != 0 {
				t.Errorf("%s: expected an age of 0 for a time in the future, got %v", c.name, got)
			}
			pass(time.Minute)
			if got, want := clock.age(last), c.want+time.Minute; got != want {
				t.Errorf("%s: expected an age of %v a minute later, got %v", c.name, want, got)
			}
		}
	})
}

// Without a record the clock begins far above zero: a record that is stored then may have
// arrived before.
//
// Rules: SP6
func TestNewClockOfAnEmptySpool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClock(clock{}, 0, time.Time{})
		if at := c.now() - int64(24*time.Hour); at <= 0 {
			t.Errorf("expected that the time a day ago is above zero, got %d", at)
		}
	})
}

// A store that is opened again does not put the clock of this run back, but may put it forward:
// another process may have used it.
//
// Rules: SP6
func TestNewClockOfTheSameRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := newClock(clock{}, 0, time.Time{})
		pass(time.Hour)
		for _, ahead := range []time.Duration{-time.Hour, 0, time.Hour} {
			after := newClock(before, before.now()+int64(ahead), time.Now())
			if got, want := after.now()-before.now(), int64(max(0, ahead)); got != want {
				t.Errorf("a record that is %v ahead: expected that the clock goes forward by %v, got %v", ahead, time.Duration(want), time.Duration(got))
			}
		}
		if after := newClock(before, 0, time.Time{}); after.now() != before.now() {
			t.Errorf("an empty store: expected the same time, got %v more", time.Duration(after.now()-before.now()))
		}
	})
}

// Records that are older than the store keep their age over a restart: those of an import, and
// the first one, which arrived before the store was made.
//
// Rules: SP6
func TestAgeOverARestart(t *testing.T) {
	directory := t.TempDir()
	var begin time.Time
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, directory, roomy)
		b.owner.set(silent)
		begin = time.Now()
		e := b.entry(s1Start)
		e.Waited = 30 * 24 * time.Hour
		e.Record.Arrived = begin.Add(-e.Waited)
		if err := b.Add(e); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
	})
	synctest.Test(t, func(t *testing.T) {
		pass(3*time.Hour - time.Since(begin))
		b := newBed(t, directory, roomy)
		if got, want := b.State().Oldest, 30*24*time.Hour+3*time.Hour; got < want || got > want+time.Second {
			t.Errorf("expected an age of %v, got %v", want, got)
		}
	})
}

// Times that are nonsense make nothing overflow: not the age, and not the order.
//
// Rules: SP6
func TestNonsenseTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.owner.set(silent)
		for i, waited := range []time.Duration{-time.Hour, 1<<63 - 1, -1 << 63} {
			e := b.entry(sample{"s1", interim, i + 1})
			e.Waited = waited
			e.Marks.delay = longestWait
			if err := b.Add(e); err != nil {
				t.Fatal(err)
			}
			if now := b.clock.now(); e.Record.at > now || e.Record.at-int64(longestWait) > now-int64(longestWait) {
				t.Errorf("waited %v: expected a time before now, got %d", waited, e.Record.at)
			}
			pass(time.Second)
			if got := b.State().Oldest; got < 0 || got > longestWait+time.Hour {
				t.Errorf("waited %v: expected an age between 0 and %v, got %v", waited, longestWait, got)
			}
		}
	})
}
