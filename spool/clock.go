package spool

import "time"

// clock is the spool's own time in nanoseconds. It goes on from the last record of the run
// before, and is monotonic within a run: a jump of the machine's clock changes neither the
// order nor the age of a record. Only while no gateway runs does the machine's clock count. That of
// a store which gateways share is the store's.
type clock struct {
	base  int64
	start time.Time // with its monotonic reading
}

// sharedClock returns the clock of a store that gateways share, whose own clock says now. It has
// nothing to do with that of the machine, which may be another's on the next record.
func sharedClock(now time.Time) clock { return clock{base: now.UnixNano(), start: time.Now()} }

// newClock returns a clock that goes on after the last record, which arrived at a time on
// the spool's clock and on the machine's; the zero Time: there is none. It does not fall
// behind the clock of this run; the zero clock: there is none yet.
func newClock(before clock, last int64, arrived time.Time) clock {
	c := clock{start: time.Now()}
	c.base = c.start.UnixNano() // far above zero, because times are also before the first record
	if !arrived.IsZero() {
		c.base = last + max(0, int64(c.start.Sub(arrived)))
	}
	if !before.start.IsZero() {
		c.base = max(c.base, before.now())
	}
	return c
}

func (c *clock) now() int64 { return c.base + int64(time.Since(c.start)) }

// age returns how long ago a time on the spool's clock was.
func (c *clock) age(at int64) time.Duration { return time.Duration(max(0, c.now()-at)) }
