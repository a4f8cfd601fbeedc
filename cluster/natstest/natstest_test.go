package natstest

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

func TestMain(m *testing.M) {
	Serve()
	os.Exit(m.Run())
}

// What a cluster has stored is there after one server was killed, and after all were
// killed at once.
func TestCluster(t *testing.T) {
	c := Start(t, 3)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	js, err := jetstream.New(c.Connect())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "s", Subjects: []string{"s"}, Replicas: 3}); err != nil {
		t.Fatal(err)
	}
	sent := uint64(0)
	publish := func() {
		t.Helper()
		for ctx.Err() == nil {
			one, cancel := context.WithTimeout(ctx, time.Second)
			ack, err := js.Publish(one, "s", []byte("x"))
			cancel()
			if err == nil {
				if sent++; ack.Sequence < sent {
					t.Fatalf("expected at least sequence %d, got %d", sent, ack.Sequence)
				}
				return
			}
		}
		t.Fatal("nothing can be stored")
	}
	publish()
	c.Kill(1)
	publish()
	c.Restart(1)
	c.Await()
	c.KillAll()
	c.RestartAll()
	publish()
	c.Suspend(0)
	c.Resume(0)
	publish()
}
