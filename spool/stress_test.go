package spool

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// world is a number of clients, a spool, and servers, all of which fail at random.
type world struct {
	*bed
	calm bool // nothing fails any longer; guarded by mu

	mu           sync.Mutex
	r            *rand.Rand
	deliveries   int
	delivered    map[sample]int  // when a server first had the record, by count
	acknowledged map[sample]bool // whether the client had the acknowledgement for its first attempt
}

// chance reports true once in n times, until everything is calm.
func (w *world) chance(n int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.calm && w.r.IntN(n) == 0
}

// wait returns a random time up to a limit.
func (w *world) wait(most time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Duration(w.r.Int64N(int64(most)))
}

// deliver notes that a server has a record.
func (w *world) deliver(s sample) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deliveries++
	if w.delivered[s] == 0 {
		w.delivered[s] = w.deliveries
	}
}

// Send implements Owner: the servers get what is in the spool.
func (w *world) Send(records []*Outgoing) {
	for _, o := range records {
		s := sampleOf(o.Packet)
		result := Answered
		switch {
		case w.chance(8):
			result = Silent
		case w.chance(8):
			result = Ignored
		case w.chance(10):
			result = NotSent
		}
		after := w.wait(3 * time.Second)
		time.AfterFunc(after, func() {
			if result == Answered {
				w.deliver(s)
			}
			o.Done(result)
		})
	}
}

// Stored implements Owner.
func (w *world) Stored(entries []*Entry) {
	for _, e := range entries {
		e.Owner.(chan error) <- e.Err
	}
}

// Reachable implements Owner.
func (w *world) Reachable(string) bool { return !w.chance(3) }

// attempt is one transmission of a client's record. It reports whether the client got its
// acknowledgement.
func (w *world) attempt(s sample) bool {
	begin := time.Now()
	e := w.entry(s)
	stored := make(chan error, 1)
	e.Owner = stored
	live := new(Live)
	var answer <-chan time.Time // of a server
	if w.Begin(live, &e.Marks) {
		e.Live = live
		answer = time.After(w.wait(8 * time.Second))
		if !w.chance(3) {
			<-answer
			w.deliver(s)
			w.End(live, true)
			return true
		}
		<-time.After(2 * time.Second)
	}
	e.Waited = time.Since(begin)
	err := w.Add(e)
	if err == nil {
		err = <-stored
	}
	if answer != nil {
		<-answer
		answered := w.chance(2)
		if answered {
			w.deliver(s)
		}
		w.End(live, answered)
		return err == nil || answered
	}
	return err == nil
}

// send sends a record until it is acknowledged, as a NAS does. It reports whether the first
// attempt was.
func (w *world) send(s sample) {
	first := true
	for !w.attempt(s) {
		first = false
		<-time.After(w.wait(5 * time.Second))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acknowledged[s] = first
}

// newWorld returns a world whose store fails as broken says.
func newWorld(t *testing.T, seed uint64, broken func(w *world, st *testStore)) *world {
	w := &world{bed: closedBed(t, "", roomy), r: rand.New(rand.NewPCG(seed, 16)), delivered: map[sample]int{}, acknowledged: map[sample]bool{}}
	w.cfg.Owner = w
	current := w.disturbed()
	open := w.openStore
	w.openStore = func(directory string, log *slog.Logger) (store, error) {
		st, err := open(directory, log)
		if err == nil {
			broken(w, current())
		}
		return st, err
	}
	limits := roomy
	limits.Attempts = 1 << 15
	w.SetLimits(limits)
	w.Start(t.Context())
	return w
}

// finish has everything work, and waits until the spool is empty.
func (w *world) finish() {
	w.mu.Lock()
	w.calm = true
	w.mu.Unlock()
	for range 100 {
		pass(time.Minute)
		w.SendNow()
		if w.State().Records == 0 {
			break
		}
	}
	pass(time.Minute)
	w.wantRecords("at the end", 0)
	if got := w.kept(); len(got) != 0 {
		w.t.Errorf("expected that nothing is kept, got %q", got)
	}
	x := w.index
	if got := fmt.Sprint(x.octets, x.replay, len(x.byContent), len(x.bySession), len(x.byNAS), len(x.lanes[0].ready), len(x.lanes[0].delayed), len(x.lanes[0].silent), x.lanes[0].inFlight, x.lanes[0].records); got != "0 0 0 0 0 0 0 0 0 0" {
		w.t.Errorf("expected an empty index, got octets, sending, contents, sessions, NASes, ready, delayed, silent, in flight and records of %s", got)
	}
	for s := range w.acknowledged {
		if w.delivered[s] == 0 {
			w.t.Errorf("%v: expected that a server has what was acknowledged", s)
		}
	}
}

// wholeSession is the records of a session.
var wholeSession = []int{start, interim, interim, interim, interim, stop}

// Clients send the records of their sessions one after the other, or without waiting; servers
// answer, are silent, or answer late; commits fail, or only seem to. In the end the servers
// have every record that was acknowledged, those of each session in order, and nothing is left.
//
// Rules: SP2, SP5, SP9
func TestEverythingFailsAtRandom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, anySeed(t), func(w *world, st *testStore) {
			st.before = func([]addition, []uint64) error {
				if w.chance(5) {
					return errNoSpace
				}
				return nil
			}
			st.after = func(err error) error {
				if err == nil && w.chance(10) {
					return errors.New("fdatasync: input/output error")
				}
				return err
			}
		})
		var clients sync.WaitGroup
		for c := range 30 {
			clients.Go(func() {
				var session sync.WaitGroup
				for i, status := range wholeSession {
					s := sample{fmt.Sprint("s", c), status, i + 1}
					session.Go(func() { w.send(s) })
					if c%2 == 0 {
						session.Wait()
					}
					<-time.After(time.Millisecond + w.wait(4*time.Second))
				}
				session.Wait()
			})
		}
		clients.Wait()
		w.finish()
		w.wantOrder()
	})
}

// wantOrder expects that of each session the servers had the records in order that were
// acknowledged at the first attempt. Others the client has sent again, after later ones.
func (w *world) wantOrder() {
	w.t.Helper()
	for c := range 30 {
		last, lastName := 0, ""
		for i, status := range wholeSession {
			s := sample{fmt.Sprint("s", c), status, i + 1}
			if !w.acknowledged[s] {
				continue
			}
			if w.delivered[s] < last {
				w.t.Errorf("expected %v after %s, got it before", s, lastName)
			}
			last, lastName = w.delivered[s], s.String()
		}
	}
}

// The same with a store that must be opened again now and then. Meanwhile requests go on without
// the spool, and may overtake what it has.
//
// Rules: SP2, SP9, SP10
func TestStoreFailsAtRandom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, anySeed(t), func(w *world, st *testStore) {
			st.before = func([]addition, []uint64) error {
				if w.chance(10) {
					return fmt.Errorf("%w: by chance", errFault)
				}
				return nil
			}
		})
		var clients sync.WaitGroup
		for c := range 30 {
			clients.Go(func() {
				for i, status := range wholeSession {
					w.send(sample{fmt.Sprint("s", c), status, i + 1})
				}
			})
		}
		clients.Wait()
		w.finish()
	})
}
