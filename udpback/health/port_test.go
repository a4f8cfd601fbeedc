package health

import (
	"testing"
	"testing/synctest"
	"time"
)

// Without an address a port is down, whatever is heard; a new address makes it up.
func TestNoAddressAndRenew(t *testing.T) {
	playAll(t, []transcript{
		{"from up", checked, `
			pass 5s
			no-address      down
			pass 60s        down
			renew           up`, "up→down down→up?"},
		{"from suspect, from failing", checked, `
			pass 5s
			holds
			silent 3        suspect
			no-address      down
			renew           up
			check-lost      up
			check-answered  up
			overdue 5       failing
			no-address      down
			renew           up`, "up→suspect suspect→down down→up? up→failing failing→down down→up?"},
		{"late answers do not bring it back", checked, `
			pass 5s
			no-address      down
			answered 9      down
			check-answered 9 down
			overdue 9       down
			renew           up`, "up→down down→up?"},
		{"nor do they without checks", unchecked, `
			no-address      down
			answered 9      down
			renew           up`, "up→down down→up?"},
		{"nor does the end of checks", checked, `
			holds
			pass 2s
			answered
			no-address      down
			check-lost
			pass 4s
			check-lost
			pass 4s
			check-lost      down`, "up→down no-status-server"},
		{"nor a change of the check", checked, `
			pass 5s
			no-address      down
			check none      down
			answered 9      down`, "up→down"},
		{"a new address of a port that is up", checked, `
			pass 5s
			renew           up`, ""},
		{"silence and failures of the old address are forgotten", checked, `
			pass 5s
			holds
			silent 2
			overdue 4
			renew           up
			silent 2        up
			overdue 4       up
			silent          suspect`, "up→suspect"},
	})
}

// A new address has no history: the hint when it goes down does not mention what the old
// one answered, and it is checked at once.
func TestRenewClearsTheHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, checked)
		b.play(`
			pass 5s
			answered
			unverified
			renew`)
		if b.p.HasAnswered() {
			t.Error("the new address has answered before anything was sent there")
		}
		if got := b.sent(); len(got) < 2 || b.now()-got[len(got)-1] > time.Millisecond {
			t.Error("no check of the new address at once, expected one")
		}
		b = newBed(t, checked)
		b.play(`
			pass 5s
			holds
			renew
			check-lost
			pass 4s
			check-lost
			pass 4s
			check-lost      down`)
		if tr := b.last(Down); tr.HasAnswered || tr.Unverified != 0 {
			t.Errorf("%+v, expected nothing seen of the new address", tr)
		}
	})
}

// The end of a check that was sent to the old address, or as another check, says
// nothing, and the next goes out as soon as it has ended.
func TestOutdatedCheck(t *testing.T) {
	for change, within := range map[string]time.Duration{"renew": 400 * time.Millisecond, "check access-request": 4 * time.Second} {
		for _, end := range []string{"check-answered", "check-lost", "check-not-sent"} {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, Config{Check: CheckStatusServer, DownAfter: 1})
				b.play(`
					pass 5s
					holds
					silent          up`)
				b.sent()
				b.play(change + "\n" + end + "\n")
				if b.p.State() != Up || b.p.lastCheckAnswer.Load() != 0 || b.p.missed != 0 {
					t.Errorf("%s, %s: it was believed, expected it forgotten", change, end)
				}
				pass(within)
				if n := len(b.sent()); n != 1 {
					t.Errorf("%s, %s: %d checks within %v, expected the next", change, end, n, within)
				}
			})
		}
	}
}

// A change of the check takes effect while the port runs, in every state.
func TestConfigure(t *testing.T) {
	playAll(t, []transcript{
		{"up, to none and back", checked, `
			pass 5s
			check none      up
			loses
			pass 100s       up
			silent 2        up
			check status-server
			pass 60s        down`, "up→suspect suspect→down"},
		{"suspect for silence, to none: silence is all the evidence", checked, `
			pass 5s
			holds
			silent 3        suspect
			check none      down
			answered 3      up`, "up→suspect suspect→down alive down→up"},
		{"suspect for lost checks, to none: they count no more", checked, `
			pass 5s
			holds
			refused         suspect
			check none      up`, "up→suspect suspect→up?"},
		{"a late answer to a check does not make it checked", checked, `
			pass 5s
			holds
			silent 1
			check none
			check-answered  up
			check-answered  up
			silent 2        up
			silent          down`, "up→down"},
		{"failing, to none", checked, `
			pass 5s
			overdue 5       failing
			check none      failing
			answered 3      up`, "up→failing failing→up"},
		{"down, to none and back", checked, `
			pass 5s
			loses
			pass 45s        down
			check none      down
			pass 60s        down
			answers
			check status-server
			pass 11s        up`, "up→suspect suspect→down alive down→up"},
		{"the history stays where the check does", checked, `
			pass 5s
			holds
			silent 2
			check status-server
			silent          suspect`, "up→suspect"},
		{"another check: that the old was answered is no evidence of the new", checked, `
			pass 5s
			check access-request
			loses
			pass 4s
			answered
			pass 10s        up`, "no-status-server"},
	})
}

// A check that was requested goes out although the same configuration is set again.
func TestConfigureKeepsWhatWasRequested(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, checked)
		b.play("pass 5s")
		b.sent()
		b.p.RequestCheck()
		b.p.Configure(checked)
		pass(time.Millisecond)
		if n := len(b.sent()); n != 1 {
			t.Errorf("%d checks, expected the one requested", n)
		}
		b.p.RequestCheck()
		b.p.Configure(unchecked)
		b.p.Configure(checked)
		pass(5 * time.Second)
		b.sent()
		b.p.RequestCheck()
		pass(time.Millisecond)
		if n := len(b.sent()); n != 1 {
			t.Errorf("%d checks after the check was changed twice, expected the one requested", n)
		}
	})
}

// A new configuration holds from the next check on.
func TestConfigureTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, checked)
		b.play("pass 5s")
		b.sent()
		b.p.Configure(Config{Check: CheckStatusServer, Watchdog: 8 * time.Second})
		pass(6 * time.Second)
		if n := len(b.sent()); n != 1 {
			t.Errorf("%d checks in 6 s, expected one: nothing was heard for 5 s, and the watchdog's interval is 8 s now", n)
		}
	})
}

// The packet path allocates nothing here, and takes no lock while all is well.
func TestAnsweredIsCheap(t *testing.T) {
	p := NewPort(checked, Owner{})
	p.mu.Lock() // whoever takes it waits
	allocations := make(chan float64)
	go func() {
		now := time.Second
		allocations <- testing.AllocsPerRun(100, func() {
			now++
			p.Answered(now, time.Millisecond)
			p.Silent(now)
			_ = p.State() == Up && p.Overdue(now, now) && p.Try(now) || p.Lost()
		})
	}()
	select {
	case n := <-allocations:
		p.mu.Unlock()
		if n != 0 {
			t.Errorf("%v allocations, expected none", n)
		}
	case <-time.After(20 * time.Second):
		p.mu.Unlock()
		<-allocations
		t.Error("the lock was taken, expected not")
	}
}

// Lost is what a conversation may be given up for: down, or silent and not only checked.
func TestLost(t *testing.T) {
	for _, row := range []struct {
		name, script string
		want         bool
	}{
		{"up", "pass 5s\nholds\nsilent 2", false},
		{"suspect for lost checks", "pass 5s\nholds\npass 30s\ncheck-lost\npass 4s\ncheck-lost suspect", false},
		{"suspect for refusals", "pass 5s\nholds\nrefused suspect", false},
		{"suspect for silence", "pass 5s\nholds\nsilent 3 suspect", true},
		{"failing", "pass 5s\noverdue 5 failing\nsilent 9", false},
		{"down", "no-address down", true},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, checked)
			b.play(row.script)
			if got := b.p.Lost(); got != row.want {
				t.Errorf("%s: Lost is %v, expected %v", row.name, got, row.want)
			}
		})
	}
}
