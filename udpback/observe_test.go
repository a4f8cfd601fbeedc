package udpback

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/udpback/health"
)

// watcher is an Observer that keeps what it is told.
type watcher struct {
	mu    sync.Mutex
	off   bool
	steps []string
}

func (w *watcher) Observing() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.off
}

func (w *watcher) Observe(owner Handler, s *Step) {
	w.mu.Lock()
	defer w.mu.Unlock()
	line := []string{"sent to", "sent again to", "reply of", "moves from"}[s.Kind] + " " + s.Server
	if s.Kind == StepReplied {
		line += " " + s.Result.String()
	} else if s.Why != "" {
		line += ": " + s.Why
	}
	if owner == nil {
		line = "nobody's " + line
	}
	if len(s.Packet) > 0 && (s.Remote.Port() != 1812 || s.Port != metrics.PortAuth) {
		line += " of another port"
	}
	w.steps = append(w.steps, line)
}

func (w *watcher) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.steps
	w.steps = nil
	return all
}

// watch sets an observer, and returns it.
func (f *fixture) watch() *watcher {
	w := new(watcher)
	f.backend.SetObserver(w)
	return w
}

// answerWrongFromA makes all servers answer, and a as if it had another secret.
func answerWrongFromA(f *fixture, _ []*Server) {
	f.net.set(func() {
		f.net.serve = func(address string, q []byte) [][]byte {
			reply := answer(f.net.t, q, radius.CodeAccessAccept)
			if strings.HasPrefix(address, "a:") {
				reply[4] ^= 1
			}
			return [][]byte{reply}
		}
	})
}

// The observer is told where a request goes and why, when it moves and why, and of each
// datagram that arrives, with what it was.
//
// Fault O5, O6.
func TestObserverIsToldTheWay(t *testing.T) {
	const first = "the first server of its route that is up and was not tried"
	const nothing = "nothing was received from the server since it was sent (move_on_after)"
	for _, row := range []struct {
		name    string
		balance Balance
		act     func(f *fixture, servers []*Server)
		want    []string
	}{
		{"the second server answers", Failover, func(f *fixture, _ []*Server) { f.net.answering(f.net.t, "b") },
			[]string{"sent to a: " + first, "sent again to a: " + first, "moves from a: " + nothing, "sent to b: " + first, "reply of b accepted"}},
		{"the first has another secret", Failover, answerWrongFromA, []string{"sent to a: " + first, "reply of a bad_response_authenticator", "sent again to a: " + first, "reply of a bad_response_authenticator",
			"moves from a: nothing that verifies was received from the server since it was sent", "sent to b: " + first, "reply of b accepted"}},
		{"the first is failing", Failover, func(f *fixture, servers []*Server) {
			f.net.answering(f.net.t, "b")
			f.bring(f.net.t, servers[0], health.Down)
		}, []string{"sent to b: " + first, "reply of b accepted"}},
		{"by load", LeastOutstanding, func(f *fixture, _ []*Server) { f.net.answering(f.net.t, "a", "b") },
			[]string{"sent to %: the server that is up with the fewest requests waiting", "reply of % accepted"}},
		{"by a hash", Sticky, func(f *fixture, _ []*Server) { f.net.answering(f.net.t, "a", "b") },
			[]string{"sent to %: chosen among those that are up by the hash of its user and station", "reply of % accepted"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			w := f.watch()
			servers := []*Server{f.server(t, "a", nil), f.server(t, "b", nil)}
			defer servers[0].Close()
			defer servers[1].Close()
			f.net.t = t
			row.act(f, servers)
			w.take()
			o := newOwner(radius.CodeAccessRequest)
			f.start(t, f.group(t, row.balance, servers...), o)
			<-o.ended
			got := w.take()
			if len(got) > 0 && strings.HasPrefix(got[0], "sent to b") {
				row.want = strings.Split(strings.ReplaceAll(strings.Join(row.want, "\n"), "%", "b"), "\n")
			}
			row.want = strings.Split(strings.ReplaceAll(strings.Join(row.want, "\n"), "%", "a"), "\n")
			if !slices.Equal(got, row.want) {
				t.Errorf("%s: the observer was told\n%s\nexpected\n%s", row.name, strings.Join(got, "\n"), strings.Join(row.want, "\n"))
			}
			w.mu.Lock()
			w.off = true
			w.mu.Unlock()
			time.Sleep(time.Minute)
			if got := w.take(); len(got) != 0 {
				t.Errorf("%s: an observer that does not observe was told %q", row.name, got)
			}
		})
	}
}

// A datagram that no request waits for has no owner.
func TestObserverOfUnmatchedReplies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		w := f.watch()
		s := f.server(t, "a", nil)
		defer s.Close()
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, f.group(t, Failover, s), o)
		reply := answer(t, f.net.seen("a:1812")[0].octets, radius.CodeAccessAccept)
		f.net.sockets[0].in <- reply
		<-o.ended
		f.net.sockets[0].in <- reply
		f.net.sockets[0].in <- make([]byte, 30)
		synctest.Wait()
		want := []string{"sent to a: the only server of its route", "reply of a accepted", "nobody's reply of a unmatched", "nobody's reply of a malformed"}
		if got := w.take(); !slices.Equal(got, want) {
			t.Errorf("the observer was told\n%s\nexpected\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}
