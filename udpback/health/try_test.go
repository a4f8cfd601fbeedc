package health

import (
	"testing"
	"testing/synctest"
	"time"
)

// tries passes d and returns when, from now, a request should have tried the port: one
// is asked for every 100 ms.
func (b *bed) tries(d time.Duration) (at []time.Duration) {
	begin := b.now()
	for b.now()-begin < d {
		pass(100 * time.Millisecond)
		if b.p.Try(b.now()) {
			at = append(at, (b.now() - begin).Round(time.Second))
		}
		if b.p.Try(b.now()) {
			b.t.Fatal("a second try at once, expected one at a time")
		}
	}
	return at
}

// Which ports a request tries although others are better off.
// Rules: P84
func TestTryWhich(t *testing.T) {
	for _, row := range []struct {
		name   string
		config Config
		script string
		want   bool
	}{
		{"up", checked, "pass 5s", false},
		{"suspect", checked, "pass 5s\nholds\nsilent 3 suspect", false},
		{"failing", checked, "pass 5s\noverdue 5 failing", true},
		{"failing after a suspicion", checked, "pass 5s\nholds\nsilent 3\noverdue 5 failing", true},
		{"down, checked", checked, "pass 5s\nholds\nsilent 3\ncheck-lost\npass 4s\ncheck-lost\npass 4s\ncheck-lost down", false},
		{"down, not checked", unchecked, "silent 3 down", true},
		{"down, it never answered a check: it may have no Status-Server", checked, "loses\npass 15s down", true},
		{"down, no address", unchecked, "no-address down", false},
		{"down, no address, never checked", checked, "no-address down", false},
		{"down at another address", unchecked, "no-address down\nrenew up\nsilent 3 down", true},
		{"up again", unchecked, "silent 3 down\nanswered 3 up", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, row.config)
				b.play(row.script)
				if b.p.State() != Up && b.p.State() != Suspect && row.config.Check == CheckNone && b.p.Try(b.now()) {
					t.Error("a try at once, expected a check interval without any")
				}
				if got := len(b.tries(20*time.Second)) > 0; got != row.want {
					t.Errorf("tried is %v, expected %v", got, row.want)
				}
				b.p.Stop()
				pass(time.Minute)
			})
		})
	}
}

// The pauses between tries: a check interval, twice that, four times that, and again;
// none after an answered one.
// Rules: P84
func TestTryPauses(t *testing.T) {
	for _, row := range []struct {
		name   string
		config Config
		script string
	}{
		{"failing", checked, "pass 5s\noverdue 5 failing"},
		{"failing by a check", checked, "pass 40s\nholds\nsilent 3\noverdue 5 failing"},
		{"down", unchecked, "silent 3 down"},
		{"down again", unchecked, "silent 3 down\nrenew up\nsilent 3 down"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, row.config)
				b.play(row.script)
				got := b.tries(46 * time.Second)
				want := []time.Duration{3 * time.Second, 9 * time.Second, 21 * time.Second, 33 * time.Second, 45 * time.Second}
				if len(got) != len(want) {
					t.Fatalf("tries at %v, expected %v", got, want)
				}
				for i := range want {
					if got[i] != want[i] {
						t.Fatalf("tries at %v, expected %v", got, want)
					}
				}
				b.play("answered")
				if !b.p.Try(b.now()) {
					t.Error("no try after an answered one, expected one at once")
				}
				if got := b.tries(7 * time.Second); len(got) != 1 || got[0] != 6*time.Second {
					t.Errorf("tries at %v after one that stays unanswered, expected 6s", got)
				}
			})
		})
	}
}

// A port that was down for long begins with the shortest pause when it fails again.
func TestTryPausesBeginAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, unchecked)
		b.play("silent 3 down")
		b.tries(time.Minute)
		b.play("renew up\nsilent 3 down")
		if got := b.tries(4 * time.Second); len(got) != 1 {
			t.Errorf("tries at %v, expected one after 3s", got)
		}
	})
}

// A port that is failing and then down has failed all the while: the pauses go on.
func TestTryPausesGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, Config{Check: CheckStatusServer, DownAfter: 1})
		b.play("pass 5s\noverdue 5 failing")
		if got := b.tries(4 * time.Second); len(got) != 1 {
			t.Fatalf("tries at %v, expected one after 3s", got)
		}
		b.play("check access-request failing\nfails\npass 4s down")
		died, begin := b.last(Down).At, b.now()
		got := b.tries(7 * time.Second)
		if len(got) != 1 || begin+got[0]-died < 5500*time.Millisecond || begin+got[0]-died > 6700*time.Millisecond {
			t.Errorf("down at %v, tries at %v after %v; expected one 6s after it", died, got, begin)
		}
		b.p.Stop()
	})
}
