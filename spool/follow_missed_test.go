package spool

import (
	"testing"
	"testing/synctest"
	"time"
)

// A gateway that was not told of removals finds out what is left when its store tells it, also
// while it stores records, and that the store has another number of records when there are none to
// store. What is left, and what is on its way, remains.
//
// Rules: GW4
func TestRemovalsThatWereNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, a, b, _ := sharing(t)
		b.add(s1Start, s2Start)
		pass(time.Second)
		hub.set(1, false, true)
		a.owner.set(answering)
		pass(10 * time.Second)
		a.owner.set(silent)
		b.add(sample{"s3", start, 0})
		pass(time.Second)
		a.wantRecords("what is left", 1)
		b.wantRecords("not told", 3)
		opened := hub.openings()
		hub.set(1, false, false)
		pass(5 * time.Second)
		b.wantRecords("not told yet", 3)
		hub.members[1].findLeft()
		pass(time.Second)
		b.wantRecords("told what is left", 1)
		var l Live
		e := b.entry(s1Stop)
		if !b.Begin(&l, &e.Marks) {
			t.Error("expected that nothing is left that a request of the session must not overtake")
		}
		b.End(&l, true)

		hub.set(1, false, true)
		a.owner.set(answering)
		pass(2 * time.Second)
		hub.set(1, false, false)
		pass(2 * comparePause)
		b.wantRecords("compared", 0)
		if hub.openings() != opened {
			t.Error("expected that the records are not read again")
		}
	})
}

// A gateway that cannot find out what is left reads the records again.
//
// Rules: GW4
func TestIndexThatIsOutOfDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, a, b, _ := sharing(t)
		b.add(s1Start, s2Start)
		pass(time.Second)
		hub.set(1, false, true)
		a.owner.set(answering)
		pass(10 * time.Second)
		a.wantRecords("sent", 0)
		b.wantRecords("not told", 2)
		opened := hub.openings()
		pass(4 * comparePause)
		b.wantRecords("compared", 0)
		if hub.openings() != opened+1 {
			t.Errorf("expected the stream to be opened again once, got %d times", hub.openings()-opened)
		}
		pass(10 * comparePause)
		if hub.openings() != opened+1 {
			t.Error("expected the stream not to be opened again without need")
		}
	})
}

// A gateway that has nothing to store finds out all the same that the stream is out of reach, and
// that it no longer is.
//
// Rules: SP14
func TestStreamOutOfReachOfAnIdleGateway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, _, b, _ := sharing(t)
		hub.set(1, true, false)
		pass(2 * time.Second)
		b.wantMetric("up", "", 0)
		if b.State().Err == nil {
			t.Error("expected the state to have an error")
		}
		hub.set(1, false, false)
		pass(2 * time.Second)
		b.wantMetric("up", "", 1)
		if err := b.State().Err; err != nil {
			t.Error(err)
		}
	})
}
