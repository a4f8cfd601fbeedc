package health

import (
	"testing"
	"testing/synctest"
	"time"
)

// Every edge of the diagram in the package documentation, and what is not an edge.
// The numbers are those of the diagram.
// Rules: P81, P82, P83, P84
func TestTransitions(t *testing.T) {
	playAll(t, []transcript{
		{"1: silent requests", probed, `
			pass 5s         up
			holds
			silent 2        up
			silent          suspect
			silent 9        suspect`, "up→suspect"},
		{"1: silent requests, as many as configured", Config{Check: CheckStatusServer, SuspectAfter: 5}, `
			pass 5s         up
			holds
			silent 4        up
			silent          suspect`, "up→suspect"},
		{"1: a request answered between silent ones begins anew", probed, `
			pass 5s
			holds
			silent 2
			answered
			silent 2        up
			silent          suspect`, "up→suspect"},
		{"1: a lost probe after one silent request", probed, `
			pass 5s
			loses
			silent          up
			pass 2900ms     up
			pass 200ms      suspect`, "up→suspect"},
		{"1: two lost probes of an idle port", probed, `
			pass 5s
			holds
			pass 30s
			probe-lost      up
			pass 4s         up
			probe-lost      suspect`, "up→suspect"},
		{"1: not a lost probe when anything was heard since it was sent", probed, `
			pass 5s
			loses
			silent          up
			answered        up
			silent          up
			pass 4s         up`, ""},
		{"1: not two lost probes between which something was heard", probed, `
			pass 5s
			holds
			pass 30s
			probe-lost-answered up
			pass 60s        up
			probe-lost      up
			pass 4s
			probe-lost      suspect`, "up→suspect"},
		{"1: refused", probed, `
			pass 5s
			holds
			refused         suspect`, "up→suspect"},
		{"1: no refusal without probes", unprobed, `
			refused 9       up`, ""},
		{"1: without probes silent requests make it down", unprobed, `
			silent 2        up
			silent          down`, "up→down"},
		{"2: a probe is answered", probed, `
			pass 5s
			silent 3
			pass 20ms       up`, "up→suspect suspect→up"},
		{"2: a request is answered", probed, `
			pass 5s
			holds
			silent 3        suspect
			answered        up`, "up→suspect suspect→up"},
		{"3: lost probes", probed, `
			pass 5s
			holds
			silent 3        suspect
			probe-lost      suspect
			pass 4s
			probe-lost      suspect
			pass 4s
			probe-lost      down`, "up→suspect suspect→down"},
		{"3: as many as configured", Config{Check: CheckStatusServer, DownAfter: 1}, `
			pass 5s
			holds
			silent 3        suspect
			probe-lost      down`, "up→suspect suspect→down"},
		{"3: silence of an idle port", probed, `
			pass 5s
			loses
			pass 45s        down`, "up→suspect suspect→down"},
		{"3: neither refusals nor replies that do not verify", probed, `
			pass 5s
			holds
			silent 3        suspect
			unverified 9
			silent 9
			refused 9       suspect`, "up→suspect"},
		{"4: a probe is answered, requests were not", probed, `
			pass 5s
			holds
			overdue 4       up
			silent 3        suspect
			overdue         failing`, "up→suspect suspect→failing"},
		{"5: overdue requests", probed, `
			pass 5s
			overdue 4       up
			overdue         failing`, "up→failing"},
		{"5: as many as configured", Config{Check: CheckStatusServer, FailingAfter: 2}, `
			pass 5s
			overdue         up
			overdue         failing`, "up→failing"},
		{"5: an answered request begins anew", probed, `
			pass 5s
			overdue 4
			answered
			overdue 4       up
			overdue         failing`, "up→failing"},
		{"5: an answered probe does not", probed, `
			pass 5s
			overdue 4
			pass 60s        up
			overdue         failing`, "up→failing"},
		{"5: a probe is answered at last", probed, `
			loses
			pass 2s
			answered
			pass 12s        up
			overdue 5       up
			answers
			pass 40s        failing`, "no-status-server up→failing"},
		{"5: not without probes", unprobed, `
			overdue 99      up`, ""},
		{"6: three answered requests", probed, `
			pass 5s
			overdue 5       failing
			answered 2      failing
			answered        up`, "up→failing failing→up"},
		{"6: an unanswered one begins the count anew", probed, `
			pass 5s
			overdue 5       failing
			answered 2      failing
			overdue
			answered 2      failing
			answered        up`, "up→failing failing→up"},
		{"6: probes do not count", probed, `
			pass 5s
			overdue 5       failing
			pass 60s        failing`, "up→failing"},
		{"6: nor does a lost one", probed, `
			pass 5s
			holds
			overdue 5       failing
			answered 2
			pass 4s
			probe-lost
			answered        up`, "up→failing failing→up"},
		{"7: lost probes", probed, `
			pass 5s
			overdue 5       failing
			pass 10s        failing
			loses
			pass 7s         failing
			pass 6s         down`, "up→failing failing→down"},
		{"7: silent requests alone do not", probed, `
			pass 5s
			overdue 5       failing
			silent 99       failing`, "up→failing"},
		{"8: answered probes", probed, `
			pass 5s
			loses
			pass 45s        down
			answers
			pass 5s         down
			pass 6s         up`, "up→suspect suspect→down alive down→up"},
		{"8: a lost probe begins the count anew", probed, `
			pass 5s
			loses
			pass 45s        down
			holds
			pass 7s
			probe-answered
			pass 4s
			probe-answered
			pass 4s
			probe-lost      down
			pass 4s
			probe-answered
			pass 4s
			probe-answered  down
			pass 4s
			probe-answered  up`, "up→suspect suspect→down alive alive down→up"},
		{"8: a lost probe does not while requests are answered", probed, `
			pass 5s
			loses
			pass 45s        down
			answered        down
			pass 4s
			answered        down
			pass 4s
			answered        up`, "up→suspect suspect→down alive down→up"},
		{"8: answered requests count, too", probed, `
			pass 5s
			loses
			pass 45s        down
			answered 2      down
			answered        up`, "up→suspect suspect→down alive down→up"},
		{"8: without probes", Config{UpAfter: 2}, `
			silent 3        down
			answered        down
			answered        up`, "up→down alive down→up"},
		{"8: one is enough, as configured", Config{UpAfter: 1}, `
			silent 3        down
			answered        up`, "up→down alive down→up"},
		{"8: the death explains what was not answered before", probed, `
			pass 5s
			loses
			overdue 4       up
			silent 3        suspect
			pass 12s        down
			overdue 9       down
			answers
			pass 20s        up
			overdue 4       up`, "up→suspect suspect→down alive down→up"},
		{"8: failing, then dead: the same", probed, `
			pass 5s
			overdue 9       failing
			loses
			pass 20s        down
			answers
			pass 20s        up`, "up→failing failing→down alive down→up"},
		{"9: answered probes, and requests sent since are not", probed, `
			pass 5s
			loses
			pass 45s        down
			answers
			pass 4s         down
			overdue 5       down
			pass 10s        failing`, "up→suspect suspect→down alive down→failing"},
		{"9: not when the last reply is a request's", probed, `
			pass 5s
			loses
			pass 45s        down
			holds
			pass 4s
			probe-answered
			overdue 5       down
			answered        down
			answered        up`, "up→suspect suspect→down alive down→up"},
	})
}

// An answer to a check that comes while requests are unanswered takes a suspect port
// to failing, not to up.
func TestSuspectToFailingByAProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, probed)
		b.play(`
			pass 5s
			holds
			silent 3        suspect`)
		b.p.unanswered.Store(5) // as when overdue requests and the silence are found in one sweep
		b.play(`probe-answered  failing`)
	})
}

// Silence counts only from when a request was sent: what verified since shows life.
// Rules: P83
func TestSilentLooksAtWhatWasHeardSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, probed)
		b.play("pass 5s")
		b.set("holds")
		sent := b.now()
		b.play("answered")
		for range 9 {
			b.p.Silent(sent)
		}
		synctest.Wait()
		if b.p.State() != Up || len(b.sent()) != 1 {
			t.Error("requests sent before the last reply were taken for silence, expected not")
		}
		b.play("silent")
		if n := len(b.sent()); n != 1 {
			t.Errorf("%d probes after one silent request, expected 1 at once", n)
		}
	})
}

// An unanswered request counts only if no request was answered since it was sent.
// Rules: P83
func TestUnansweredLooksAtWhatWasAnsweredSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, probed)
		b.play("pass 5s")
		sent := b.now()
		b.play("answered")
		for range 9 {
			b.p.Unanswered(sent)
		}
		if got := b.p.State(); got != Up {
			t.Errorf("the port is %v, expected up: a request was answered since those were sent", got)
		}
		b.play(`
			overdue 5       failing
			answered 2      failing`)
		b.p.Unanswered(sent) // an old one does not begin the count anew
		b.play("answered up")
	})
}

// What was sent while the port was down says nothing of its service when it is back.
func TestUnansweredFromBeforeTheRevival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, probed)
		b.play("pass 5s\nloses\npass 60s down")
		sent := b.now()
		b.play("answers\npass 4s down")
		for range 9 {
			b.p.Unanswered(sent)
		}
		b.play("pass 10s up")
		for range 9 {
			b.p.Unanswered(sent)
		}
		if got := b.p.State(); got != Up {
			t.Errorf("the port is %v, expected up: those were sent to a dead server", got)
		}
		b.play("overdue 4 up\noverdue failing")
	})
}

// Overdue waits four times as long as answers took of late, bounded by the default
// patience, and for a check's answer.
func TestOverdue(t *testing.T) {
	for _, row := range []struct {
		name  string
		tooks []time.Duration
		want  time.Duration // from when on a request is overdue
	}{
		{"nothing was ever answered", nil, 0},
		{"fast", []time.Duration{50 * time.Millisecond}, 200 * time.Millisecond},
		{"the slowest counts", []time.Duration{2 * time.Second, time.Millisecond}, 4 * (2*time.Second - 2*time.Second/64)},
		{"slow, as before a server hangs", []time.Duration{6 * time.Second}, 10 * time.Second},
		{"a push to a telephone", []time.Duration{20 * time.Second}, 20 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, probed)
				b.play("pass 5s")
				for _, took := range row.tooks {
					b.p.Answered(b.now(), took)
				}
				pass(time.Millisecond)
				sent := b.now()
				if b.p.Overdue(sent, sent+time.Hour) {
					t.Error("overdue with no probe answered since it was sent, expected not")
				}
				b.play("probe-answered")
				if row.want > 0 && b.p.Overdue(sent, sent+row.want-1) {
					t.Errorf("overdue before %v, expected not", row.want)
				}
				if !b.p.Overdue(sent, sent+row.want) {
					t.Errorf("not overdue after %v, expected it", row.want)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) { // one slow answer is ignored after some hundred fast ones
		b := newBed(t, probed)
		b.play("pass 5s")
		b.p.Answered(b.now(), 2*time.Second)
		b.play(`
			answered 300
			probe-answered`)
		now := b.now()
		if b.p.Overdue(now-40*time.Millisecond+1, now) {
			t.Error("overdue before four times what answers took of late")
		}
		b.play("answered 100\nprobe-answered")
		if sent := b.now(); !b.p.Overdue(sent, sent+100*time.Millisecond) {
			t.Error("one slow answer still counts after 400 fast ones, expected it forgotten")
		}
	})
}
