package spool

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var (
	s1Start   = sample{"s1", start, 0}
	s1Interim = sample{"s1", interim, 1}
	s1Stop    = sample{"s1", stop, 0}
	s2Start   = sample{"s2", start, 0}
)

// A record is acknowledged when its commit has returned, and not before.
//
// Rules: SP2
func TestAcknowledgedAfterTheCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := closedBed(t, "", roomy)
		current := b.disturbed()
		b.owner.set(holding)
		b.Start(t.Context())
		release := current().block()
		b.add(s1Start, s2Start)
		pass(time.Hour)
		wantList(t, "acknowledged while the disk works", b.owner.acknowledged())
		wantList(t, "sent while the disk works", b.owner.names())
		release()
		synctest.Wait()
		wantList(t, "acknowledged when the commit has returned", b.owner.acknowledged(), "s1/start", "s2/start")
		b.wantMetric("stored_total", "", 2)
	})
}

// The records that are handed over while a commit runs are stored by the next: 1000 of them
// need one more, not a thousand.
//
// Rules: SP2
func TestCommitsAreGrouped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := closedBed(t, "", roomy)
		current := b.disturbed()
		b.owner.set(holding)
		b.Start(t.Context())
		release := current().block()
		b.add(s1Start)
		synctest.Wait()
		for i := range 1000 {
			b.add(sample{fmt.Sprint("t", i), start, 0})
		}
		release()
		synctest.Wait()
		if n := len(b.owner.acknowledged()); n != 1001 {
			t.Errorf("expected 1001 acknowledgements, got %d", n)
		}
		if commits := current().taken(); !slices.Equal(commits, []int{1, 1000}) {
			t.Errorf("expected one commit of the first record and one of all others, got commits of %v", commits)
		}
	})
}

// A record that was sent and answered is gone, also for the next process.
//
// Rules: SP2, SP5
func TestDelivered(t *testing.T) {
	directory := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, directory, roomy)
		b.add(s1Start, s1Stop, s2Start)
		pass(time.Second)
		wantList(t, "acknowledged", b.owner.acknowledged(), "s1/start", "s1/stop", "s2/start")
		if got := b.owner.names(); len(got) != 3 || slices.Index(got, "s1/start") > slices.Index(got, "s1/stop") {
			t.Errorf("expected that the three records are sent, the Start before its Stop, got %q", got)
		}
		b.wantRecords("after the answers", 0)
		b.wantMetric("sent_total", "answered", 3)
		b.wantMetric("repeated_total", "", 0)
		if st := b.State(); st.Octets != 0 || st.Sending != 0 || st.Oldest != 0 || st.Waiting != 0 {
			t.Errorf("expected an empty spool, got %+v", st)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, directory, roomy)
		pass(time.Hour)
		wantList(t, "sent by the next process", b.owner.names())
		wantList(t, "kept", b.kept())
	})
}

// What no server has answered is there for the next process, in the same order, and counts as
// sent before.
//
// Rules: SP5, SP9
func TestNotDelivered(t *testing.T) {
	directory := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, directory, roomy)
		b.owner.set(silent)
		for i := range 5 {
			pass(time.Second)
			b.add(sample{"s1", interim, i + 1}, sample{"s2", interim, i + 1})
		}
		pass(time.Minute)
		b.wantRecords("after silence", 10)
		if !slices.Contains(b.owner.names(), "s1/interim1") {
			t.Error("expected that the oldest record was sent")
		}
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, directory, roomy)
		pass(time.Minute)
		var sessions [2][]string
		for _, name := range b.owner.names() {
			sessions[name[1]-'1'] = append(sessions[name[1]-'1'], name)
		}
		for i, got := range sessions {
			var want []string
			for n := range 5 {
				want = append(want, fmt.Sprintf("s%d/interim%d", i+1, n+1))
			}
			wantList(t, "sent by the next process", got, want...)
		}
		b.wantRecords("after the answers", 0)
		b.wantMetric("repeated_total", "", 10)
	})
}

// A request that is answered ends without a record; while it is on its way, what follows it in
// its session goes to the spool, and is sent when it has ended.
//
// Rules: SP5
func TestLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		var first, second, other Live
		begin := func(l *Live, s sample) bool { e := b.entry(s); return b.Begin(l, &e.Marks) }
		if !begin(&first, s1Start) || !begin(&other, s2Start) {
			t.Fatal("expected that two sessions may begin")
		}
		if begin(&second, s1Stop) {
			t.Fatal("expected that a Stop may not overtake its Start, which is on its way")
		}
		b.add(s1Stop)
		pass(time.Minute)
		wantList(t, "sent while the Start is on its way", b.owner.names())
		b.End(&first, true)
		b.End(&first, false) // again, to no effect
		b.End(&second, true)
		synctest.Wait()
		wantList(t, "sent when the Start has been answered", b.owner.names(), "s1/stop")
		pass(time.Second)
		if !begin(&second, s1Interim) {
			t.Error("expected that the session may go on without the spool when nothing is left in it")
		}
		b.End(&second, true)
		b.End(&other, true)
		b.wantRecords("at the end", 0)
		b.wantMetric("answered_late_total", "", 0)
	})
}

// A route tells of an answer to the live request of a record, too: that is all that a server has
// answered.
//
// Rules: SP14
func TestRouteTellsOfALateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.owner.set(silent)
		e := b.entry(s1Start)
		e.Live = new(Live)
		b.Begin(e.Live, &e.Marks)
		if err := b.Add(e); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		b.End(e.Live, true)
		pass(time.Minute)
		if r := b.Routes(1); len(r) != 1 || r[0].Answered != time.Minute {
			t.Errorf("expected the route to tell of an answer a minute ago, got %+v", r)
		}
	})
}

// A server may answer a request that went to the spool: before the record is stored, during
// the commit, and after it. The record is acknowledged, and not sent.
//
// Rules: SP3, SP7
func TestAnsweredLate(t *testing.T) {
	for _, when := range []string{"before the commit", "during the commit", "after the commit"} {
		synctest.Test(t, func(t *testing.T) {
			b := closedBed(t, "", roomy)
			current := b.disturbed()
			b.Start(t.Context())
			release := current().block()
			if when != "during the commit" {
				b.add(s2Start) // keeps the disk busy
				synctest.Wait()
			}
			e := b.entry(s1Start)
			e.Live = new(Live)
			b.Begin(e.Live, &e.Marks)
			if err := b.Add(e); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if when == "after the commit" {
				release()
				pass(time.Minute)
			}
			b.End(e.Live, true)
			release()
			pass(time.Minute)
			if got := b.owner.acknowledged(); !slices.Contains(got, "s1/start") {
				t.Errorf("%s: expected that the record is acknowledged, got %q", when, got)
			}
			if got := b.owner.names(); slices.Contains(got, "s1/start") {
				t.Errorf("%s: expected that the record is not sent, which a server has, got %q", when, got)
			}
			wantList(t, when+": kept", b.kept())
			if n := b.inStore(); n != 0 {
				t.Errorf("%s: expected nothing in the store, got %d records", when, n)
			}
			b.wantMetric("answered_late_total", "", 1)
			b.wantRecords(when, 0)
		})
	}
}

// A record is held while its request is on its way, and sent when no server has answered that.
//
// Rules: SP3
func TestHeldWhileLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		e := b.entry(s1Start)
		e.Live = new(Live)
		b.Begin(e.Live, &e.Marks)
		if err := b.Add(e); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		wantList(t, "sent while the request is on its way", b.owner.names())
		held := false
		b.Each(0, func(k *Kept) bool { held = k.Held; return true })
		if !held {
			t.Error("expected that people see that the record is held")
		}
		if n, err := b.Drop(func(*Kept) bool { return true }); n != 0 || err != nil {
			t.Errorf("expected that a held record cannot be dropped, got %d, %v", n, err)
		}
		b.End(e.Live, false)
		synctest.Wait()
		wantList(t, "sent when no server has answered", b.owner.names(), "s1/start")
	})
}

// A live request that outlives the store changes nothing in the next one, although the numbers
// of its session and its record mean others there.
//
// Rules: SP5, SP9
func TestLiveOfAnotherStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := closedBed(t, "", roomy)
		current := b.disturbed()
		b.owner.set(holding)
		b.Start(t.Context())
		b.add(s2Start)
		pass(time.Second)
		e := b.entry(s1Start)
		e.Live = new(Live)
		b.Begin(e.Live, &e.Marks)
		if err := b.Add(e); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		current().fail(fmt.Errorf("%w: gone", errFault))
		b.add(s1Stop)
		synctest.Wait()
		if err := b.State().Err; !errors.Is(err, errFault) {
			t.Errorf("expected that the spool says what is wrong with its store, got %v", err)
		}
		if err := b.Add(b.entry(s1Stop)); err != ErrClosed {
			t.Errorf("expected ErrClosed while the store is not open, got %v", err)
		}
		var during Live
		if !b.Begin(&during, &e.Marks) {
			t.Error("expected that requests go on without the spool while its store is not open")
		}
		old := b.owner.take()
		pass(reopenPause)
		b.End(e.Live, true)
		b.End(&during, true)
		for _, o := range old {
			o.Done(Answered)
		}
		if got := b.kept(); len(got) != 2 {
			t.Errorf("expected the two records that were stored, got %q", got)
		}
		var names []string
		for range 2 { // the first answer opens the window
			pass(time.Second)
			names = append(names, b.owner.end(Answered)...)
		}
		wantList(t, "sent again from the new store", names, "s2/start", "s1/start")
		b.wantRecords("when they have been answered", 0)
		if got := b.owner.acknowledged(); !slices.Contains(got, "s1/stop: disk") || strings.Count(strings.Join(got, " "), "s1/stop") != 1 {
			t.Errorf("expected that the Stop is not acknowledged, which was not stored, got %q", got)
		}
	})
}
