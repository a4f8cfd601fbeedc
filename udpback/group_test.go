package udpback

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/config/defaults"
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
			if g, err := f.backend.NewGroup(GroupConfig{}, servers[:n]...); (err == nil) != ok || (g != nil) != ok {
				t.Errorf("a group of %d servers: %v, expected it made %t", n, err, ok)
			}
		}
		g, err := f.backend.NewGroup(GroupConfig{}, servers[:2]...)
		if err != nil {
			t.Fatal(err)
		}
		if g.moveAfter != defaults.MoveOnAfter || g.patience != defaults.Patience || !g.Chooses() {
			t.Errorf("moves after %d, patience %v, chooses %t; expected the defaults, and a choice", g.moveAfter, g.patience, g.Chooses())
		}
		g, err = f.backend.NewGroup(GroupConfig{MoveAfter: 7, Patience: time.Minute}, servers[:1]...)
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
		want := f.backend.Now() + 20*time.Second
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
		if now := f.backend.Now(); now < want-sweepGrain || now > want+sweepGrain {
			t.Errorf("it ended at %v, expected %v", now, want)
		}
	})
}

// An attempt to move that finds no Identifier leaves what the request has tried as it
// was: the server may have one the next time.
// Rules: P26, P65
func TestMoveToServerThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", func(c *ServerConfig) { c.MaxSockets = 1 })
		defer a.Close()
		defer b.Close()
		g := f.group(t, Failover, a, b)
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, g, o)
		b.endpoint(wire.KindAccess).outstanding.Store(256)
		batch := f.backend.AcquireBatch()
		defer f.backend.ReleaseBatch(batch)
		for _, tried := range []uint64{1, 3} { // 3: it has been at b, which is no better
			o.tried = tried
			if err := g.moveToServer(&o.Exchange, batch, health.Up); !errors.Is(err, ErrNoIdentifier) {
				t.Errorf("relaunch: %v, expected ErrNoIdentifier", err)
			}
			if o.tried != tried {
				t.Errorf("tried %b after the attempt, expected %b as before", o.tried, tried)
			}
		}
		b.endpoint(wire.KindAccess).outstanding.Store(0)
		o.tried = 1
		if err := g.moveToServer(&o.Exchange, batch, health.Up); err != nil || o.tried != 3 || o.ep.server != b {
			t.Errorf("relaunch: %v, tried %b; expected that it goes to b", err, o.tried)
		}
		o.Cancel()
		batch.Flush()
	})
}

// Where a request goes that its server declines or leaves unanswered: to one that it has
// not had, or else back to one that it has left and that is in a better state, but to none
// that has declined it.
// Rules: P65, P97
func TestMoveToServer(t *testing.T) {
	const up, suspect, failing = health.Up, health.Suspect, health.Failing
	for _, row := range []struct {
		name            string
		states          [3]health.State // the request is at the first
		tried, declined uint64
		want            string // "": nowhere
	}{
		{"one untried", [3]health.State{up, up, up}, 0b011, 0, "c"},
		{"one untried in a worse state", [3]health.State{up, up, suspect}, 0b011, 0, ""},
		{"back to one in a better state", [3]health.State{suspect, up, suspect}, 0b111, 0, "b"},
		{"back to one that is a little better", [3]health.State{failing, suspect, failing}, 0b111, 0, "b"},
		{"not back to one that is as good", [3]health.State{up, up, up}, 0b111, 0, ""},
		{"not back to one that is as bad", [3]health.State{suspect, suspect, suspect}, 0b111, 0, ""},
		{"back, but not to the one that has declined", [3]health.State{suspect, up, up}, 0b111, 0b010, "c"},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			var servers []*Server
			for i, name := range []string{"a", "b", "c"} {
				s := f.server(t, name, checked)
				defer s.Close()
				f.bring(t, s, row.states[i])
				servers = append(servers, s)
			}
			g := f.group(t, Failover, servers...)
			ex := &newOwner(radius.CodeAccessRequest).Exchange
			ex.reset(g, f.backend.Now())
			ex.members, ex.ep, ex.tried, ex.declined = g.current(), servers[0].endpoint(wire.KindAccess), row.tried, row.declined
			batch, got := f.backend.AcquireBatch(), ""
			defer f.backend.ReleaseBatch(batch)
			if g.moveToServer(ex, batch, row.states[0]) == nil {
				got = ex.ep.server.Name
			} else if ex.tried != row.tried {
				t.Errorf("%s: tried %b after it went nowhere, expected %b as before", row.name, ex.tried, row.tried)
			}
			if got != row.want {
				t.Errorf("%s: it goes to %q, expected %q", row.name, got, row.want)
			}
			batch.Flush()
			ex.Cancel()
		})
	}
}

// When an owner cannot write its request, Start returns the error, even if no socket can
// be opened; a request that moves stays where it was.
func TestWriteFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", nil)
		defer a.Close()
		g := f.group(t, Failover, a)
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, g, o)
		o.writeErr = errTest
		pass(3 * time.Second)
		a.endpoint(wire.KindAccess).sockets.renew(true)
		<-o.ended
		if took := time.Since(f.net.start); o.outcome() != "replies [] fails [0]" || took < 30*time.Second-sweepGrain {
			t.Errorf("%s after %v, expected silence for 30s", o.outcome(), took)
		}
		if o.writes < 2 {
			t.Error("it was not to move, expected an attempt")
		}
		f.net.set(func() { f.net.noWay["a:1813"] = syscall.EMFILE })
		p, b := newOwner(radius.CodeAccountingRequest), f.backend.AcquireBatch()
		defer f.backend.ReleaseBatch(b)
		p.writeErr = errTest
		if err := g.Start(&p.Exchange, b); !errors.Is(err, errTest) {
			t.Errorf("Start: %v, expected what Write returned", err)
		}
		pass(time.Minute)
		if n := f.count(t, "radsec_gw_server_outstanding_requests"); n != 0 {
			t.Errorf("%v requests outstanding, expected none", n)
		}
	})
}

// A request that only tries a server, and goes to another of its sockets, waits there like
// any other.
func TestTryEndsOnAnotherSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.server(t, "a", nil)
		defer a.Close()
		g := f.group(t, Failover, a)
		o := newOwner(radius.CodeAccessRequest)
		o.reset(g, f.backend.Now())
		o.trying = true
		batch := f.backend.AcquireBatch()
		defer f.backend.ReleaseBatch(batch)
		if err := g.moveToSocket(&o.Exchange, batch, a.endpoint(wire.KindAccess)); err != nil || o.trying {
			t.Errorf("relaunchAt: %v, try %t; expected none", err, o.trying)
		}
		batch.Flush()
		o.Cancel()
	})
}
