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

// series returns a number of samples of one session.
func series(session string, n int) (list []sample) {
	for i := range n {
		list = append(list, sample{session, interim, i + 1})
	}
	return list
}

// openWindow sends records of other sessions until limits.Window may be in flight.
func (b *bed) openWindow() {
	b.t.Helper()
	b.owner.set(answering)
	for i := range b.limits.Load().Window {
		b.add(sample{fmt.Sprint("w", i), start, 0})
	}
	pass(time.Minute)
	b.owner.transmissions()
	b.owner.acknowledged()
	b.wantRecords("when the window is open", 0)
}

// One record of a session at a time is in flight, in the order in which they happened, while
// other sessions go on.
//
// Rules: SP5
func TestSessionsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.openWindow()
		b.owner.set(holding)
		b.add(s1Start, s1Interim, s1Stop)
		b.add(series("s2", 2)...)
		synctest.Wait()
		wantList(t, "sent first", b.owner.names(), "s1/start", "s2/interim1")
		held := b.owner.take()
		held[1].Done(Answered)
		pass(time.Second)
		wantList(t, "sent when the other session was answered", b.owner.names(), "s2/interim2")
		held[0].Done(Answered)
		pass(time.Second)
		wantList(t, "sent when the Start was answered", b.owner.names(), "s1/interim1")
		wantList(t, "answered", b.owner.end(Answered), "s2/interim2", "s1/interim1")
		pass(time.Second)
		wantList(t, "sent last", b.owner.names(), "s1/stop")
	})
}

// Accounting-On and -Off are about all sessions of their NAS: they are sent when everything
// before them was answered, and nothing after them before they are.
//
// Rules: SP5
func TestOnAndOffAreBarriers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.openWindow()
		b.owner.set(holding)
		b.add(s1Start, s2Start, sample{"off", off, 0}, sample{"on", on, 0}, sample{"s3", start, 0})
		pass(time.Minute)
		wantList(t, "sent first", b.owner.names(), "s1/start", "s2/start")
		for _, want := range []string{"off/off", "on/on", "s3/start"} {
			b.owner.end(Answered)
			pass(time.Second)
			wantList(t, "sent next", b.owner.names(), want)
		}
	})
}

// A recovering server gets one record, and one more at a time with each answer, up to the window;
// in all not more a second than the rate.
//
// Rules: SP5
func TestWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := roomy
		limits.Window = 8
		b := newBed(t, "", limits)
		b.owner.set(holding)
		for i := range 100 {
			b.add(sample{fmt.Sprint("s", i), start, 0})
		}
		for _, want := range []int{1, 2, 4, 8, 8, 8} {
			pass(time.Second)
			got := b.owner.end(Answered)
			if len(got) != want {
				t.Errorf("expected %d records in flight, got %d", want, len(got))
			}
		}
		pass(time.Second)
		limits.Window = 12
		b.SetLimits(limits)
		synctest.Wait()
		if got := b.State().Sending; got != 12 {
			t.Errorf("expected 12 records in flight at once with the new window, got %d", got)
		}
		b.owner.end(Answered)
		limits.Window = 3
		b.SetLimits(limits)
		pass(time.Second)
		b.owner.end(Answered)
		pass(time.Second)
		if got := len(b.owner.end(Answered)); got != 3 {
			t.Errorf("expected 3 records in flight with the new window, got %d", got)
		}
	})
}

// Rules: SP5
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := roomy
		limits.Rate = 50
		b := newBed(t, "", limits)
		b.openWindow()
		for i := range 1000 {
			b.add(sample{fmt.Sprint("s", i), start, 0})
		}
		synctest.Wait()
		begin := time.Since(b.owner.start)
		pass(10 * time.Second)
		sent := b.owner.transmissions()
		for i := range sent {
			n := 0
			for _, other := range sent[i:] {
				if other.at-sent[i].at < time.Second {
					n++
				}
			}
			if n > 50+5 { // a tenth of a second's at once
				t.Fatalf("expected at most 50 records a second and 5 at once, got %d in the second from %v", n, sent[i].at-begin)
			}
		}
		if len(sent) < 490 || len(sent) > 505 {
			t.Errorf("expected about 500 records in 10 s, got %d", len(sent))
		}
		b.SetLimits(roomy)
		pass(time.Second)
		b.wantRecords("a second after the rate was raised", 0)
	})
}

// The oldest records go first, whatever the order in which they come to the spool.
//
// Rules: SP5
func TestOldestAreSentFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := roomy
		limits.Window = 1
		b := newBed(t, "", limits)
		b.owner.set(silent)
		b.add(sample{"s0", start, 0})
		pass(time.Second) // and what follows waits
		for _, waited := range []int{3, 9, 1, 7, 5} {
			e := b.entry(sample{fmt.Sprint("s", waited), start, 0})
			e.Waited = time.Duration(waited) * time.Second
			if err := b.Add(e); err != nil {
				t.Fatal(err)
			}
		}
		b.owner.set(answering)
		pass(time.Minute)
		got := slices.DeleteFunc(b.owner.names(), func(s string) bool { return s == "s0/start" })
		wantList(t, "sent", got, "s9/start", "s7/start", "s5/start", "s3/start", "s1/start")
	})
}

// Each route has a window and pauses of its own.
//
// Rules: SP5
func TestRoutesAreIndependent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.owner.set(func(s sample) (Result, time.Duration) {
			if strings.HasPrefix(s.session, "dead") {
				return Silent, 5 * time.Second
			}
			return answering(s)
		})
		for i := range 20 {
			for _, route := range []string{"dead", "well"} {
				e := b.entry(sample{fmt.Sprint(route, i), start, 0})
				e.Record.Route = route
				if err := b.Add(e); err != nil {
					t.Fatal(err)
				}
			}
		}
		pass(time.Second)
		sent := b.owner.names()
		if n := len(slices.DeleteFunc(sent, func(s string) bool { return strings.HasPrefix(s, "dead") })); n != 20 {
			t.Errorf("expected that all 20 records of the route that works are sent, got %d", n)
		}
		b.wantRecords("after a second", 20)
	})
}

// A record that cannot be sent now, because there is no Identifier, waits, and was not sent.
// Without a route it waits longer.
//
// Rules: SP5
func TestNotSent(t *testing.T) {
	for result, want := range map[Result]time.Duration{NotSent: firstPause, NoRoute: noRoutePause} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, "", roomy)
			b.owner.set(func(sample) (Result, time.Duration) { return result, 0 })
			b.add(s1Start)
			synctest.Wait()
			b.owner.set(answering)
			if got := len(b.owner.transmissions()); got != 1 {
				t.Fatalf("expected one transmission, got %d", got)
			}
			pass(want - time.Millisecond)
			wantList(t, "sent before the pause is over", b.owner.names())
			pass(2*time.Millisecond + reachablePause)
			wantList(t, "sent after the pause", b.owner.names(), "s1/start")
			b.wantMetric("sent_total", "not_sent", 1)
			b.wantMetric("sent_total", "answered", 1)
			b.wantMetric("repeated_total", "", 0)
		})
	}
}

// Records that the store no longer has, or has damaged, are dropped and counted, and the
// session goes on with what follows.
//
// Rules: SP9
func TestRecordThatIsDamaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.owner.set(holding)
		b.add(s1Start)
		synctest.Wait()
		b.owner.take()
		b.add(s1Interim, s1Stop, s2Start)
		synctest.Wait()
		st := b.store.(*fileStore)
		if err := st.commit([]addition{{2, []byte("\x01nonsense")}}, []uint64{4}); err != nil {
			t.Fatal(err)
		}
		b.SendNow()
		b.close()
		again := newBed(t, b.Directory(), roomy)
		again.wantMetric("dropped_total", "damaged", 1)
		again.wantLog("the spool drops records that are damaged")
		pass(time.Minute)
		wantList(t, "sent", again.owner.names(), "s1/start", "s1/stop")
		again.wantRecords("at the end", 0)
	})
	synctest.Test(t, func(t *testing.T) { // while the spool is open
		b := newBed(t, "", roomy)
		b.owner.set(silent)
		b.add(s1Start, s1Stop)
		pass(time.Second)
		if err := b.store.commit([]addition{{1, []byte("\x01nonsense")}}, nil); err != nil {
			t.Fatal(err)
		}
		b.owner.transmissions()
		b.owner.set(answering)
		pass(time.Minute)
		wantList(t, "sent", b.owner.names(), "s1/stop")
		b.wantMetric("dropped_total", "damaged", 1)
		b.wantLog("the spool drops a record that is damaged")
		b.wantRecords("at the end", 0)
		wantList(t, "kept", b.kept())
	})
}

// The rate is kept when nothing else happens: no answers, no new records.
//
// Rules: SP5
func TestRateWithoutAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := roomy
		limits.Rate = 10
		b := newBed(t, "", limits)
		b.openWindow()
		b.owner.set(holding)
		for i := range 60 {
			b.add(sample{fmt.Sprint("s", i), start, 0})
		}
		pass(5 * time.Second)
		sent := b.owner.transmissions()
		if n := len(sent); n < 50 || n > 52 {
			t.Errorf("expected 50 records in 5 s, got %d", n)
		}
		for i := range sent[1:] {
			if apart := sent[i+1].at - sent[i].at; apart > 110*time.Millisecond {
				t.Errorf("expected a record each 100 ms, got %v between two", apart)
				break
			}
		}
	})
}

// A store that cannot be read for some time loses nothing: the records are sent when it can.
//
// Rules: SP9, SP10
func TestReadingFailsForSomeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := closedBed(t, "", roomy)
		current := b.disturbed()
		b.Start(t.Context())
		current().failToGet(errors.New("input/output error"))
		b.add(s1Start, s1Stop)
		synctest.Wait()
		b.handOver(b.again(s1Start, "copy"))
		pass(10 * time.Minute)
		wantList(t, "sent while nothing can be read", b.owner.names())
		wantList(t, "acknowledged: the copy cannot be compared", b.owner.acknowledged(), "s1/start", "s1/stop", "copy: disk")
		b.wantRecords("after 10 minutes", 2)
		current().failToGet(nil)
		pass(time.Minute)
		wantList(t, "sent", b.owner.names(), "s1/start", "s1/stop")
		b.wantMetric("dropped_total", "", 0)
	})
}
