package udpback

import (
	"bytes"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// sentTo counts what was sent to a port since a moment.
func (n *network) sentTo(address string, since time.Time) (count int) {
	for _, tr := range n.seen(address) {
		if tr.at >= since.Sub(n.start) {
			count++
		}
	}
	return count
}

// pods returns a server of a name whose addresses are servers of their own, and are known.
func (f *fixture) pods(t *testing.T, check health.Check, members ...string) *Server {
	f.net.name(host, members...)
	s := f.server(t, "pods", func(c *ServerConfig) {
		c.Address, c.Expand, c.ResolveInterval, c.Health.Check = host, true, time.Second, check
	})
	pass(100 * time.Millisecond)
	return s
}

// A port that a reload takes away is not checked any more, whether its server was
// configured or is an address of an expanded name; what waits there is left to the end of
// its schedule.
func TestPortThatIsRemoved(t *testing.T) {
	for _, expand := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			s, member := f.server(t, "a", checked), (*Server)(nil)
			if member = s; expand {
				s.Close()
				s = f.pods(t, health.CheckStatusServer, "a")
				member = (*s.members.Load())[0]
			}
			defer s.Close()
			pass(10 * time.Second)
			acct, coa := member.endpoint(wire.KindAccounting), member.endpoint(wire.KindCoA)
			waiting := newOwner(radius.CodeAccountingRequest)
			f.start(t, f.group(t, Failover, s), waiting)
			c, before := s.config, time.Now()
			c.AcctPort = 0
			s.Reconfigure(c)
			pass(10 * time.Second)
			checks := 0
			for _, tr := range f.net.seen("a:1813") {
				if tr.at >= before.Sub(f.net.start) && tr.octets[0] == byte(radius.CodeStatusServer) {
					checks++
				}
			}
			if checks != 0 || member.endpoint(wire.KindAccounting) != nil {
				t.Errorf("expand %t: %d checks of a port after it was taken away, expected none", expand, checks)
			}
			c.CoAPort = 0 // another, a while later
			s.Reconfigure(c)
			<-waiting.ended
			if took := time.Since(before); waiting.fails[0] != FailSilent || took < 30*time.Second-sweepGrain {
				t.Errorf("expand %t: what waited there: %s after %v, expected silence for 30s", expand, waiting.outcome(), took)
			}
			pass(2 * time.Second)
			if !acct.sockets.isClosed() || coa.sockets.isClosed() || len(member.removed) != 1 || member.removed[0] != coa {
				t.Errorf("expand %t: after the schedule the accounting port is closed %t, that for CoA %t, and %d wait to be; expected only the last to wait", expand, acct.sockets.isClosed(), coa.sockets.isClosed(), len(member.removed))
			}
			s.Close()
			if !coa.sockets.isClosed() {
				t.Errorf("expand %t: the server is closed and a port that has left it is not", expand)
			}
			s.Reconfigure(ServerConfig{Name: s.Name, Address: s.host, Secret: s.secret, AcctPort: 1813})
			if s.endpoint(wire.KindAccounting) != nil {
				t.Errorf("expand %t: a server that is closed has got a port, expected none", expand)
			}
			pass(time.Minute) // what was to be closed later is closed already
		})
	}
}

// A reload that finds an expanded name's addresses known makes no port for the whole.
func TestReconfigureOfAnExpandedName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.pods(t, health.CheckNone, "a", "b")
		defer s.Close()
		for _, m := range *s.members.Load() {
			if m.ID() != s.ID() {
				t.Errorf("%s has the number %d, expected %d, which that of the name is", m.Name, m.ID(), s.ID())
			}
		}
		c := s.config
		c.Health.UpAfter = 7
		s.Reconfigure(c)
		if n := len(s.endpoints()); n != 0 {
			t.Errorf("the whole has %d ports, expected none", n)
		}
		if got := (*s.members.Load())[1].endpoint(wire.KindAccess).health.Config().UpAfter; got != 7 {
			t.Errorf("a member comes back after %d replies, expected 7 as configured now", got)
		}
	})
}

// A server that is retired is not checked, nor are its members, and counts no more.
func TestRetire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, pods := f.server(t, "a", checked), f.pods(t, health.CheckStatusServer, "b")
		defer a.Close()
		defer pods.Close()
		f.net.answering(t, "a")
		pass(10 * time.Second)
		for _, name := range []string{"a", "pods@192.0.2.2"} {
			if !f.backend.InUse(name) {
				t.Errorf("%s does not count, expected that it does", name)
			}
		}
		a.Retire()
		pods.Retire()
		before := time.Now()
		pass(2 * time.Minute)
		for _, port := range []string{"a:1812", "a:1813", "b:1812", "b:1813"} {
			if n := f.net.sentTo(port, before); n != 0 {
				t.Errorf("%d checks of %s after its server was retired, expected none", n, port)
			}
		}
		for _, name := range []string{"a", "pods", "pods@192.0.2.2"} {
			if f.backend.InUse(name) {
				t.Errorf("%s still counts after it was retired", name)
			}
		}
	})
}

// What an expanded name counts before it is known is ignored a while after, and its
// ports are not checked; what others count stays.
func TestInUseOfTheWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		var log bytes.Buffer
		f.backend.log = slog.New(slog.NewTextHandler(&log, nil))
		a := f.server(t, "a", nil)
		defer a.Close()
		f.net.hang = true
		s := f.pods(t, health.CheckStatusServer, "b", "c")
		pass(4 * time.Second)
		port := s.endpoint(wire.KindAccess)
		f.net.set(func() { f.net.hang = false })
		pass(10 * time.Second)
		checkedAt := port.checkedAt.Load()
		pass(15 * time.Second)
		if port.checkedAt.Load() != checkedAt {
			t.Error("the whole is still checked after its addresses are known")
		}
		pass(time.Minute)
		names := map[string]bool{}
		for _, c := range f.backend.metrics.Servers() {
			names[c.Name] = true
		}
		if names["pods"] || !names["a"] || !names["pods@192.0.2.2"] || !names["pods@192.0.2.3"] {
			t.Errorf("counted are %v, expected a and each address of pods", names)
		}
		s.Close()
		if n := bytes.Count(log.Bytes(), []byte("has a further address")); n != 2 {
			t.Errorf("%d further addresses were told of, expected 2\n%s", n, &log)
		}
	})
}
