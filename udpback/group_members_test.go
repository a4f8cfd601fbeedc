package udpback

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// The members of a group are listed again when they change, and not before. There is one
// server for each address, and at most as many as an exchange has bits.
func TestMembersOfAGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, pods := f.server(t, "a", nil), f.pods(t, health.CheckNone, "b")
		defer a.Close()
		defer pods.Close()
		fixed, g := f.group(t, Failover, a), f.group(t, Failover, a, pods)
		was, known := fixed.current(), g.current()
		if n := len(known.servers); n != 2 || known.servers[1].Name != "pods@192.0.2.2" {
			t.Errorf("%d servers, the last %s; expected a and the one address of pods", n, known.servers[n-1].Name)
		}
		f.net.name(host, "b", "c")
		pass(2 * time.Second)
		if n := len(g.current().servers); n != 3 {
			t.Errorf("%d servers, expected 3: pods has two addresses now", n)
		}
		now := g.current()
		if now == known || g.current() != now || fixed.current() != was {
			t.Error("expected the group made anew once, since a name of it has changed, and the other as it was")
		}
		if known.servers[1] != now.servers[1] {
			t.Error("the first address of pods is another server than before, expected the same")
		}
		var many []string
		for i := range MaxServers {
			many = append(many, fmt.Sprint("s", i))
		}
		f.net.name(host, many...)
		pass(2 * time.Second)
		if m := g.current(); len(m.servers) != MaxServers || len(m.weights) != MaxServers {
			t.Errorf("%d servers and %d weights, expected the %d that a group can hold", len(m.servers), len(m.weights), MaxServers)
		}
	})
}

// A name with as many addresses as a group can hold is used whole, and one with more is
// reported.
func TestNameWithTooManyAddresses(t *testing.T) {
	for n, warns := range map[int]bool{MaxServers: false, MaxServers + 1: true} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			var log bytes.Buffer
			f.backend.log = slog.New(slog.NewTextHandler(&log, nil))
			var all []string
			for i := range n {
				all = append(all, fmt.Sprint("s", i))
			}
			s := f.pods(t, health.CheckNone, all...)
			if got := len(*s.members.Load()); got != MaxServers {
				t.Errorf("%d addresses: %d are used, expected %d", n, got, MaxServers)
			}
			s.Close()
			if got := strings.Contains(log.String(), "more addresses than a group can hold"); got != warns {
				t.Errorf("%d addresses: told of %t, expected %t", n, got, warns)
			}
		})
	}
}

// What a request has tried, and who has declined it, follows the servers when others come
// and go.
func TestUpdateMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.pods(t, health.CheckNone, "a", "b", "c", "d")
		defer s.Close()
		g := f.group(t, Failover, s)
		old := g.current()
		f.net.name(host, "b", "c", "d", "e")
		pass(2 * time.Second)
		if n := old.bit(g.current().servers[3]); n != 0 {
			t.Errorf("the bit of a server that is no member is %b, expected 0", n)
		}
		for before, after := range map[uint64]uint64{0: 0, 0b0001: 0, 0b0010: 0b0001, 0b0100: 0b0010, 0b1000: 0b0100, 0b1010: 0b0101, 0b0101: 0b0010, 0b1111: 0b0111} {
			ex := &Exchange{progress: progress{members: old, tried: before, declined: 0b1111 &^ before}}
			g.updateMembers(ex)
			if declined := 0b0111 &^ after; ex.members != g.current() || ex.tried != after || ex.declined != declined {
				t.Errorf("tried %04b: then %04b and declined %04b, expected %04b and %04b", before, ex.tried, ex.declined, after, declined)
			}
			g.updateMembers(ex)
			if ex.tried != after {
				t.Errorf("tried %04b: then %04b when nothing has changed, expected %04b", before, ex.tried, after)
			}
		}
		ex := &Exchange{Kind: wire.KindAccess, progress: progress{members: old, ep: old.servers[1].endpoint(wire.KindAccess), tried: 0b1010}}
		for _, m := range g.current().servers {
			m.endpoint(wire.KindAccess).outstanding.Store(m.endpoint(wire.KindAccess).capacity())
		}
		batch := f.backend.AcquireBatch()
		defer f.backend.ReleaseBatch(batch)
		if err := g.moveToServer(ex, batch, health.Up); err == nil || ex.tried != 0b0101 {
			t.Errorf("relaunch where all are full: %v, tried %04b; expected an error, and 0101 as the servers are numbered now", err, ex.tried)
		}
		for _, m := range g.current().servers {
			m.endpoint(wire.KindAccess).outstanding.Store(0)
		}
	})
}

// A server that came after a request was sent takes it when the first one declines.
// Rules: P97
func TestDeclinedGoesToANewMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.pods(t, health.CheckNone, "a")
		defer s.Close()
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, f.group(t, Failover, s), o)
		f.net.name(host, "a", "b")
		pass(1500 * time.Millisecond)
		f.net.answering(t, "b")
		first := f.net.seen("a:1812")[0]
		f.net.sockets[first.socket].in <- protocolError(first.octets, 502-256)
		synctest.Wait()
		if !o.answered() {
			t.Errorf("%s, expected the answer of the server that has come", o.outcome())
		}
	})
}
