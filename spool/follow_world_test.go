package spool

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"radsec-gw/spool/stream"
)

// publish puts a value into the stream, as NATS does, and tells all members but those that are deaf.
func (h *fakeHub) publish(value []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	h.values[h.last] = value
	for _, m := range h.members {
		if !h.deaf[m.name] {
			m.feed <- stream.Change{Kind: stream.Added, Seq: h.last, Data: value}
		}
	}
}

// encoded returns a record that a gateway has stored which arrived at a time on the hub's clock.
func encoded(b *bed, s sample, at time.Time) []byte {
	e := b.entry(s)
	r := e.Record
	r.Arrived, r.at, r.Packet = time.Now(), at.UnixNano(), bytes.Clone(e.Packet.Packet)
	return r.appendTo(nil)
}

// However many changes come at once, all are applied.
//
// Rules: GW4
func TestManyChangesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, a, b, _ := sharing(t)
		const n = 3*maxCommit + 7
		a.mu.Lock() // so that they wait
		for i := range n {
			hub.publish(encoded(b, sample{fmt.Sprint("s", i), start, 0}, time.Now()))
		}
		a.mu.Unlock()
		pass(time.Second)
		a.wantRecords("all told", n)
		b.wantRecords("all told", n)
	})
}

// The clock of a gateway may be wrong, and that of the NATS servers may be: no record is dropped for
// its age because of one of them, and none makes another older than it is.
//
// Rules: GW4, SP6, SP11
func TestWrongClocks(t *testing.T) {
	const long = 200 * 24 * time.Hour
	for _, ahead := range []time.Duration{-long, long} {
		synctest.Test(t, func(t *testing.T) {
			hub, a, b, _ := sharing(t)
			hub.setAhead(ahead)
			pass(2 * comparePause) // they notice
			b.add(s1Start)
			pass(time.Second)
			hub.publish(encoded(b, s2Start, time.Now().Add(ahead+long))) // of one whose time is ahead
			pass(time.Second)
			b.add(sample{"s2", stop, 0})
			pass(time.Minute)
			a.close()
			c := sharedBed(t, hub, 7)
			c.owner.set(silent)
			hub.lead(7)
			pass(time.Minute)
			c.wantRecords("opened", 3)
			c.wantMetric("dropped_total", "age", 0)
			if got := c.State().Oldest; got > 3*time.Minute {
				t.Errorf("clock of the store %v ahead: expected an age of some minutes, got %v", ahead, got)
			}
			hub.setAhead(0)
			pass(5 * time.Minute)
			c.wantRecords("the clock is right again", 3)
			c.wantMetric("dropped_total", "age", 0)
			c.owner.set(answering)
			pass(5 * time.Minute)
			c.wantRecords("sent", 0)
			if ahead > 0 { // otherwise the one from the future has become the newest meanwhile
				wantList(t, "sent", withoutRepeats(c.owner.names()), "s1/start", "s2/start", "s2/stop")
			}
		})
	}
}

// When the stream is in reach again after a record could not be stored, the spool is up at once, also
// if nothing comes that is to be stored. If the stream has refused it, it knows that from what
// another gateway stores.
//
// Rules: SP14
func TestUpWithoutAnotherRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, _, b, c := sharing(t)
		hub.set(1, true, false)
		b.add(s1Start)
		pass(time.Second)
		b.wantMetric("up", "", 0)
		hub.set(1, false, false)
		pass(2 * time.Second)
		b.wantMetric("up", "", 1)
		if err := b.State().Err; err != nil {
			t.Error(err)
		}
		hub.mu.Lock()
		hub.refuses = true
		hub.mu.Unlock()
		b.add(s1Start)
		pass(10 * time.Second)
		b.wantMetric("up", "", 0)
		hub.mu.Lock()
		hub.refuses = false
		hub.mu.Unlock()
		pass(10 * time.Second)
		b.wantMetric("up", "", 0)
		c.add(s2Start)
		pass(2 * time.Second)
		b.wantMetric("up", "", 1)
		if err := b.State().Err; err != nil {
			t.Error(err)
		}
	})
}

// Records that cannot be removed have nothing to do with those that are stored; they are removed when
// that is possible, some at a time.
//
// Rules: GW4, SP14
func TestRemovalsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, a, b, _ := sharing(t)
		hub.mu.Lock()
		hub.keeps = true
		hub.mu.Unlock()
		const n = 2*maxRemovals + 10
		a.owner.set(answering)
		for i := range n {
			hub.publish(encoded(b, sample{fmt.Sprint("s", i), start, 0}, time.Now()))
		}
		pass(5 * time.Second)
		a.wantRecords("sent", 0)
		a.add(s1Stop)
		pass(2 * time.Second)
		wantList(t, "acknowledged", a.owner.acknowledged(), "s1/stop")
		a.wantMetric("up", "", 1)
		if text := a.text.String(); !strings.Contains(text, "cannot remove records that servers have") || strings.Contains(text, "cannot write") || strings.Contains(text, "can write again") {
			t.Errorf("expected the log to tell of the removals only, got:\n%s", text)
		}
		hub.mu.Lock()
		hub.keeps = false
		hub.mu.Unlock()
		pass(10 * time.Second)
		if hub.len() > 0 || hub.most > maxRemovals {
			t.Errorf("expected an empty stream, and at most %d removals at a time, got %d records and %d removals", maxRemovals, hub.len(), hub.most)
		}
	})
}

// What is missed is found although there is always something to store: removals, and additions.
//
// Rules: GW4
func TestMissedUnderTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, a, b, c := sharing(t)
		trickle := func(d time.Duration) {
			for i := 0; d > 0; d -= 20 * time.Second {
				c.add(sample{fmt.Sprint(d, i), start, 0})
				hub.mu.Lock()
				for _, m := range hub.members { // what is before the first record says nothing about the rest
					m.feed <- stream.Change{Kind: stream.Left}
				}
				hub.mu.Unlock()
				pass(20 * time.Second)
			}
		}
		b.add(s1Start, s2Start)
		pass(time.Second)
		hub.set(1, false, true)
		a.owner.set(answering)
		pass(10 * time.Second)
		hub.set(1, false, false)
		b.wantRecords("not told", 2)
		trickle(5 * time.Minute)
		b.wantRecords("removals found", 0)

		hub.set(0, false, true)
		hub.publish(encoded(b, s1Stop, time.Now()))
		hub.set(0, false, false)
		trickle(10 * time.Minute)
		a.wantRecords("the record that was missed is sent", 0)
		if hub.len() > 0 {
			t.Errorf("expected all to be sent, got %d records", hub.len())
		}
	})
}

// What no gateway has signed is left alone, and neither sent nor counted among the records.
//
// Rules: GW6, SP13
func TestRecordThatNobodyHasSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, a, b, _ := sharing(t)
		hub.publish(nil)
		pass(time.Second)
		a.wantRecords("not signed", 0)
		if !strings.Contains(a.text.String(), errForeign.Error()) {
			t.Errorf("expected the log to tell of it, got:\n%s", a.text)
		}
		opened := hub.openings()
		b.add(s1Start)
		a.owner.set(answering)
		pass(10 * comparePause)
		if hub.len() != 1 || hub.openings() != opened {
			t.Errorf("expected it to be left, and nothing to be read again, got %d records, opened %d times", hub.len(), hub.openings()-opened)
		}
		d := sharedBed(t, hub, 7)
		d.wantRecords("opened", 0)
		if !strings.Contains(d.text.String(), "the spool leaves records alone that it cannot read") {
			t.Errorf("expected the log to tell of it, got:\n%s", d.text)
		}
	})
}

// A record that has the number of one that is delivered is not removed in its place: the servers have
// lost that one. It is found, and sent.
//
// Rules: GW4, SP9
func TestNumberOfAnotherRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, a, b, _ := sharing(t)
		var l Live
		e := a.entry(s1Start)
		if !a.Begin(&l, &e.Marks) {
			t.Fatal("expected that nothing is before it")
		}
		e.Live = &l
		if err := a.Add(e); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		hub.mu.Lock()
		hub.values[hub.last] = encoded(b, s2Start, time.Now())
		hub.mu.Unlock()
		a.owner.transmissions()
		a.End(&l, true)
		pass(time.Second)
		if hub.len() != 1 {
			t.Fatalf("expected that the other record is kept, got %d", hub.len())
		}
		a.wantLog("is no longer what it was")
		a.wantMetric("up", "", 0)
		a.owner.set(answering)
		pass(time.Minute)
		wantList(t, "sent", a.owner.names(), "s2/start")
		if hub.len() != 0 {
			t.Errorf("expected an empty stream, got %d records", hub.len())
		}
	})
}

// Nor is it sent in the session of the one whose number it has: the records are read again first.
//
// Rules: GW4, SP5
func TestNumberOfAnotherRecordIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, a, b, _ := sharing(t)
		a.add(s1Start, s1Stop)
		pass(time.Second)
		hub.mu.Lock()
		hub.values[hub.last-1] = encoded(b, sample{"s3", stop, 0}, time.Now())
		hub.values[hub.last] = encoded(b, sample{"s4", stop, 0}, time.Now())
		hub.mu.Unlock()
		a.owner.transmissions()
		a.owner.set(answering)
		pass(time.Minute)
		a.wantLog("is another record by now")
		wantList(t, "sent", a.owner.names(), "s3/stop", "s4/stop")
		if hub.len() != 0 {
			t.Errorf("expected an empty stream, got %d records", hub.len())
		}
	})
}
