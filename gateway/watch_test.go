package gateway

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// The files are looked at each interval. A changed interval holds at once, also when
// there was none, and one that has not changed postpones nothing.
//
// Rules: P109
func TestLooksFollowTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		looks := ""
		ticks := newTicks(10 * time.Second)
		go ticks.run(ctx, func() { looks += fmt.Sprint(" ", time.Since(start)) })
		want := func(what string, until time.Duration, expected string) {
			t.Helper()
			<-time.After(until - time.Since(start)) // of faked time
			synctest.Wait()
			if looks != expected {
				t.Errorf("%s: expected looks after%s, got%s", what, expected, looks)
			}
			looks = ""
		}
		want("at first", 21*time.Second, " 10s 20s")
		ticks.change(10 * time.Second)
		want("the same interval", 31*time.Second, " 30s")
		ticks.change(2 * time.Second)
		want("a shorter one", 36*time.Second, " 33s 35s")
		ticks.change(time.Hour)
		ticks.change(3 * time.Second)
		want("two changes", 43*time.Second, " 39s 42s")
		ticks.change(0)
		want("none", 5*time.Hour, "")
		ticks.change(time.Second)
		want("on again", 5*time.Hour+2500*time.Millisecond, " 5h0m1s 5h0m2s")
		cancel()
		synctest.Wait()
		want("ended", 6*time.Hour, "")
	})
}
