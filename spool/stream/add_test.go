package stream

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"radsec-gw/cluster/natstest"
)

// More values at a time than are on their way, and more than a load asks for at once.
//
// Rules: GW4
func TestManyValues(t *testing.T) {
	c := natstest.Start(t, 1)
	s, _ := loaded(t, connected(c, "p", 1))
	const n = 1800
	values := make([]Value, n)
	for i := range values {
		values[i].Data = bytes.Repeat([]byte{byte(i)}, 300)
	}
	received := make(chan int)
	go func() {
		count := 0
		for range s.Changes() {
			if count++; count == n {
				break
			}
		}
		received <- count
	}()
	for some := range slices.Chunk(values, maxPending+88) { // few enough for a disk that syncs 150 a second
		if err := s.Add(some); err != nil {
			t.Fatal(err)
		}
	}
	for i := range values {
		if values[i].Seq != uint64(i+1) {
			t.Fatalf("expected number %d, got %d", i+1, values[i].Seq)
		}
	}
	if got := <-received; got != n {
		t.Errorf("expected %d changes, got %d", n, got)
	}
	_, list := loaded(t, connected(c, "p", 1))
	if len(list) != n {
		t.Errorf("expected %d values, got %d", n, len(list))
	}
	calls := 0
	if err := s.Each(10, func(seq uint64, _ []byte) bool { calls++; return seq < 1200 }); err != nil || calls != 1191 {
		t.Errorf("expected 1191 calls, got %d, %v", calls, err)
	}
}

// Servers that are slow are not sent what nobody waits for any more when they get to it: what was
// not acknowledged would be stored all the same, and once more when its sender asks again.
//
// Rules: GW4
func TestNoMoreForSlowServers(t *testing.T) {
	t.Parallel()
	c := natstest.Start(t, 1)
	s, _ := loaded(t, connected(c, "p", 1))
	values := make([]Value, 2*maxPending)
	c.Suspend(0)
	began := time.Now()
	err := s.Add(values)
	took := time.Since(began)
	c.Resume(0)
	if err == nil || !strings.Contains(err.Error(), "not answered in time") || Refused(err) || took > 3*requestTimeout {
		t.Errorf("expected an error within %v that NATS has not answered, got %v after %v", 3*requestTimeout, err, took)
	}
	add(t, s, "the last")
	if n, err := s.Len(); err != nil || n != maxPending+1 {
		t.Errorf("expected %d and the last, got %d, %v", maxPending, n, err)
	}
}
