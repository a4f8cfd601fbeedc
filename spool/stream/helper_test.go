package stream

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"radsec-gw/cluster/natstest"
)

// patience bounds how long a test waits for what must happen.
const patience = time.Minute

// connected returns a Config for a process that is connected to servers.
func connected(c *natstest.Cluster, prefix string, replicas int) Config {
	conn := c.Connect()
	return Config{Connect: func(context.Context) (*nats.Conn, error) { return conn, nil }, Prefix: prefix, Replicas: replicas, Log: slog.New(slog.DiscardHandler)}
}

// open opens a Store until the test ends.
func open(t *testing.T, cfg Config) *Store {
	t.Helper()
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// loaded opens a Store, and has it load what there is.
func loaded(t *testing.T, cfg Config) (*Store, []string) {
	t.Helper()
	s := open(t, cfg)
	var list []string
	if err := s.Load(func(_ uint64, data []byte) bool { list = append(list, string(data)); return true }); err != nil {
		t.Fatal(err)
	}
	return s, list
}

// add adds values, and returns their numbers.
func add(t *testing.T, s *Store, texts ...string) (seqs []uint64) {
	t.Helper()
	values := make([]Value, len(texts))
	for i, text := range texts {
		values[i].Data = []byte(text)
	}
	if err := s.Add(values); err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		seqs = append(seqs, v.Seq)
	}
	return seqs
}

// whatever has Remove compare nothing.
func whatever(uint64, []byte) bool { return true }

// isLost has Remove compare values with those that servers have lost.
func isLost(_ uint64, data []byte) bool { return strings.HasPrefix(string(data), "lost") }

// all returns the values from a number on.
func all(t *testing.T, s *Store, from uint64) (list []string) {
	t.Helper()
	if err := s.Each(from, func(_ uint64, data []byte) bool { list = append(list, string(data)); return true }); err != nil {
		t.Fatal(err)
	}
	return list
}

// want waits for changes: the text of a value that was added; - and the number of one that was
// removed; = with the numbers of what is left, and the number up to which that is so.
func want(t *testing.T, s *Store, changes ...string) {
	t.Helper()
	var got []string
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for len(got) < len(changes) {
		select {
		case c := <-s.Changes():
			switch c.Kind {
			case Added:
				if c.Data == nil {
					c.Data = []byte("not signed")
				}
				got = append(got, string(c.Data))
			case Removed:
				got = append(got, fmt.Sprint("-", c.Seq))
			case Left:
				got = append(got, fmt.Sprint("=", c.Left, c.Seq))
			case Gone:
				got = append(got, c.Err.Error())
			}
		case <-timer.C:
			t.Fatalf("expected the changes %q, got %q", changes, got)
		}
	}
	if !slices.Equal(got, changes) {
		t.Fatalf("expected the changes %q, got %q", changes, got)
	}
}

// until waits until a condition holds.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("expected %s within %v", what, patience)
		}
	}
}
