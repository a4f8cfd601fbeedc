package spool

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A spool that is closed goes on while what it stores and removes succeeds, but not for long.
//
// Rules: GW2
func TestAbortWhenStuck(t *testing.T) {
	for name, c := range map[string]struct {
		succeeds time.Duration // once in so long; 0: never
		closed   time.Duration // after the end; 0: not
		want     time.Duration // when it is aborted; 0: never
	}{
		"nothing succeeds":         {0, 0, finishTimeout},
		"all is done":              {0, finishTimeout / 2, 0},
		"it takes its time":        {finishTimeout / 2, 2 * finishTimeout, 0},
		"it never comes to an end": {finishTimeout / 2, 0, finishLimit},
	} {
		synctest.Test(t, func(t *testing.T) {
			began, aborted := time.Now(), time.Duration(0)
			var succeeded atomic.Uint64
			closed, done := make(chan struct{}), make(chan struct{})
			go func() {
				abortWhenStuck(&succeeded, func() { aborted = time.Since(began) }, closed)
				close(done)
			}()
			if c.closed > 0 {
				time.AfterFunc(c.closed, func() { close(closed) })
			}
			for ended := false; !ended; {
				select {
				case <-done:
					ended = true
				case <-time.After(max(c.succeeds, time.Millisecond)):
					if c.succeeds > 0 {
						succeeded.Add(1)
					}
				}
			}
			if aborted != c.want {
				t.Errorf("%s: expected that it is aborted after %v, got %v", name, c.want, aborted)
			}
		})
	}
}
