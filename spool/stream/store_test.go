package stream

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"radsec-gw/cluster/natstest"
)

// Values are added, read and removed; each has a number of its own, in their order.
//
// Rules: GW4
func TestStore(t *testing.T) {
	c := natstest.Start(t, 1)
	s, list := loaded(t, connected(c, "a.b", 1))
	if len(list) > 0 {
		t.Fatalf("expected no values, got %q", list)
	}
	if got := all(t, s, 0); got != nil {
		t.Errorf("expected no values, got %q", got)
	}
	seqs := add(t, s, "one", "two", "three")
	if !slices.Equal(seqs, []uint64{1, 2, 3}) {
		t.Errorf("expected the numbers 1 to 3, got %d", seqs)
	}
	got := map[uint64]string{}
	if err := s.Get([]uint64{3, 9, 1, 1 << 63}, func(seq uint64, data []byte) { got[seq] = string(data) }); err != nil || len(got) != 2 || got[1] != "one" || got[3] != "three" {
		t.Errorf("expected one and three, got %v, %v", got, err)
	}
	for range 2 { // what is gone may be removed again
		if err := s.Remove([]uint64{2, 77}, whatever); err != nil {
			t.Fatal(err)
		}
	}
	if got := all(t, s, 0); !slices.Equal(got, []string{"one", "three"}) {
		t.Errorf("expected one and three, got %q", got)
	}
	if got := all(t, s, 2); !slices.Equal(got, []string{"three"}) {
		t.Errorf("expected three from number 2 on, got %q", got)
	}
	if got := all(t, s, 4); got != nil {
		t.Errorf("expected nothing from number 4 on, got %q", got)
	}
	calls := 0
	if err := s.Each(0, func(uint64, []byte) bool { calls++; return false }); err != nil || calls != 1 {
		t.Errorf("expected one call, got %d, %v", calls, err)
	}
	if n, err := s.Len(); err != nil || n != 2 {
		t.Errorf("expected 2 values, got %d, %v", n, err)
	}
	if err := s.Remove([]uint64{1, 3}, whatever); err != nil {
		t.Fatal(err)
	}
	if got := all(t, s, 0); got != nil {
		t.Errorf("expected no values, got %q", got)
	}
}

// Who reads a stream whose last values were removed does not wait for them.
//
// Rules: SP14
func TestLastValuesAreRemoved(t *testing.T) {
	t.Parallel()
	s, _ := loaded(t, connected(natstest.Start(t, 1), "p", 1))
	seqs := add(t, s, "one", "two", "three")
	if err := s.Remove(seqs[1:], whatever); err != nil {
		t.Fatal(err)
	}
	quickest := time.Duration(math.MaxInt64)
	for range 3 { // a machine may be slow once
		began := time.Now()
		if got := all(t, s, 0); !slices.Equal(got, []string{"one"}) {
			t.Fatalf("expected one, got %q", got)
		}
		quickest = min(quickest, time.Since(began))
	}
	if quickest >= nextPause {
		t.Errorf("expected less than a wait of %v, got %v", nextPause, quickest)
	}
}

// What one process adds and removes, the others learn; who opens the stream later reads what is
// left. All have the same secret.
//
// Rules: GW4, SP4
func TestStoreOfSeveral(t *testing.T) {
	c := natstest.Start(t, 1)
	a, _ := loaded(t, connected(c, "p", 1))
	b, _ := loaded(t, connected(c, "p", 1))
	if !bytes.Equal(a.Secret(), b.Secret()) || len(a.Secret()) != secretLength {
		t.Errorf("expected the same secret, got %x and %x", a.Secret(), b.Secret())
	}
	add(t, a, "one", "two")
	want(t, a, "one", "two")
	want(t, b, "one", "two")
	if err := b.Remove([]uint64{1}, whatever); err != nil {
		t.Fatal(err)
	}
	want(t, a, "-1")
	add(t, b, "three")
	want(t, a, "three")
	want(t, b, "three")
	_, list := loaded(t, connected(c, "p", 1))
	if !slices.Equal(list, []string{"two", "three"}) {
		t.Errorf("expected two and three, got %q", list)
	}
	if _, list := loaded(t, connected(c, "q", 1)); len(list) > 0 {
		t.Errorf("expected nothing under another prefix, got %q", list)
	}
}

// Two processes that make the stream at the same time use the same stream, and secret.
//
// Rules: GW4, SP4
func TestStoreIsMadeOnce(t *testing.T) {
	c := natstest.Start(t, 1)
	stores := make([]*Store, 4)
	var running sync.WaitGroup
	for i := range stores {
		cfg := connected(c, "p", 1)
		running.Go(func() { stores[i], _ = Open(t.Context(), cfg) })
	}
	running.Wait()
	for _, s := range stores {
		if s == nil {
			t.Fatal("expected all to open it")
		}
		defer s.Close()
		if !bytes.Equal(s.Secret(), stores[0].Secret()) {
			t.Error("expected all to have the same secret")
		}
	}
}

// With three servers every acknowledged value is there after one was killed, with its disk as far
// as the others are concerned, and after all were killed at once. Nothing is started again but
// the servers.
//
// Rules: GW4, GW2
func TestServersAreKilled(t *testing.T) {
	t.Parallel()
	c := natstest.Start(t, 3)
	s, _ := loaded(t, connected(c, "p", 3))
	want := map[string]bool{}
	try := func(text string) bool {
		values := []Value{{Data: []byte(text)}}
		if s.Add(values) == nil {
			want[text] = true
		}
		return want[text]
	}
	receive := make(chan struct{})
	got := map[string]int{}
	go func() {
		defer close(receive)
		for change := range s.Changes() {
			if got[string(change.Data)]++; string(change.Data) == "end" {
				return
			}
		}
	}()
	for i := range c.Len() {
		c.Kill(i)
		until(t, "a value to be stored with two servers", func() bool { return try("while a server is gone: " + string(rune('a'+i))) })
		c.Restart(i)
		c.Await()
	}
	c.KillAll()
	if try("while all are gone") {
		t.Error("expected an error without servers")
	}
	c.RestartAll()
	until(t, "a value to be stored again", func() bool { return try("end") })
	select {
	case <-receive:
	case <-time.After(patience):
		t.Fatal("expected the last value among the changes")
	}
	for text := range want {
		if got[text] == 0 {
			t.Errorf("expected %q among the changes", text)
		}
	}
	list := all(t, s, 0)
	for text := range want {
		if !slices.Contains(list, text) {
			t.Errorf("expected %q to be stored, got %q", text, list)
		}
	}
}

// A removal that is known before its value hides the value; so does one of the process itself.
//
// Rules: GW4
func TestRemovedBeforeItArrives(t *testing.T) {
	f := newFeed()
	f.begin(10)
	f.removed(12)
	f.removed(10)
	if !f.pass(11) || f.pass(12) || !f.pass(13) {
		t.Error("expected only 12 to be hidden")
	}
	for seq := range uint64(2 * maxEarly) {
		f.removed(100 + seq)
	}
	if len(f.early) != maxEarly {
		t.Errorf("expected at most %d removals to be kept, got %d", maxEarly, len(f.early))
	}
}

// Errors say what the operator of NATS can do.
//
// Rules: GW4
func TestOpenErrors(t *testing.T) {
	c := natstest.Start(t, 1)
	if _, err := Open(t.Context(), connected(c, "p", 3)); err == nil || !strings.Contains(err.Error(), "[spool].replicas is 3") {
		t.Errorf("expected the error to name replicas, got %v", err)
	}
	no := errors.New("not connected")
	cfg := Config{Connect: func(context.Context) (*nats.Conn, error) { return nil, no }, Prefix: "p", Replicas: 1, Log: slog.New(slog.DiscardHandler)}
	if _, err := Open(t.Context(), cfg); !errors.Is(err, no) {
		t.Errorf("expected the error of Connect, got %v", err)
	}
	if _, err := Open(t.Context(), Config{Prefix: "p"}); err != errNoConnection {
		t.Errorf("expected errNoConnection, got %v", err)
	}
	s := open(t, connected(c, "p", 1))
	if _, err := s.shared.Put(t.Context(), secretKey, []byte("short")); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), connected(c, "p", 1)); err == nil || !strings.Contains(err.Error(), "expected 32 bytes, got 5") {
		t.Errorf("expected the error to tell of the secret, got %v", err)
	}
	js, err := jetstream.New(c.Connect())
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), s.name()); err != nil {
		t.Fatal(err)
	}
	if err := s.Add([]Value{{Data: []byte("x")}}); err == nil || errors.Is(err, ErrGone) { // the servers may only be choosing a leader
		t.Errorf("expected an error of Add that is not ErrGone, got %v", err)
	}
	if _, err := s.Len(); !errors.Is(err, ErrGone) {
		t.Errorf("expected ErrGone of Len, got %v", err)
	}
	if err := s.Get([]uint64{1}, func(uint64, []byte) {}); !errors.Is(err, ErrGone) {
		t.Errorf("expected ErrGone of Get, got %v", err)
	}
}

// A value that is larger than any record is refused, and so is what is not a list of removals.
//
// Rules: GW4, GW6
func TestWrongMessages(t *testing.T) {
	c := natstest.Start(t, 1)
	s, _ := loaded(t, connected(c, "p", 1))
	if err := s.Add([]Value{{Data: make([]byte, maxValue+1)}}); err == nil {
		t.Error("expected an error of a value that is too large")
	}
	other := c.Connect()
	for _, text := range []string{"", "short", strings.Repeat("x", 15), strings.Repeat("x", idLength+8*maxRemoved+8)} {
		if err := other.Publish(s.removedSubject(), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{"", "a value that nobody has signed", string(s.removes.sign([]byte("signed as something else")))} {
		if err := other.Publish(s.subject(), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := other.Flush(); err != nil {
		t.Fatal(err)
	}
	add(t, s, "good")
	want(t, s, "not signed", "not signed", "not signed", "good")
	if got := all(t, s, 1); !slices.Equal(got, []string{"", "", "", "good"}) {
		t.Errorf("expected no data of what nobody has signed, got %q", got)
	}
	_, list := loaded(t, connected(c, "p", 1))
	if !slices.Equal(list, []string{"", "", "", "good"}) {
		t.Errorf("expected no data of what nobody has signed, got %q", list)
	}
	err := s.Get([]uint64{1, 2, 3}, func(seq uint64, data []byte) {
		if data != nil {
			t.Errorf("number %d: expected no data, got %q", seq, data)
		}
	})
	if err != nil {
		t.Error(err)
	}
}

// Messages about removals that no process has signed remove nothing: neither what there is, nor
// what comes later.
//
// Rules: GW6
func TestForgedRemovals(t *testing.T) {
	c := natstest.Start(t, 1)
	s, _ := loaded(t, connected(c, "p", 1))
	add(t, s, "a")
	want(t, s, "a")
	other := c.Connect()
	message := make([]byte, idLength)
	for seq := range uint64(10) {
		message = binary.BigEndian.AppendUint64(message, seq)
	}
	for _, forged := range [][]byte{message, append(message, make([]byte, tagLength)...), s.values.sign(message)} {
		if err := other.Publish(s.removedSubject(), forged); err != nil {
			t.Fatal(err)
		}
	}
	if err := other.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := s.conn.Flush(); err != nil {
		t.Fatal(err)
	}
	add(t, s, "b")
	want(t, s, "b")
	if err := other.Publish(s.removedSubject(), s.removes.sign(message[:idLength+16])); err != nil { // a good one, for comparison
		t.Fatal(err)
	}
	want(t, s, "-0", "-1")
}

func FuzzParseRemoved(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, idLength))
	f.Add(make([]byte, idLength+16))
	f.Fuzz(func(t *testing.T, b []byte) {
		if seqs, err := parseRemoved(b); err == nil && (len(seqs)%8 != 0 || len(seqs) > 8*maxRemoved) {
			t.Errorf("expected at most %d numbers, got %d bytes", maxRemoved, len(seqs))
		}
	})
}
