package stream

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"radsec-gw/cluster/natstest"
)

// A bucket that somebody has left on fewer servers than the stream is told of.
//
// Rules: GW4
func TestReplicasOfTheBucket(t *testing.T) {
	t.Parallel()
	c := natstest.Start(t, 3)
	opened := func() string {
		var text bytes.Buffer
		cfg := connected(c, "p", 1)
		cfg.Log = slog.New(slog.NewTextHandler(&text, nil))
		open(t, cfg).Close()
		return text.String()
	}
	if got := opened(); strings.Contains(got, "fewer replicas") {
		t.Errorf("expected no warning, got:\n%s", got)
	}
	js, err := jetstream.New(c.Connect())
	if err != nil {
		t.Fatal(err)
	}
	st, err := js.Stream(t.Context(), "p-spool")
	if err != nil {
		t.Fatal(err)
	}
	cfg := st.CachedInfo().Config
	cfg.Replicas = 3
	if _, err := js.UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if got := opened(); !strings.Contains(got, "fewer replicas") || !strings.Contains(got, "stream=KV_p-spool replicas=1 of_the_spool=3") {
		t.Errorf("expected a warning, got:\n%s", got)
	}
}

// When every value of a commit is refused, the error tells of it once.
//
// Rules: SP10
func TestErrorOfManyValues(t *testing.T) {
	c := natstest.Start(t, 1)
	js, err := jetstream.New(c.Connect())
	if err != nil {
		t.Fatal(err)
	}
	s, _ := loaded(t, connected(c, "p", 1))
	st, err := js.Stream(t.Context(), "p-spool")
	if err != nil {
		t.Fatal(err)
	}
	cfg := st.CachedInfo().Config
	cfg.MaxMsgs = 1
	if _, err := js.UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	values := make([]Value, 100)
	for i := range values {
		values[i].Data = []byte("x")
	}
	if err := s.Add(values); !Refused(err) || strings.Count(err.Error(), "maximum messages exceeded") != 1 {
		t.Errorf("expected an error that tells of it once, got %v", err)
	}
}

// What NATS servers cannot do while they choose a leader they do not refuse.
//
// Rules: SP14
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{&jetstream.APIError{Code: 503, ErrorCode: 10077, Description: "maximum bytes exceeded"}, true},
		{&jetstream.APIError{Code: 503, ErrorCode: errInsufficient, Description: "insufficient resources"}, true},
		{&jetstream.APIError{Code: 500, ErrorCode: errStorageFull, Description: "insufficient storage resources available"}, true},
		{&jetstream.APIError{Code: 400, ErrorCode: 10054, Description: "message size exceeds maximum allowed"}, true},
		{&jetstream.APIError{Code: 503, ErrorCode: 10008, Description: "JetStream system temporarily unavailable"}, false},
		{errors.New("nats: timeout"), false},
	} {
		if got := Refused(fmt.Errorf("adding: %w", c.err)); got != c.want {
			t.Errorf("%v: expected %t, got %t", c.err, c.want, got)
		}
	}
}
