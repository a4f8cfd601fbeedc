package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2866"
)

// Start waits for a store that takes long to open, but not forever, nor longer than its context.
// Until it is open requests go on without the spool, and afterwards with it.
//
// Rules: SP10
func TestStartWaitsForTheStore(t *testing.T) {
	for _, c := range []struct {
		name               string
		takes, given, want time.Duration
	}{
		{"a store that opens at once", 0, time.Hour, 0},
		{"a store that takes a moment", 5 * time.Second, time.Hour, 5 * time.Second},
		{"a store that takes longer", time.Minute, time.Hour, openTimeout},
		{"a context that ends before", time.Minute, time.Second, time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := closedBed(t, "", roomy)
			b.openStore = func(directory string, log *slog.Logger) (store, error) {
				<-time.After(c.takes)
				return openFileStore(directory, log)
			}
			if err := b.Add(b.entry(s1Start)); err != ErrClosed {
				t.Errorf("%s: expected ErrClosed before Start, got %v", c.name, err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), c.given)
			defer cancel()
			begin := time.Now()
			b.Start(ctx)
			if waited := time.Since(begin); waited != c.want {
				t.Errorf("%s: expected that Start waits for %v, got %v", c.name, c.want, waited)
			}
			if text := b.text.String(); strings.Contains(text, "the spool is not open yet") != (c.want == openTimeout) {
				t.Errorf("%s: expected a log line only if the store is not open, got %q", c.name, text)
			}
			var live Live
			e := b.entry(s1Start)
			if !b.Begin(&live, &e.Marks) {
				t.Errorf("%s: expected that a request may begin", c.name)
			}
			pass(time.Minute)
			b.End(&live, true)
			b.add(s1Start)
			pass(time.Second)
			wantList(t, c.name+": acknowledged", b.owner.acknowledged(), "s1/start")
		})
	}
}

// A store that cannot be opened is tried again, with a log line a minute, until it can.
//
// Rules: SP10
func TestStoreThatCannotBeOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := closedBed(t, "", roomy)
		var tries atomic.Int64
		var works atomic.Bool
		var opened atomic.Int64
		b.cfg.Opened = func() { opened.Add(1) }
		b.openStore = func(directory string, log *slog.Logger) (store, error) {
			if tries.Add(1); !works.Load() {
				return nil, errors.New("read-only file system")
			}
			return openFileStore(directory, log)
		}
		b.Start(t.Context())
		pass(time.Hour)
		if n := tries.Load(); n < 700 || n > 730 {
			t.Errorf("expected a try each 5 s, got %d in an hour", n)
		}
		if n := strings.Count(b.text.String(), "read-only file system"); n < 2 || n > 61 {
			t.Errorf("expected at most a log line a minute, got %d in an hour", n)
		}
		if err := b.State().Err; err == nil || err.Error() != "read-only file system" {
			t.Errorf("expected the reason, got %v", err)
		}
		live := Live{epoch: 1, at: 2, session: 3, item: 4} // of another store
		e := b.entry(s1Start)
		if !b.Begin(&live, &e.Marks) || live != (Live{}) {
			t.Errorf("expected that a request may begin, which the spool does not know, got %+v", live)
		}
		works.Store(true)
		pass(reopenPause)
		b.add(s1Start)
		pass(time.Second)
		wantList(t, "acknowledged", b.owner.acknowledged(), "s1/start")
		if n := opened.Load(); n != 1 {
			t.Errorf("expected that Opened is called once, got %d times", n)
		}
	})
}

// The spool's clock goes on from the record that arrived last, whatever the order in the store,
// and however far it is from the machine's.
//
// Rules: SP6
func TestClockGoesOnFromTheStore(t *testing.T) {
	directory := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		st, err := openFileStore(directory, quiet)
		if err != nil {
			t.Fatal(err)
		}
		var add []addition
		for i, minutes := range []int{65, 70, 60, 68} { // ago
			r := Record{Arrived: time.Now().Add(-time.Duration(minutes) * time.Minute), Client: "campus", Packet: accounting(t, nil), at: 5e18 - int64(minutes)*int64(time.Minute)}
			add = append(add, addition{uint64(i + 1), r.appendTo(nil)})
		}
		if err := st.commit(add, nil); err != nil {
			t.Fatal(err)
		}
		st.close()
		b := newBed(t, directory, roomy)
		if got := b.State().Oldest; got != 70*time.Minute {
			t.Errorf("expected that the oldest record is 70 minutes old, got %v", got)
		}
		b.wantLog("the spool has records that no server has yet")
		pass(time.Minute)
		if sent := b.owner.transmissions(); len(sent) != 4 || delayOf(t, sent[0]) != 70*60 {
			t.Errorf("expected four records, the first with a delay of 4200 s, got %d", len(sent))
		}
	})
}

// A spool that was never started can be closed; one that is closed while its store is not open
// ends at once.
func TestCloseWithoutAStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closedBed(t, "", roomy).close()
		b := closedBed(t, "", roomy)
		b.openStore = func(string, *slog.Logger) (store, error) { return nil, errors.New("no such device") }
		b.Start(t.Context())
		begin := time.Now()
		b.close()
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("expected that it ends at once, got %v", waited)
		}
	})
}

// Records that a later version has written are left alone: neither read nor lost. Their numbers
// are not used for others.
//
// Rules: SP13
func TestRecordsOfALaterVersion(t *testing.T) {
	directory := t.TempDir()
	st, err := openFileStore(directory, quiet)
	if err != nil {
		t.Fatal(err)
	}
	later := []byte{formatVersion + 1, 'l', 'a', 't', 'e', 'r'}
	if err := st.commit([]addition{{7, later}, {9, later}}, nil); err != nil {
		t.Fatal(err)
	}
	st.close()
	for range 2 {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, directory, roomy)
			b.wantLog("the spool leaves records alone that it cannot read")
			b.wantLog("was it written by a later version of radsec-gw?")
			b.wantRecords("that can be read", 0)
			b.add(s1Start)
			pass(time.Minute)
			b.wantRecords("when it was sent", 0)
			b.wantMetric("dropped_total", "", 0)
			wantList(t, "people see", b.kept())
		})
	}
	st, err = openFileStore(directory, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer st.close()
	if got := contents(t, st); len(got) != 2 || string(got[7]) != string(later) || string(got[9]) != string(later) {
		t.Errorf("expected that the two records are left alone, got %v", got)
	}
}

// The records of each session are in the same order after a restart, whatever order they came
// in, and whatever delay they name.
//
// Rules: SP5, SP9
func TestOrderAfterARestart(t *testing.T) {
	directory := t.TempDir()
	seed := anySeed(t)
	idle := roomy
	idle.Window = 0 // what is being sent stays first
	queues := func(b *bed) map[string][]uint64 {
		all := map[string][]uint64{}
		for i := range b.index.sessions.used {
			s := b.index.sessions.at(i + 1)
			var list []uint64
			for h := s.first; h != 0; h = b.index.items.at(h).next {
				list = append(list, b.index.items.at(h).seq)
			}
			if list != nil {
				all[fmt.Sprint(slices.Min(list))] = list
			}
		}
		return all
	}
	var before map[string][]uint64
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, directory, idle)
		r := rand.New(rand.NewPCG(seed, 9))
		for i := range 300 {
			e := b.entry(sample{fmt.Sprint("s", r.IntN(5)), []int{start, interim, interim, interim, stop}[r.IntN(5)], i + 1}, func(p *radius.Packet) {
				if r.IntN(2) == 0 {
					rfc2866.AcctDelayTime_Set(p, rfc2866.AcctDelayTime(r.IntN(20)))
				}
			})
			e.Waited = time.Duration(r.IntN(6)) * 700 * time.Millisecond
			e.Record.Arrived = time.Now().Add(-e.Waited)
			b.handOver(e)
			pass(time.Duration(r.IntN(1500)) * time.Millisecond)
		}
		before = queues(b)
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, directory, idle)
		after := queues(b)
		if len(after) != len(before) {
			t.Errorf("expected %d sessions, got %d", len(before), len(after))
		}
		for name, want := range before {
			if !slices.Equal(after[name], want) {
				t.Errorf("expected the records of a session in the order %v, got %v", want, after[name])
			}
		}
	})
}
