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
		poller := newPoller(10 * time.Second)
		go poller.run(ctx, func() { looks += fmt.Sprint(" ", time.Since(start)) })
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
		poller.setInterval(10 * time.Second)
		want("the same interval", 31*time.Second, " 30s")
		poller.setInterval(2 * time.Second)
		want("a shorter one", 36*time.Second, " 33s 35s")
		poller.setInterval(time.Hour)
		poller.setInterval(3 * time.Second)
		want("two changes", 43*time.Second, " 39s 42s")
		poller.setInterval(0)
		want("none", 5*time.Hour, "")
		poller.setInterval(time.Second)
		want("on again", 5*time.Hour+2500*time.Millisecond, " 5h0m1s 5h0m2s")
		cancel()
		synctest.Wait()
		want("ended", 6*time.Hour, "")
	})
}
