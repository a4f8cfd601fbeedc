package health

import (
	"testing"
	"testing/synctest"
	"time"
)

// One check is sent for all who ask while it is under way, none because a check is said
// to have ended that has ended already, and none more because one was lost when a request
// was answered after it was sent.
// Rules: P82
func TestNoCheckTooMany(t *testing.T) {
	for script, want := range map[string]int{
		"holds\nsilent up\nsilent up\ncheck-answered\nanswered": 1,
		"holds\nsilent up\nanswered up\ncheck-lost up":          1,
		"check-not-sent":                 0,
		"check-lost":                     0,
		"check-answered\ncheck-not-sent": 0,
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, checked)
			b.play("pass 5s")
			b.sent()
			b.play(script + "\nanswers")
			for range 10 { // busy
				b.play("pass 10s\nanswered")
			}
			if n := len(b.sent()); n != want {
				t.Errorf("%q: %d checks, expected %d", script, n, want)
			}
		})
	}
}

// The next check is sent however one ends, even if its end is reported twice.
func TestPendingEnds(t *testing.T) {
	ends := []string{"check-answered", "check-lost", "check-not-sent"}
	var orders []string
	for _, a := range ends {
		orders = append(orders, a)
		for _, b := range ends {
			orders = append(orders, a+"\n"+b)
			for _, c := range ends {
				orders = append(orders, a+"\n"+b+"\n"+c)
			}
		}
	}
	for _, state := range []string{"", "silent 3 suspect", "no-address down", "overdue 5 failing", "check none\ncheck status-server", "renew"} {
		for _, order := range orders {
			for _, late := range []string{"", "pass 100ms\n", "pass 40s\n"} {
				synctest.Test(t, func(t *testing.T) {
					b := newBed(t, checked)
					b.play("pass 5s\nholds\nsilent\n" + state + "\n" + order + "\n" + late + order)
					b.set("answers")
					b.play("check-lost") // where one is under way
					b.sent()
					pass(35 * time.Second)
					if len(b.sent()) == 0 {
						t.Fatalf("after %q, %q, again %q no check was sent, expected one", state, order, late)
					}
					b.p.Stop()
					pass(time.Minute)
				})
			}
		}
	}
}

// What could not be sent is not evidence, and is sent when it can be.
func TestCheckNotSent(t *testing.T) {
	for _, row := range []struct {
		name, script string
		want         State
	}{
		{"up", "pass 5s", Up},
		{"suspect", "pass 5s\nholds\nsilent 3 suspect\ncheck-lost", Suspect},
		{"failing", "pass 5s\noverdue 5 failing", Failing},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, checked)
			b.play(row.script)
			b.play("unsent\npass 300s")
			if got := b.p.State(); got != row.want {
				t.Errorf("%s: the port is %v after five minutes in which nothing could be sent, expected %v", row.name, got, row.want)
			}
			b.p.Stop()
		})
	}
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, checked)
		b.play("pass 5s\nunsent\nsilent\nholds")
		b.sent()
		pass(3300 * time.Millisecond)
		if n := len(b.sent()); n != 1 {
			t.Errorf("%d checks after one could not be sent, expected it after an interval", n)
		}
	})
}

// A lost check counts once, even if it is reported twice.
func TestLostTwiceCountsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, checked)
		b.play("pass 5s\nholds\nsilent 3 suspect\ncheck-lost 9 suspect")
	})
}
