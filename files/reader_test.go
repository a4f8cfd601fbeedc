package files

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// blocking returns a Reader for which reading a file called "stuck…" blocks until
// release is closed. reads returns how often a file was read.
func blocking(release <-chan struct{}) (r *Reader, reads func(path string) int) {
	r = NewReader()
	counts := map[string]int{}
	r.read = func(path string, _ int64, _ bool) ([]byte, error) {
		r.mu.Lock()
		counts[path]++
		r.mu.Unlock()
		if strings.HasPrefix(path, "stuck") {
			<-release
		}
		return []byte(path), nil
	}
	return r, func(path string) int {
		r.mu.Lock()
		defer r.mu.Unlock()
		return counts[path]
	}
}

// Retrying a blocked file does not add reads of it, and once it answers it is read
// again.
func TestBlockedFileIsReadByOneGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		r, reads := blocking(release)
		var stuck *StuckError
		for range 3 {
			if _, err := r.Snapshot(t.Context()).Read("stuck", 100); !errors.As(err, &stuck) {
				t.Errorf("got %v, want a StuckError", err)
			}
		}
		if reads("stuck") != 1 {
			t.Errorf("%d reads of one blocked file were begun, want 1", reads("stuck"))
		}
		close(release)
		synctest.Wait()
		if b, err := r.Snapshot(t.Context()).Read("stuck", 100); string(b) != "stuck" || err != nil {
			t.Errorf("after it answers: got %q and %v", b, err)
		}
		if reads("stuck") != 2 {
			t.Errorf("%d reads, want a second one after the first has returned", reads("stuck"))
		}
	})
}

// The end of the context ends the wait at once.
func TestContextEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		r, _ := blocking(release)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		start := time.Now()
		if _, err := r.Snapshot(ctx).Read("stuck", 100); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); took != time.Millisecond {
			t.Errorf("it took %v", took)
		}
	})
}

// The number of reads that have not returned is bounded.
func TestBlockedFilesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		r, _ := blocking(release)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for i := range maxStuck {
			r.Call(ctx, fmt.Sprint("stuck", i), func() error { <-release; return nil })
		}
		if err := r.Call(t.Context(), "one more", func() error { return nil }); err == nil || !strings.Contains(err.Error(), "have not returned") {
			t.Errorf("one more call gives %v", err)
		}
	})
}
