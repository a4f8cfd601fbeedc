package stream

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"radsec-gw/cluster/natstest"
)

// Servers that come back with older data give numbers again. Nobody removes a value that has the
// number of one he knew, neither who finds numbers missing nor who comes when they exist again, and
// all open the stream again.
//
// Rules: GW4, SP9
func TestServersComeBackWithOlderData(t *testing.T) {
	t.Parallel()
	isNew := func(_ uint64, data []byte) bool { return string(data) == "new" }
	for _, n := range []int{1, 3} {
		c := natstest.Start(t, n)
		first, _ := loaded(t, connected(c, "p", n))
		second, _ := loaded(t, connected(c, "p", n))
		add(t, first, "kept")
		c.KillAll()
		c.Save()
		c.RestartAll()
		var old []Value
		until(t, "values to be stored again", func() bool {
			old = []Value{{Data: []byte("lost 1")}, {Data: []byte("lost 2")}}
			return first.Add(old) == nil
		})
		until(t, "the others to know of them", func() bool { return second.same.last.Load() >= old[1].Seq })
		c.KillAll()
		c.Rewind()
		c.RestartAll()
		gone := func(s *Store, f func() error) {
			t.Helper()
			until(t, "to be told that values are lost", func() bool {
				err := f()
				if err == nil {
					t.Fatal("expected an error")
				}
				return errors.Is(err, ErrGone)
			})
		}
		gone(first, func() error { return first.Remove([]uint64{old[0].Seq}, isLost) })
		again, list := loaded(t, connected(c, "p", n))
		if len(list) != 1 || list[0] != "kept" {
			t.Errorf("expected what was saved, got %q", list)
		}
		for range 5 { // beyond the numbers that were given
			add(t, again, "new")
		}
		// What has the number of the last one that the second saw is removed: it can know only by
		// the epoch.
		if err := again.Remove([]uint64{old[1].Seq}, isNew); err != nil {
			t.Fatal(err)
		}
		gone(second, func() error { return second.Add([]Value{{Data: []byte("x")}}) })
		gone(second, func() error { return second.Remove([]uint64{old[0].Seq, old[1].Seq}, isLost) })
		if n, err := again.Len(); err != nil || n != 5 {
			t.Errorf("expected 5 values, got %d, %v", n, err)
		}
	}
}

// Who finds as many values as there were notices all the same that they are others.
//
// Rules: GW4, SP9
func TestLostNumbersAreFilled(t *testing.T) {
	t.Parallel()
	c := natstest.Start(t, 1)
	s, _ := loaded(t, connected(c, "p", 1))
	c.KillAll()
	c.Save()
	c.RestartAll()
	var old []Value
	until(t, "a value to be stored", func() bool {
		old = []Value{{Data: []byte("lost")}}
		return s.Add(old) == nil
	})
	want(t, s, "lost")
	c.KillAll()
	c.Rewind()
	c.RestartAll()
	again, _ := loaded(t, connected(c, "p", 1))
	for range 5 {
		add(t, again, "new")
	}
	until(t, "to be told that values are others", func() bool {
		err := s.Remove([]uint64{old[0].Seq}, isLost)
		if err == nil {
			t.Fatal("expected an error")
		}
		return errors.Is(err, ErrGone)
	})
	if n, err := again.Len(); err != nil || n != 5 {
		t.Errorf("expected 5 values, got %d, %v", n, err)
	}
	wantGone(t, s)
}

// wantGone waits until a Store tells of itself that the stream is another one, before it tells of
// what that has.
func wantGone(t *testing.T, s *Store) {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case c := <-s.Changes():
			if c.Kind == Gone {
				return
			}
			if c.Kind == Added {
				t.Fatalf("expected to be told first that the stream is another one, got number %d", c.Seq)
			}
		case <-timer.C:
			t.Fatal("expected to be told that the stream is another one")
		}
	}
}

// What was signed for an earlier stream of the same name, or for something else, does not verify.
//
// Rules: GW6
func TestSigner(t *testing.T) {
	created := time.Now()
	secret := make([]byte, secretLength)
	signed := func(kind string, created time.Time) signer {
		s, err := newSigner(secret, kind, created)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	one := signed("values", created)
	b := one.sign([]byte("x"))
	if data, ok := one.verify(b); !ok || string(data) != "x" {
		t.Errorf("expected x, got %q, %v", data, ok)
	}
	for _, other := range []signer{signed("removals", created), signed("values", created.Add(1))} {
		if _, ok := other.verify(b); ok {
			t.Error("expected that it does not verify")
		}
	}
}

// A bucket that is deleted or emptied has the stream opened again, and who still knows the secret
// writes it again.
//
// Rules: GW4, SP4
func TestBucketIsLost(t *testing.T) {
	c := natstest.Start(t, 1)
	js, err := jetstream.New(c.Connect())
	if err != nil {
		t.Fatal(err)
	}
	cfg := connected(c, "p", 1)
	for what, lose := range map[string]func() error{
		"deleted": func() error { return js.DeleteKeyValue(t.Context(), "p-spool") },
		"emptied": func() error {
			st, err := js.Stream(t.Context(), "KV_p-spool")
			if err != nil {
				return err
			}
			return st.Purge(t.Context())
		},
	} {
		s, _ := loaded(t, cfg)
		cfg.Secret = s.Secret()
		if err := s.checkBucket(); err != nil {
			t.Errorf("%s: before: %v", what, err)
		}
		if err := lose(); err != nil {
			t.Fatal(err)
		}
		if err := s.checkBucket(); !errors.Is(err, ErrGone) {
			t.Errorf("%s: expected ErrGone, got %v", what, err)
		}
		s.FindLeft()
		timer := time.NewTimer(patience)
		for told := false; !told; {
			select {
			case change := <-s.Changes():
				told = change.Kind == Gone
			case <-timer.C:
				t.Fatalf("%s: expected to be told", what)
			}
		}
		again, _ := loaded(t, cfg)
		if !bytes.Equal(again.Secret(), cfg.Secret) {
			t.Errorf("%s: expected the secret to be the same again", what)
		}
	}
}

// A stream that an operator has made is used only if nothing in it can be lost or mistaken.
//
// Rules: GW4
func TestStreamOfAnOperator(t *testing.T) {
	c := natstest.Start(t, 1)
	js, err := jetstream.New(c.Connect())
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		change func(*jetstream.StreamConfig)
		want   string
	}{
		{func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage }, "storage is Memory"},
		{func(c *jetstream.StreamConfig) { c.PersistMode = jetstream.AsyncPersistMode }, "persist_mode is async"},
		{func(c *jetstream.StreamConfig) { c.Retention = jetstream.WorkQueuePolicy }, "retention is WorkQueue"},
		{func(c *jetstream.StreamConfig) { c.DenyDelete = true }, "deny_delete"},
		{func(c *jetstream.StreamConfig) { c.Subjects = []string{"a-b.spool.records"} }, "does something else use a stream of this name"},
		{func(*jetstream.StreamConfig) {}, ""},
	} {
		settings := jetstream.StreamConfig{Name: "a-b-spool", Subjects: []string{"a.b.spool.records"}, Discard: jetstream.DiscardNew}
		test.change(&settings)
		if _, err := js.CreateStream(t.Context(), settings); err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), connected(c, "a.b", 1))
		if s != nil {
			s.Close()
		}
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("expected %q, got %v", test.want, err)
		}
		if err := js.DeleteStream(t.Context(), settings.Name); err != nil {
			t.Fatal(err)
		}
	}
}

// While NATS hangs, Abort ends what waits for it, and Close returns soon.
//
// Rules: GW2
func TestAbort(t *testing.T) {
	c := natstest.Start(t, 1)
	s, _ := loaded(t, connected(c, "p", 1))
	until(t, "it leads", s.Leads)
	c.Suspend(0)
	defer c.Resume(0)
	failed := make(chan error)
	go func() { failed <- s.Add([]Value{{Data: []byte("x")}}) }()
	began := time.Now()
	s.Abort()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("expected context.Canceled, got %v", err)
	}
	s.Close()
	if took := time.Since(began); took > requestTimeout/2 {
		t.Errorf("expected the end well before NATS would have to answer, it took %v", took)
	}
}

// A process that opens the stream again, in the middle of a renewal of its lead, leads again at once.
//
// Rules: GW4
func TestResignWithoutTheLastRevision(t *testing.T) {
	c := natstest.Start(t, 1)
	s, _ := loaded(t, connected(c, "p", 1))
	until(t, "it leads", s.Leads)
	s.cancel()
	s.running.Wait()
	if _, err := s.shared.Put(t.Context(), leaderKey, []byte(s.ownID())); err != nil { // a renewal without an answer
		t.Fatal(err)
	}
	s.setUntil(time.Now().Add(time.Minute))
	s.resign()
	again, _ := loaded(t, connected(c, "p", 1))
	began := time.Now()
	until(t, "it leads again", again.Leads)
	if took := time.Since(began); took >= takeAfter {
		t.Errorf("expected it to lead at once, it took %v", took)
	}
}

// The time is that of the servers, not of this machine.
//
// Rules: SP6, GW4
func TestTimeOfTheServers(t *testing.T) {
	s := &Store{cfg: Config{Log: slog.New(slog.DiscardHandler)}}
	if d := time.Since(s.Now()); d > time.Minute || d < -time.Minute {
		t.Errorf("expected the machine's time before any answer, got %v off", d)
	}
	s.setTime(&jetstream.StreamInfo{TimeStamp: time.Now().Add(time.Hour)})
	s.setTime(&jetstream.StreamInfo{}) // of an old server
	if d := time.Until(s.Now()); d < 59*time.Minute || d > time.Hour {
		t.Errorf("expected the time of the server, an hour ahead, got %v", d)
	}
}

// Many values are read in small parts from three servers. That a new reader's first question gets
// lost, which happens to one of some dozens, costs a moment, and is no error.
//
// Rules: GW4
func TestReadingInManyParts(t *testing.T) {
	t.Parallel()
	if nextPause <= 2*pullHeartbeat {
		t.Error("expected nextPause to be longer than package jetstream takes to ask again")
	}
	c := natstest.Start(t, 3)
	s, _ := loaded(t, connected(c, "p", 3))
	const n, part = 4000, 32
	values := make([]Value, n)
	for i := range values {
		values[i].Data = []byte("x")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range n {
			<-s.Changes()
		}
	}()
	for some := range slices.Chunk(values, 500) {
		if err := s.Add(some); err != nil {
			t.Fatal(err)
		}
	}
	<-done
	total := 0
	for after := uint64(0); ; {
		k := 0
		if err := s.Each(after+1, func(seq uint64, _ []byte) bool { k++; after = seq; return k < part }); err != nil {
			t.Fatalf("after %d: %v", after, err)
		}
		if total += k; k < part {
			break
		}
	}
	if total != n {
		t.Errorf("expected %d values, got %d", n, total)
	}
	left := 0
	for range s.stream.ListConsumers(t.Context()).Info() {
		left++
	}
	if left > 10 {
		t.Errorf("expected that the servers forget who no longer reads, got %d", left)
	}
}
