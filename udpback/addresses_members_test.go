package udpback

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// Each address of an expanded name is a server of its own, which comes and goes with
// the name; what waits at one that goes moves to another at once.
func TestExpand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.net.hang = true
		s := f.server(t, "pods", func(c *ServerConfig) {
			c.Address, c.Expand, c.ResolveInterval, c.Health.Check = host, true, 5*time.Second, health.CheckStatusServer
		})
		defer s.Close()
		g := f.group(t, LeastOutstanding, s)
		if !g.Chooses() {
			t.Error("a group of one expanded name does not choose, expected that it does")
		}
		f.net.answering(t, "a", "b", "c")
		early := f.everyKind(t, g) // before the name is known
		pass(4 * time.Second)
		f.net.name(host, "a", "b")
		f.net.set(func() { f.net.hang = false })
		for _, o := range early {
			<-o.ended
			if took := time.Since(f.net.start); !o.answered() || took > 7*time.Second {
				t.Errorf("a %v: %s after %v, expected an answer when the name is known", o.code, o.outcome(), took)
			}
		}
		f.net.answering(t)
		var all []*owner
		for range 100 {
			all = append(all, newOwner(radius.CodeAccountingRequest))
		}
		f.start(t, g, all...)
		if a, b := len(f.net.seen("a:1813")), len(f.net.seen("b:1813")); a < 50 || b < 50 {
			t.Errorf("a got %d requests and b %d, expected half each", a, b)
		}
		if got, want := s.memberNames(), []string{"pods@192.0.2.1", "pods@192.0.2.2"}; !slices.Equal(got, want) {
			t.Errorf("the members are called %q, expected %q", got, want)
		}
		f.net.answering(t, "b", "c")
		f.net.name(host, "b", "c") // a goes, c comes
		before := time.Now()
		for _, o := range all {
			<-o.ended
			if took := time.Since(before); !o.answered() || took > 5*time.Second+time.Millisecond {
				t.Errorf("%s after %v, expected an answer when the name is looked up again", o.outcome(), took)
			}
		}
		pass(time.Minute)
		if n := f.count(t, "radsec_gw_server_outstanding_requests"); n != 0 {
			t.Errorf("%v requests outstanding, expected none", n)
		}
		for _, c := range f.backend.metrics.Servers() {
			if c.Name == "pods" || c.Name == "pods@192.0.2.1" {
				t.Errorf("%s still has counters, expected that they are removed", c.Name)
			}
		}
		f.net.name(host, "a", "b", "c") // and back
		pass(6 * time.Second)
		if n := len(s.memberNames()); n != 3 {
			t.Errorf("%d members, expected 3", n)
		}
	})
}

// memberNames returns what the members are called.
func (s *Server) memberNames() (names []string) {
	for _, m := range *s.members.Load() {
		names = append(names, m.Name)
	}
	return names
}

// A State stays with the member that issued it while others come and go.
// Rules: P66
func TestExpandKeepsConversations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.net.name(host, "b", "c")
		s := f.server(t, "pods", func(c *ServerConfig) {
			c.Address, c.Expand, c.ResolveInterval = host, true, time.Second
		})
		defer s.Close()
		pass(100 * time.Millisecond)
		g := f.group(t, Failover, s)
		f.net.answering(t, "a", "b", "c")
		second := (*s.members.Load())[1]
		g.rememberIssuer(&Exchange{progress: progress{ep: second.endpoint(wire.KindAccess)}}, []byte("state"))
		f.net.name(host, "a", "b", "c")
		pass(2 * time.Second)
		o := newOwner(radius.CodeAccessRequest)
		o.HasState, o.StateHash = true, Hash([]byte("state"))
		f.start(t, g, o)
		<-o.ended
		if server, _, _ := o.Served(); server != second.Name {
			t.Errorf("the second round went to %s, expected %s, which issued the State", server, second.Name)
		}
	})
}

// A reload that changes anything but a server's address and secret leaves its sockets,
// its health and what waits there alone.
func TestReconfigureKeepsHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		config := ServerConfig{}
		a := f.server(t, "a", func(c *ServerConfig) { checked(c); c.CoAPort = 0; config = *c })
		defer a.Close()
		pass(30 * time.Second)
		port := a.endpoint(wire.KindAccess)
		if s := port.health.State(); s != health.Down {
			t.Fatalf("a is %v, expected down", s)
		}
		waiting := newOwner(radius.CodeAccountingRequest)
		f.start(t, f.group(t, Failover, a), waiting)
		config.CoAPort, config.MaxSockets, config.Schedule = 3799, 2, Schedule{Initial: time.Second}
		config.Health.DownAfter, config.Health.UpAfter = 9, 1
		a.Reconfigure(config)
		if a.endpoint(wire.KindAccess) != port || port.health.State() != health.Down {
			t.Errorf("after the reload a is %v, expected the port that is down", a.endpoint(wire.KindAccess).health.State())
		}
		if a.endpoint(wire.KindCoA) == nil {
			t.Error("after the reload a has no CoA port, expected the one that was added")
		}
		f.net.answering(t, "a")
		pass(10 * time.Second)
		<-waiting.ended
		if !waiting.answered() {
			t.Errorf("what waited: %s, expected an answer", waiting.outcome())
		}
		if s := port.health.State(); s != health.Up {
			t.Errorf("a is %v, expected up after one answer, as configured now", s)
		}
		config.AcctPort = 0
		a.Reconfigure(config)
		if a.endpoint(wire.KindAccounting) != nil {
			t.Error("the accounting port is still there, expected that it is gone")
		}
		pass(time.Minute)
		if n := f.backend.sockets.Load(); n != 1 {
			t.Errorf("%d sockets are counted, expected that of the auth port", n)
		}
	})
}

// An address that leaves an expanded name is notified of as that, and not as a server that
// is down: nothing is wrong when pods come and go.
func TestRemovedMemberIsNotAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		var log bytes.Buffer
		f.backend.log = slog.New(slog.NewTextHandler(&log, nil))
		f.net.name(host, "a", "b")
		s := f.server(t, "pods", func(c *ServerConfig) {
			c.Address, c.Expand, c.ResolveInterval = host, true, time.Second
		})
		f.net.answering(t, "a", "b")
		pass(1500 * time.Millisecond)
		f.net.name(host, "b")
		pass(2 * time.Second)
		s.Close()
		if text := log.String(); strings.Contains(text, "level=ERROR") || !strings.Contains(text, "lost an address") {
			t.Errorf("expected one line that says the address is gone, and no error; got\n%s", text)
		}
	})
}

// No more sockets are opened than allowed, however many addresses an expanded name has:
// its requests go to the addresses that have one.
func TestExpandObeysTheLimitOfSockets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.backend.LimitSockets(6)
		var all []string
		for i := range 40 {
			all = append(all, fmt.Sprint("s", i))
		}
		f.net.name(host, all...)
		f.net.answering(t, all...)
		s := f.server(t, "pods", func(c *ServerConfig) {
			c.Address, c.Expand, c.ResolveInterval, c.Health.Check = host, true, 5*time.Second, health.CheckStatusServer
		})
		defer s.Close()
		g := f.group(t, Sticky, s)
		for i := range 200 {
			pass(100 * time.Millisecond)
			o := newOwner([]wire.Code{radius.CodeAccessRequest, radius.CodeAccountingRequest, radius.CodeDisconnectRequest}[i%3])
			o.Key = uint64(i) * 7919
			f.start(t, g, o)
			synctest.Wait()
			if !o.answered() {
				t.Fatalf("request %d: %s, expected an answer at once", i, o.outcome())
			}
			if i%20 == 0 {
				f.backend.Refresh()
			}
			if n := f.backend.sockets.Load(); n > 6+2 { // one for each kind of port at the least
				t.Fatalf("%d sockets are open, expected at most 8", n)
			}
		}
	})
}

var lostAddresses = []struct {
	name  string
	code  wire.Code
	state uint64 // issued there
	down  bool   // both addresses are, before
}{
	{"login", radius.CodeAccessRequest, 0, false},
	{"conversation", radius.CodeAccessRequest, Hash([]byte("state")), false},
	{"login at one that is down", radius.CodeAccessRequest, 0, true},
	{"CoA", radius.CodeCoARequest, 0, false},
}

// When a name loses an address what waits there goes to another at once, if it may: a
// conversation is lost anyhow, and one that has waited for a server that was down has a
// better one now. CoA is left to the end of its schedule. The address is not checked any
// more.
// Rules: P65, P95
func TestAddressGoes(t *testing.T) {
	for _, row := range lostAddresses {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				s := f.pods(t, health.CheckStatusServer, "a", "b")
				defer s.Close()
				g := f.group(t, Failover, s)
				gone := (*s.members.Load())[0]
				g.rememberIssuer(&Exchange{progress: progress{ep: gone.endpoint(wire.KindAccess)}}, []byte("state"))
				f.net.answering(t, "a", "b")
				if row.down {
					f.net.answering(t)
					pass(30 * time.Second)
				}
				pass(2 * time.Second)
				f.net.answering(t, "b", "c")
				o, began := newOwner(row.code), time.Now()
				o.HasState, o.StateHash = row.state != 0, row.state
				if row.down {
					f.net.answering(t, "c")
				}
				f.start(t, g, o)
				f.net.name(host, "b", "c")
				if row.down {
					f.net.name(host, "c")
				}
				pass(1100 * time.Millisecond) // it is looked up again
				if want := row.code == radius.CodeAccessRequest; o.answered() != want {
					t.Errorf("%s, expected it answered elsewhere %t", o.outcome(), want)
				}
				before := time.Now()
				<-o.ended
				if took := time.Since(began); row.code == radius.CodeCoARequest && (o.fails[0] != FailSilent || took < 30*time.Second-sweepGrain) {
					t.Errorf("%s after %v, expected silence for 30s", o.outcome(), took)
				}
				pass(20 * time.Second)
				if n := f.net.sentTo("a:1812", before); n != 0 {
					t.Errorf("%d datagrams to the address that is gone, expected none", n)
				}
				f.net.name(host, "d") // another goes, a while later
				pass(20 * time.Second)
				if slices.Contains(s.removedMembers, gone) || len(s.removedMembers) == 0 {
					t.Errorf("%d members wait to be closed, expected those that have just gone", len(s.removedMembers))
				}
				last := s.removedMembers[0].endpoint(wire.KindAccess)
				s.Close()
				if !last.sockets.isClosed() || !gone.endpoint(wire.KindAccess).sockets.isClosed() {
					t.Error("a member whose address is gone is not closed, expected that it is")
				}
				pass(time.Minute)
			})
		})
	}
}
