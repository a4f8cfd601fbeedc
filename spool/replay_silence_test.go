package spool

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// When the servers stay silent, one record is sent after each pause, and the pauses grow to 30 s.
// In an hour nothing is asked or sent more often than that.
//
// Rules: SP5
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.openWindow()
		b.owner.set(silent)
		for i := range 200 {
			b.add(sample{fmt.Sprint("s", i), start, 0})
		}
		pass(time.Minute)
		if n := len(b.owner.transmissions()); n < 64 || n > 64+8 {
			t.Errorf("expected a window of 64 records, and then few, got %d", n)
		}
		pass(4 * time.Minute)
		b.owner.transmissions()
		b.owner.counts()
		pass(time.Hour)
		sent := b.owner.transmissions()
		for i := range sent[1:] {
			// Silence is known 5 s after a transmission, and then there is a pause.
			if apart := sent[i+1].at - sent[i].at; apart < longestPause+4*time.Second || apart > longestPause+7*time.Second {
				t.Errorf("expected one record each 35 s, got %v between two", apart)
			}
		}
		if n := len(sent); n < 90 || n > 105 {
			t.Errorf("expected about 100 records in an hour of silence, got %d", n)
		}
		sessions := map[string]bool{}
		for _, s := range sent {
			sessions[s.session] = true
		}
		if len(sessions) < 50 {
			t.Errorf("expected that another record is tried each time, got %d of %d", len(sessions), len(sent))
		}
		b.wantMetric("sent_total", "answered", 64)
		if n := b.metric("sent_total", "silent"); n < 150 {
			t.Errorf("expected that each record which met silence is counted, got %v", n)
		}
		asked, turns := b.owner.counts()
		if asked > 3700 || turns > 105 {
			t.Errorf("expected that an hour of silence takes at most a call of Reachable a second and one of Send a record, got %d and %d", asked, turns)
		}
		b.wantRecords("after an hour", 200)
		b.wantMetric("set_aside_total", "", 0)
	})
}

// A spool that is empty asks and sends nothing.
//
// Rules: SP5
func TestEmptySpoolIsQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.wantMetric("up", "", 1)
		pass(24 * time.Hour)
		if asked, turns := b.owner.counts(); asked+turns != 0 {
			t.Errorf("expected no calls, got %d of Reachable and %d of Send", asked, turns)
		}
	})
}

// The pauses grow from one second, and an answer ends them; the window opens again one by one.
//
// Rules: SP5
func TestPausesGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.owner.set(func(sample) (Result, time.Duration) { return Silent, 0 }) // as with an ICMP error
		for i := range 1000 {
			b.add(sample{fmt.Sprint("s", i), start, 0})
		}
		pass(200 * time.Second)
		var apart []time.Duration
		sent := b.owner.transmissions()
		for i := range sent[1:] {
			apart = append(apart, (sent[i+1].at - sent[i].at).Round(time.Second))
		}
		if want := []time.Duration{1, 2, 4, 8, 16, 30, 30, 30, 30, 30}; len(apart) < len(want) {
			t.Errorf("expected pauses of %d s, got %v", want, apart)
		} else {
			for i := range want {
				if apart[i] != want[i]*time.Second {
					t.Errorf("expected pauses of %d s, got %v", want, apart)
					break
				}
			}
		}
		b.owner.set(holding)
		pass(longestPause)
		for _, want := range []int{1, 2, 4, 8} {
			if got := len(b.owner.end(Answered)); got != want {
				t.Errorf("expected a window of %d after the silence, got %d", want, got)
			}
			pass(100 * time.Millisecond)
		}
	})
}

// When a server can be reached again the records go on at once, in their order, those too that
// have met silence. One that cannot be reached after all pauses again.
//
// Rules: SP5
func TestReachableAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.owner.set(silent)
		b.add(series("s1", 3)...)
		pass(10 * time.Minute)
		b.owner.transmissions()
		b.owner.set(answering)
		for range 60 { // the first record has just been tried: it would wait for half a minute
			if b.State().Sending == 0 {
				break
			}
			pass(time.Second)
		}
		if state := b.Routes(1)[0]; !state.Silent || state.Resumes == 0 {
			t.Errorf("expected that the route is known to be silent, got %+v", state)
		}
		b.owner.transmissions()
		b.owner.setReachable(true)
		pass(reachablePause + time.Second)
		wantList(t, "sent at once", b.owner.names(), "s1/interim1", "s1/interim2", "s1/interim3")
		b.wantRecords("after the answers", 0)

		b.owner.set(silent)
		b.add(s2Start)
		pass(10 * time.Minute)
		if n := len(b.owner.transmissions()); n < 15 || n > 30 {
			t.Errorf("expected that a server which seems reachable and is silent gets about 20 records in 10 minutes, got %d", n)
		}
	})
}

// A server that comes and goes each second is not flooded.
//
// Rules: SP5
func TestServerThatComesAndGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.owner.set(func(sample) (Result, time.Duration) { return Silent, 0 })
		for i := range 500 {
			b.add(sample{fmt.Sprint("s", i), start, 0})
		}
		for i := range 600 {
			b.owner.setReachable(i%2 == 0)
			pass(time.Second)
		}
		if n := len(b.owner.transmissions()); n > 610 {
			t.Errorf("expected at most a record a second, got %d in 600 s", n)
		}
		if asked, _ := b.owner.counts(); asked > 620 {
			t.Errorf("expected at most a question a second, got %d in 600 s", asked)
		}
	})
}

// A record that nothing answers does not keep others from being tried, although it is the oldest.
//
// Rules: SP5, SP12
func TestOneRecordThatNothingAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		b.owner.set(func(s sample) (Result, time.Duration) {
			if s.session == "bad" {
				return Silent, 5 * time.Second
			}
			return answering(s)
		})
		b.add(sample{"bad", start, 0})
		pass(time.Second)
		for i := range 50 {
			b.add(sample{fmt.Sprint("s", i), start, 0})
		}
		pass(10 * time.Second)
		b.wantRecords("after 10 s", 1)
		if got := b.kept(); !slices.Equal(got, []string{"bad/start"}) {
			t.Errorf("expected that only the bad record is left, got %q", got)
		}
	})
}

// A record that ends the server which gets it does not keep others from being delivered, although
// it is the oldest, and the server is back each time.
//
// Rules: SP5, SP12
func TestRecordThatEndsTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "", roomy)
		var upAt time.Time
		b.owner.set(func(s sample) (Result, time.Duration) {
			if s.session == "bad" && !time.Now().Before(upAt) {
				upAt = time.Now().Add(20 * time.Second)
				b.owner.reachable = false
				time.AfterFunc(20*time.Second, func() { b.owner.setReachable(true) })
			}
			if time.Now().Before(upAt) {
				return Silent, 5 * time.Second
			}
			return answering(s)
		})
		b.add(sample{"bad", start, 0})
		pass(time.Second)
		for i := range 500 {
			b.add(sample{fmt.Sprint("s", i), start, 0})
		}
		pass(time.Hour)
		// The bad one is set aside if others were answered just before it ended the server.
		got := slices.DeleteFunc(b.kept(), func(name string) bool { return name == "bad/start" })
		wantList(t, "kept after an hour, beside the bad record", got)
		n := 0
		for _, name := range b.owner.names() {
			if name == "bad/start" {
				n++
			}
		}
		if n > 200 {
			t.Errorf("expected that the bad record is tried at most once each time that the server is back, got %d times in an hour", n)
		}
	})
}
