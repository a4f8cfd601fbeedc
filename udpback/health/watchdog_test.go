package health

import (
	"testing"
	"testing/synctest"
	"time"
)

// between checks that the pauses between checks are as expected, and not all the same.
func between(t *testing.T, sent []time.Duration, least, most time.Duration) {
	t.Helper()
	if len(sent) < 20 {
		t.Fatalf("%d checks, expected 20 or more", len(sent))
	}
	lowest, highest := time.Hour, time.Duration(0)
	for i, at := range sent[1:] {
		lowest, highest = min(lowest, at-sent[i]), max(highest, at-sent[i])
	}
	if lowest < least || highest > most {
		t.Errorf("checks after %v to %v, expected %v to %v", lowest, highest, least, most)
	}
	if highest-lowest < (most-least)/4 {
		t.Errorf("checks after %v to %v, expected them to vary more", lowest, highest)
	}
}

// Checks go out at the watchdog's pace while all is well, and at the check interval
// otherwise, varied.
// Rules: P81, P82, P84
func TestPacing(t *testing.T) {
	const grain = 20 * time.Millisecond
	for _, row := range []struct {
		name, script string
		least, most  time.Duration
	}{
		{"up and idle", "pass 5s", 28 * time.Second, 32 * time.Second},
		{"failing", "pass 5s\noverdue 5 failing", 2700 * time.Millisecond, 3300 * time.Millisecond},
		{"down", "pass 5s\nloses\npass 60s down", 2700 * time.Millisecond, 3300 * time.Millisecond},
		{"no Status-Server", "loses\npass 2s\nanswered 1\npass 12s\nanswered up", 28 * time.Second, 32 * time.Second},
		{"no Status-Server, and dead", "loses\npass 2s\nanswered 1\npass 12s\nsilent 3 down", 28 * time.Second, 32 * time.Second},
		{"idle, and one check was lost", "pass 5s\nholds\npass 30s\ncheck-lost up\nanswers\npass 5s up", 28 * time.Second, 32 * time.Second},
		{"a check that this machine cannot send", "pass 5s\nunsent\npass 40s up", 2700 * time.Millisecond, 3300 * time.Millisecond},
		{"a check that the network refuses at once", "pass 5s\nfails\npass 60s down", 2700 * time.Millisecond, 3300 * time.Millisecond},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, checked)
				b.play(row.script)
				b.sent()
				for range 15 * 60 {
					pass(time.Second)
				}
				between(t, b.sent(), row.least, row.most+grain)
				b.p.Stop()
				pass(time.Minute)
			})
		})
	}
}

// A port that answers requests is not checked, one without checks never.
// Rules: P82
func TestBusyPortsAreNotChecked(t *testing.T) {
	for _, row := range []struct {
		name   string
		config Config
		want   int
	}{{"checked", checked, 0}, {"not checked", unchecked, 0}} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, row.config)
			pass(5 * time.Second)
			b.sent()
			for range 100 {
				b.play("pass 10s\nanswered")
			}
			if n := len(b.sent()); n != row.want {
				t.Errorf("%s: %d checks of a port that answers, expected %d", row.name, n, row.want)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, unchecked)
		b.play("silent 3 down\nrenew up\nrefused\npass 100s")
		b.p.RequestCheck()
		pass(time.Minute)
		if n := len(b.sent()); n != 0 {
			t.Errorf("%d checks of a port without checks, expected none", n)
		}
	})
}

// The first check goes out within a second, and every interval until one is answered.
func TestFirstCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, checked)
		pass(time.Second)
		if n := len(b.sent()); n != 1 {
			t.Errorf("%d checks in the first second, expected 1", n)
		}
	})
}

// After silence or refusal the port is checked at once, and only once however often that
// is reported.
// Rules: P82, P83
func TestCheckedAtOnce(t *testing.T) {
	for _, script := range []string{"silent", "silent 3 suspect", "refused suspect", "silent 9\nrefused 9", "renew"} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, checked)
			b.play("pass 5s\nholds")
			b.sent()
			b.play(script)
			if n := len(b.sent()); n != 1 {
				t.Errorf("%q: %d checks, expected one at once", script, n)
			}
		})
	}
}

// A port that answers requests and never a check has no Status-Server (H5).
func TestNoStatusServer(t *testing.T) {
	playAll(t, []transcript{
		{"busy from the start", checked, `
			loses
			pass 2s
			answered        up
			pass 3s
			answered        up
			pass 6s         up
			answered
			pass 200s       up
			silent 2        up
			silent          down`, "no-status-server up→down"},
		{"idle at first, then used", checked, `
			loses
			pass 15s        down
			answered        down
			pass 12s        up
			pass 200s       up`, "up→suspect suspect→down alive no-status-server down→up?"},
		{"told once", checked, `
			loses
			pass 2s
			answered
			pass 600s       up
			answered
			pass 600s       up`, "no-status-server"},
		{"it dies before that is known", checked, `
			holds
			pass 2s
			answered
			silent 3        suspect
			check-lost
			pass 4s
			check-lost
			pass 4s
			check-lost      down
			answered 3      up`, "up→suspect no-status-server suspect→down alive down→up"},
		{"its requests count as without checks", checked, `
			loses
			pass 2s
			answered
			pass 12s        up
			silent 3        down
			answered 2      down
			answered        up
			refused 9       up
			overdue 9       up`, "no-status-server up→down alive down→up"},
	})
}

// What shows that it has Status-Server, or that its silence is of another kind.
// Rules: P82, P83
func TestStatusServerAfterAll(t *testing.T) {
	playAll(t, []transcript{
		{"a check is answered one day, and checks count again", checked, `
			loses
			pass 2s
			answered
			pass 12s        up
			answers
			pass 40s        up
			loses
			pass 60s        down`, "no-status-server up→suspect suspect→down"},
		{"a check is answered while it is down", checked, `
			loses
			pass 2s
			answered
			pass 12s
			silent 3        down
			answers
			pass 45s        up`, "no-status-server up→down alive down→up"},
		{"also when it answered requests before its first check was lost, and none is silent since", checked, `
			answered
			loses
			pass 1s
			pass 14s        up`, "no-status-server"},
		{"not when one is silent since", checked, `
			answered
			loses
			pass 1s
			silent
			pass 14s        down`, "up→suspect suspect→down"},
		{"not when it has ever answered a check", checked, `
			pass 2s
			loses
			silent
			answered
			pass 4s
			silent          up
			answered
			pass 60s        down`, "up→suspect suspect→down"},
	})
}

// After Stop nothing is sent and nothing told, and Stop waits for what is under way.
func TestStop(t *testing.T) {
	for _, script := range []string{"pass 5s", "pass 5s\nholds\nsilent 3", "pass 5s\noverdue 5", "no-address", "pass 5s\nloses\npass 60s down"} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, checked)
			b.play(script)
			b.p.Stop()
			b.p.Stop()
			b.sent()
			told := b.transitions()
			b.play(`
				silent 9
				overdue 9
				refused
				check-lost 9
				answered 9
				check-answered 9
				no-address
				renew
				check none
				check status-server
				pass 300s`)
			b.p.RequestCheck()
			pass(time.Minute)
			if n := len(b.sent()); n != 0 {
				t.Errorf("after %q and Stop %d checks, expected none", script, n)
			}
			if got := b.transitions(); got != told {
				t.Errorf("after %q and Stop told %q, expected %q as before", script, got, told)
			}
		})
	}
}

// Stop waits for what the owner is called for.
func TestStopWaits(t *testing.T) {
	for _, what := range []string{"check", "changed"} {
		synctest.Test(t, func(t *testing.T) {
			in, out := make(chan bool), make(chan bool)
			wait := func() {
				in <- true
				<-out
			}
			start, changed := time.Now(), 0
			o := Owner{Clock: func() time.Duration { return time.Since(start) + 1 }, SendCheck: func() {}, Changed: func(Transition) { changed++ }}
			if what == "check" {
				o.SendCheck = wait
			} else {
				o.Changed = func(Transition) { changed++; wait() }
			}
			p := NewPort(checked, o)
			p.Start()
			if what == "changed" {
				go func() {
					p.NoAddress(errTest)
				}()
			}
			<-in
			p.Renew() // reported by the goroutine that reports the other
			stopped := false
			go func() {
				p.Stop()
				stopped = true
			}()
			synctest.Wait()
			if stopped {
				t.Errorf("%s: Stop has not waited for it", what)
			}
			told := changed
			close(out)
			synctest.Wait()
			if !stopped || changed != told {
				t.Errorf("%s: stopped %v, then %d changes told, expected true, %d", what, stopped, changed, told)
			}
		})
	}
}

// Two ticks that come together, as when a timer is set again in the moment in which it
// fires, send one check; and one that comes after Stop sends none.
func TestTicksThatComeTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, checked)
		b.play("pass 5s\nfails\npass 60s down")
		b.p.tick() // sends one, or the last is less than an interval ago
		b.sent()
		b.p.tick()
		b.p.tick()
		if n := len(b.sent()); n != 0 {
			t.Errorf("%d checks at once after another, expected none", n)
		}
		b.p.mu.Lock()
		last := b.p.sentAt
		b.p.mu.Unlock()
		pass(last + 2200*time.Millisecond - b.now())
		b.p.tick()
		if n := len(b.sent()); n != 0 {
			t.Errorf("%d checks 2.2s after another, expected none in 3/4 of the interval", n)
		}
		pass(3 * time.Second)
		b.p.Stop()
		b.sent()
		b.p.tick()
		pass(time.Minute)
		if n := len(b.sent()); n != 0 {
			t.Errorf("%d checks after Stop, expected none", n)
		}
	})
}
