package health

import (
	"testing"
	"testing/synctest"
	"time"
)

// An answer to a check that comes while requests are unanswered takes a suspect port
// to failing, not to up.
func TestSuspectToFailingByACheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, checked)
		b.play(`
			pass 5s
			holds
			silent 3        suspect`)
		b.p.unanswered.Store(5) // as when overdue requests and the silence are found in one sweep
		b.play(`check-answered  failing`)
	})
}

// Silence counts only from when a request was sent: what verified since shows life.
// Rules: P83
func TestSilentIsIgnoredAfterAReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, checked)
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
			t.Errorf("%d checks after one silent request, expected 1 at once", n)
		}
	})
}

// An unanswered request counts only if no request was answered since it was sent.
// Rules: P83
func TestUnansweredIsIgnoredAfterAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, checked)
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
func TestUnansweredSentBeforeThePortWasUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, checked)
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

// Overdue waits four times as long as answers took recently, bounded by the default
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
				b := newBed(t, checked)
				b.play("pass 5s")
				for _, took := range row.tooks {
					b.p.Answered(b.now(), took)
				}
				pass(time.Millisecond)
				sent := b.now()
				if b.p.Overdue(sent, sent+time.Hour) {
					t.Error("overdue with no check answered since it was sent, expected not")
				}
				b.play("check-answered")
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
		b := newBed(t, checked)
		b.play("pass 5s")
		b.p.Answered(b.now(), 2*time.Second)
		b.play(`
			answered 300
			check-answered`)
		now := b.now()
		if b.p.Overdue(now-40*time.Millisecond+1, now) {
			t.Error("overdue before four times what answers took recently")
		}
		b.play("answered 100\ncheck-answered")
		if sent := b.now(); !b.p.Overdue(sent, sent+100*time.Millisecond) {
			t.Error("one slow answer still counts after 400 fast ones, expected it forgotten")
		}
	})
}
