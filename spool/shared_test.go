package spool

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"radsec-gw/cluster/natstest"
	"radsec-gw/spool/stream"
)

// natsBed returns a spool in a stream of NATS servers.
func natsBed(t testing.TB, c *natstest.Cluster, replicas int) *bed {
	t.Helper()
	b := closedBed(t, "", roomy)
	conn := c.Connect()
	cfg := b.cfg
	cfg.Stream = &stream.Config{Connect: func(context.Context) (*nats.Conn, error) { return conn, nil }, Prefix: "radsec-gw", Replicas: replicas, Log: cfg.Log}
	b.Spool = New(cfg)
	b.owner.set(silent)
	b.Start(t.Context())
	b.until("the stream to be opened", func() bool { return b.State().Err == nil })
	return b
}

// until waits until a condition holds.
func (b *bed) until(what string, ok func() bool) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			b.t.Fatalf("expected %s; log:\n%s", what, b.text)
		}
	}
}

// With three gateways and three NATS servers, every record is sent that was acknowledged, after
// the gateway that led was lost with its disk, and one NATS server was killed; those of a session
// in their order.
//
// Rules: GW4, SP9, SP5
func TestGatewayIsLostWithItsDisk(t *testing.T) {
	t.Parallel()
	c := natstest.Start(t, 3)
	var all []*bed
	for range 3 {
		all = append(all, natsBed(t, c, 3))
	}
	var leader *bed
	all[0].until("one to lead", func() bool {
		i := slices.IndexFunc(all, func(b *bed) bool { return b.metric("leads", "") == 1 })
		if i >= 0 {
			leader = all[i]
		}
		return i >= 0
	})
	var sent []string
	for i := range 60 { // the three records of a session come to three gateways
		for k, status := range []int{start, interim, stop} {
			s := sample{fmt.Sprint("s", i), status, 0}
			b := all[(i+k)%3]
			b.add(s)
			b.until(s.String()+" to be acknowledged", func() bool { return slices.Contains(b.owner.acknowledged(), s.String()) })
			sent = append(sent, s.String())
		}
	}
	leader.close()
	if err := os.RemoveAll(leader.cfg.Directory); err != nil {
		t.Fatal(err)
	}
	c.Kill(1)
	others := slices.DeleteFunc(slices.Clone(all), func(b *bed) bool { return b == leader })
	var got []string
	for _, b := range others {
		b.owner.transmissions()
		b.owner.set(answering)
		b.SendNow()
	}
	others[0].until("all records to be sent", func() bool {
		for _, b := range others {
			got = append(got, b.owner.names()...)
		}
		return len(got) >= len(sent)
	})
	wantInOrder(t, sent, got)
	for _, b := range others {
		b.until("nothing to be left", func() bool { return b.State().Records == 0 })
		b.until("nothing to be left in the stream", func() bool { return b.inStore() == 0 })
	}
}

// wantInOrder expects every record to be sent, the three of a session in their order.
func wantInOrder(t *testing.T, want, got []string) {
	t.Helper()
	place := map[string]int{}
	for i, name := range got {
		if _, ok := place[name]; !ok {
			place[name] = i
		}
	}
	for i, name := range want {
		at, ok := place[name]
		if !ok {
			t.Errorf("expected %s to be sent", name)
		} else if i%3 > 0 && at < place[want[i-1]] {
			t.Errorf("expected %s to be sent after %s", name, want[i-1])
		}
	}
}

// While the NATS servers are gone nothing is acknowledged; when they are back all is as before,
// without a restart of the gateway.
//
// Rules: GW2, GW4, SP10
func TestServersOfTheSpoolAreGone(t *testing.T) {
	t.Parallel()
	c := natstest.Start(t, 1)
	b := natsBed(t, c, 1)
	b.add(s1Start)
	b.until("a record to be acknowledged", func() bool { return slices.Contains(b.owner.acknowledged(), "s1/start") })
	c.KillAll()
	b.add(s1Stop)
	b.until("a record to be refused", func() bool { return slices.Contains(b.owner.acknowledged(), "s1/stop: disk") })
	c.RestartAll()
	b.until("a record to be acknowledged again", func() bool {
		if b.Add(b.entry(s2Start)) != nil {
			return false
		}
		b.until("an answer", func() bool { return b.State().Waiting == 0 })
		return slices.Contains(b.owner.acknowledged(), "s2/start")
	})
	b.owner.set(answering)
	b.SendNow()
	b.until("all to be sent", func() bool { return b.State().Records == 0 })
	if got := b.owner.names(); !slices.Contains(got, "s1/start") || !slices.Contains(got, "s2/start") {
		t.Errorf("expected both records to be sent, got %q", got)
	}
}
