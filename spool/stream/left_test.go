package stream

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"radsec-gw/cluster/natstest"
)

// Of what others have removed without telling, a process learns when it is connected again and
// when it asks; of what is before the first value also without that.
//
// Rules: GW4, GW2
func TestRemovedWithoutTelling(t *testing.T) {
	c := natstest.Start(t, 1)
	s, _ := loaded(t, connected(c, "p", 1))
	remove := func(seqs ...uint64) {
		t.Helper()
		for _, seq := range seqs {
			if err := s.remove(seq); err != nil {
				t.Fatal(err)
			}
		}
	}
	add(t, s, "a", "b", "c", "d", "e", "f")
	want(t, s, "a", "b", "c", "d", "e", "f")
	remove(2, 6)
	if err := s.conn.ForceReconnect(); err != nil {
		t.Fatal(err)
	}
	want(t, s, "=[1 3 4 5] 6")
	remove(4)
	s.FindLeft()
	want(t, s, "=[1 3 5] 6")
	if err := s.passFirst(); err != nil {
		t.Fatal(err)
	}
	remove(1)
	if err := s.passFirst(); err != nil {
		t.Fatal(err)
	}
	want(t, s, "=[] 2")
	remove(3, 5)
	s.FindLeft()
	want(t, s, "=[] 6")
	add(t, s, "g")
	want(t, s, "g")
	s.FindLeft()
	want(t, s, "=[7] 7")
}

// Nothing is said of values that were not passed on yet: what is left was found before they came.
//
// Rules: GW4
func TestLeftOfWhatWasNotPassedOn(t *testing.T) {
	s := &Store{feed: newFeed(), changes: make(chan Change, 8), ctx: t.Context()}
	s.passLeftUpTo(5, nil)
	s.feed.begin(3)
	s.passLeftUpTo(5, []uint64{1})
	want(t, s, "=[1] 3")
	s.passAddition(4, []byte("d"))
	s.passLeftUpTo(5, []uint64{1})
	want(t, s, "d", "=[1] 4")
}

// More removals than a process can take are found afterwards.
//
// Rules: GW4, GW6
func TestMoreRemovalsThanAreTaken(t *testing.T) {
	c := natstest.Start(t, 1)
	s, _ := loaded(t, connected(c, "p", 1))
	add(t, s, "a", "b")
	want(t, s, "a", "b")
	if err := s.remove(1); err != nil {
		t.Fatal(err)
	}
	s.feed.order.Lock() // it takes none
	other := c.Connect()
	s.conn.SetErrorHandler(nil) // it would print each
	message := s.removes.sign(append(make([]byte, idLength), 0, 0, 0, 0, 0, 0, 0, 1))
	for range 2 * maxChanges {
		if err := other.Publish(s.removedSubject(), message); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "some to be lost", func() bool { n, _ := s.removed.Dropped(); return n > 0 })
	s.feed.order.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case change := <-s.Changes():
			if change.Kind == Left && len(change.Left) == 1 && change.Left[0] == 2 {
				return
			}
		case <-timer.C:
			t.Fatal("expected to be told what is left")
		}
	}
}

// Another stream of the same name is not the one that was opened, and neither is one with which
// records could be lost: the Store must be opened again, which tells why that fails.
//
// Rules: GW4, GW6
func TestStreamIsReplacedOrChanged(t *testing.T) {
	c := natstest.Start(t, 1)
	s, _ := loaded(t, connected(c, "p", 1))
	js, err := jetstream.New(c.Connect())
	if err != nil {
		t.Fatal(err)
	}
	settings := s.stream.CachedInfo().Config
	for _, test := range []struct {
		change func(*jetstream.StreamConfig)
		want   string
	}{
		{func(c *jetstream.StreamConfig) { c.Discard, c.MaxMsgs = jetstream.DiscardOld, 10 }, "discard is old"},
		{func(c *jetstream.StreamConfig) { c.MaxAge, c.AllowDirect = time.Hour, true }, "max_age is 1h0m0s: NATS would remove records that nobody has counted; use max_age of [spool]; allow_direct"},
		{func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 10 }, "max_msgs_per_subject"},
		{func(c *jetstream.StreamConfig) { c.NoAck = true }, "no_ack"},
		{func(c *jetstream.StreamConfig) { c.Subjects = append(c.Subjects, "q.spool.records") }, "does something else use a stream of this name"},
		{func(c *jetstream.StreamConfig) { c.MaxMsgs, c.MaxBytes = 10, 1<<20 }, ""},
	} {
		changed := settings
		test.change(&changed)
		if _, err := js.UpdateStream(t.Context(), changed); err != nil {
			t.Fatal(err)
		}
		_, err := s.Len()
		again, openErr := Open(t.Context(), connected(c, "p", 1))
		if again != nil {
			again.Close()
		}
		for _, err := range []error{err, openErr} {
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("expected %q, got %v", test.want, err)
			}
		}
		if test.want != "" && !errors.Is(err, ErrGone) {
			t.Errorf("expected ErrGone, got %v", err)
		}
	}
	if err := js.DeleteStream(t.Context(), s.name()); err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	s.FindLeft()
	want(t, s, "the stream of the spool is gone: there is another one of its name")
}
