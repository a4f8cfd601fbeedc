package stream

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/nats-io/nats.go"

	"radsec-gw/cluster/natstest"
)

// A server comes back with older data, and gives numbers again, while a process is connected to
// another server all the time: it notices by the values themselves.
//
// Rules: GW4, SP9
func TestOlderDataBehindAnotherServer(t *testing.T) {
	t.Parallel()
	c := natstest.Start(t, 3)
	s, holder := openElsewhere(t, c)
	add(t, s, "kept")
	c.Kill(holder)
	c.Save()
	c.Restart(holder)
	var lost []Value
	until(t, "values to be stored again", func() bool {
		lost = []Value{{Data: []byte("lost 1")}, {Data: []byte("lost 2")}}
		return s.Add(lost) == nil
	})
	c.Kill(holder)
	c.Rewind()
	c.RestartAll()
	until(t, "the stream to be there again", func() bool {
		other, err := Open(t.Context(), connected(c, "p", 1))
		return err == nil && other.Close() == nil
	})
	again, _ := loaded(t, connected(c, "p", 1))
	for range 3 {
		add(t, again, "new")
	}
	err := s.Remove([]uint64{lost[0].Seq, lost[1].Seq}, isLost)
	if !errors.Is(err, ErrGone) {
		t.Errorf("expected to be told that values are lost, got %v", err)
	}
	if s.conn.Stats().Reconnects > 0 {
		t.Error("expected the connection to be the same still")
	}
	if got := all(t, again, 0); !slices.Equal(got, []string{"kept", "new", "new", "new"}) {
		t.Errorf("expected that nothing is removed, got %q", got)
	}
}

// openElsewhere opens a stream that one of several servers has alone, by a connection to another
// one, and returns which has it.
func openElsewhere(t *testing.T, c *natstest.Cluster) (s *Store, holder int) {
	t.Helper()
	info, err := open(t, connected(c, "p", 1)).askInfo()
	if err != nil {
		t.Fatal(err)
	}
	for c.Name(holder) != info.Cluster.Leader {
		holder++
	}
	conn := c.ConnectTo((holder + 1) % c.Len())
	cfg := connected(c, "p", 1)
	cfg.Connect = func(context.Context) (*nats.Conn, error) { return conn, nil }
	s, _ = loaded(t, cfg)
	return s, holder
}

// Each of the values that are to be removed is compared, and the others learn of one that is another.
//
// Rules: GW4, SP9
func TestRemoveCompares(t *testing.T) {
	c := natstest.Start(t, 1)
	s, _ := loaded(t, connected(c, "p", 1))
	seqs := add(t, s, "one", "two", "three")
	not := func(text string) func(uint64, []byte) bool {
		return func(_ uint64, data []byte) bool { return string(data) != text }
	}
	if err := s.Remove(seqs[:2], not("two")); !errors.Is(err, ErrGone) {
		t.Errorf("expected an ErrGone, got %v", err)
	}
	if err := s.checkBucket(); !errors.Is(err, ErrGone) {
		t.Errorf("expected another epoch, got %v", err)
	}
	if err := s.Remove(seqs, not("two")); !errors.Is(err, ErrGone) {
		t.Errorf("expected an ErrGone although the last is the same, got %v", err)
	}
	if err := s.Remove(seqs, not("four")); err != nil {
		t.Error(err)
	}
	if got := all(t, s, 0); got != nil {
		t.Errorf("expected no values, got %q", got)
	}
	seqs = append(add(t, s, "four", "five"), seqs...)
	if err := s.remove(seqs[1]); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(seqs, not("four")); !errors.Is(err, ErrGone) {
		t.Errorf("expected an ErrGone although the last was removed, got %v", err)
	}
	if got := all(t, s, 0); !slices.Equal(got, []string{"four"}) {
		t.Errorf("expected that nothing is removed, got %q", got)
	}
}
