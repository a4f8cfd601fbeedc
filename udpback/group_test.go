package udpback

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// How many servers a group may have, and what it does when it is not told.
func TestNewGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		var servers []*Server
		for i := range MaxServers + 1 {
			s := f.server(t, fmt.Sprint("s", i), nil)
			defer s.Close()
			servers = append(servers, s)
		}
		for n, ok := range map[int]bool{0: false, 1: true, MaxServers: true, MaxServers + 1: false} {
			if g, err := f.back.NewGroup(GroupConfig{}, servers[:n]...); (err == nil) != ok || (g != nil) != ok {
				t.Errorf("a group of %d servers: %v, expected it made %t", n, err, ok)
			}
		}
		g, err := f.back.NewGroup(GroupConfig{}, servers[:2]...)
		if err != nil {
			t.Fatal(err)
		}
		if g.moveAfter != DefaultMoveAfter || g.patience != DefaultPatience || !g.Chooses() {
			t.Errorf("moves after %d, patience %v, chooses %t; expected the defaults, and a choice", g.moveAfter, g.patience, g.Chooses())
		}
		g, err = f.back.NewGroup(GroupConfig{MoveAfter: 7, Patience: time.Minute}, servers[:1]...)
		if err != nil {
			t.Fatal(err)
		}
		if g.moveAfter != 7 || g.patience != time.Minute || g.Chooses() {
			t.Errorf("moves after %d, patience %v, chooses %t; expected 7, 1m, and no choice", g.moveAfter, g.patience, g.Chooses())
		}
	})
}

// The one schedule of a request is that of its first server, from when it was started.
// Rules: P65
func TestDeadlineOfTheFirstServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", func(c *ServerConfig) { c.Schedule.Duration = 20 * time.Second })
		b := f.server(t, "b", nil)
		defer a.Close()
		defer b.Close()
		pass(5 * time.Second)
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, f.group(t, Failover, a, b), o)
		want := f.back.Now() + 20*time.Second
		if o.deadline != want {
			t.Errorf("the deadline is %v, expected %v", o.deadline, want)
		}
		pass(12 * time.Second)
		if len(f.net.seen("b:1812")) == 0 {
			t.Fatal("the request has not moved")
		}
		if o.deadline != want {
			t.Errorf("the deadline is %v after the move, expected %v as before", o.deadline, want)
		}
		<-o.ended
		if now := f.back.Now(); now < want-sweepGrain || now > want+sweepGrain {
			t.Errorf("it ended at %v, expected %v", now, want)
		}
	})
}

// An attempt to move that finds no Identifier leaves what the request has tried as it
// was: the server may have one the next time.
// Rules: P26, P65
func TestRelaunchThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", func(c *ServerConfig) { c.MaxSockets = 1 })
		defer a.Close()
		defer b.Close()
		g := f.group(t, Failover, a, b)
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, g, o)
		b.end(wire.KindAccess).outstanding.Store(256)
		batch := f.back.Borrow()
		defer f.back.GiveBack(batch)
		for _, tried := range []uint64{1, 3} { // 3: it has been at b, which is no better
			o.tried = tried
			if err := g.relaunch(&o.Exchange, batch, health.Up); !errors.Is(err, ErrNoIdentifier) {
				t.Errorf("relaunch: %v, expected ErrNoIdentifier", err)
			}
			if o.tried != tried {
				t.Errorf("tried %b after the attempt, expected %b as before", o.tried, tried)
			}
		}
		b.end(wire.KindAccess).outstanding.Store(0)
		o.tried = 1
		if err := g.relaunch(&o.Exchange, batch, health.Up); err != nil || o.tried != 3 || o.end.server != b {
			t.Errorf("relaunch: %v, tried %b; expected that it goes to b", err, o.tried)
		}
		o.Cancel()
		batch.Flush()
	})
}
