package sessions

import (
	"slices"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"radsec-gw/metrics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newShared() *Shared { return NewShared(metrics.New(prometheus.NewRegistry()), 1) }

// However many connections come at once, by whichever listener, no more than the limit enter.
// Rules: P112, TR5
func TestEnterHasALimit(t *testing.T) {
	st := newShared().Of("campus")
	var wg sync.WaitGroup
	var mu sync.Mutex
	entered, before := 0, 0
	for range 50 {
		wg.Go(func() {
			for range 10 {
				n, ok := st.Enter(7)
				mu.Lock()
				if ok {
					entered++
				} else {
					before = n
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if entered != 7 || st.Open() != 7 || before != 7 {
		t.Errorf("%d entered, %d are open, and %d were there when one was refused; expected 7", entered, st.Open(), before)
	}
	st.Leave()
	if _, ok := st.Enter(7); !ok {
		t.Error("none enters after another has left")
	}
	if _, ok := st.Enter(0); !ok {
		t.Error("none enters without a limit")
	}
}

// A client that is no longer configured is kept until its last connection has ended.
// Rules: TR5
func TestRemove(t *testing.T) {
	s := newShared()
	kept, gone := s.Of("kept"), s.Of("gone")
	gone.Enter(0)
	configured := func(name string) bool { return name == "kept" }
	if open := s.Remove(configured); !slices.Equal(open, []string{"gone"}) || s.Of("gone") != gone {
		t.Errorf("%q are open, expected the one that has a connection", open)
	}
	gone.Leave()
	if open := s.Remove(configured); len(open) != 0 || s.Of("gone") == gone {
		t.Errorf("%q are open, and the state is kept after its last connection", open)
	}
	if s.Of("kept") != kept {
		t.Error("a configured client has lost its state")
	}
}
