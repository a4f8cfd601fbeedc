package udpback

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// Who gets an Identifier where most are taken: a request with State longer than one
// without, and none when all are.
// Rules: P26
func TestAdmit(t *testing.T) {
	for _, row := range []struct {
		name        string
		code        wire.Code
		state       uint64
		sockets     int
		outstanding int64
		want        error
	}{
		{"plenty is free", radius.CodeAccessRequest, 0, 1, 239, nil},
		{"the last sixteen of 256", radius.CodeAccessRequest, 0, 1, 240, ErrNoIdentifier},
		{"the last sixteen of 256, with State", radius.CodeAccessRequest, 1, 1, 240, nil},
		{"the last sixteen of 256, accounting", radius.CodeAccountingRequest, 0, 1, 240, nil},
		{"the last 64th of many", radius.CodeAccessRequest, 0, 64, 16384 - 256, ErrNoIdentifier},
		{"before the last 64th of many", radius.CodeAccessRequest, 0, 64, 16384 - 257, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			s := f.server(t, "a", func(c *ServerConfig) { c.MaxSockets = row.sockets })
			defer s.Close()
			ex := &Exchange{Code: row.code, Kind: wire.KindOf(row.code), State: row.state}
			e := s.end(ex.Kind)
			e.outstanding.Store(row.outstanding)
			if _, err := e.admit(ex); !errors.Is(err, row.want) {
				t.Errorf("%s: %v, expected %v", row.name, err, row.want)
			}
			if row.want != nil {
				if _, err := e.park(ex); !errors.Is(err, row.want) {
					t.Errorf("%s: parking it gives %v, expected %v", row.name, err, row.want)
				}
			}
			ex.Share = new(Share)
			if held, err := e.admit(ex); err == nil && held != ex.Share.at(e) {
				t.Errorf("%s: another's holding", row.name)
			}
			ex.Share.at(e).add(row.outstanding)
			if _, err := e.admit(ex); row.outstanding >= e.capacity()*3/4 && err == nil {
				t.Errorf("%s: a client that holds all of these got one more", row.name)
			}
			e.outstanding.Store(0)
		})
	}
}

// For a second after the network has said that it cannot get there a port ranks as down,
// and so it does while its server has no address.
// Rules: P84
func TestRank(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", func(c *ServerConfig) { c.Health.Check = health.CheckStatusServer })
		defer s.Close()
		e := s.end(wire.KindAccess)
		if got := e.rank(); got != health.Up {
			t.Errorf("%v at first, expected up", got)
		}
		e.health.Refused()
		if got := e.rank(); got != health.Suspect {
			t.Errorf("%v after a refusal, expected suspect", got)
		}
		e.health.Answered(f.back.Now(), time.Millisecond)
		e.blockedAt.Store(int64(f.back.Now()))
		if got := e.rank(); got != health.Down {
			t.Errorf("%v when it is blocked, expected down", got)
		}
		pass(blockedFor - 1)
		if got := e.rank(); got != health.Down {
			t.Errorf("%v nearly a second later, expected down", got)
		}
		pass(1)
		if got := e.rank(); got != health.Up {
			t.Errorf("%v a second later, expected up", got)
		}
		s.addresses.Store(new(addresses))
		if got := e.rank(); got != health.Down {
			t.Errorf("%v without an address, expected down", got)
		}
		if got, want := e.where(), s.host+" (no address)"; got != want {
			t.Errorf("without an address it is at %q, expected %q", got, want)
		}
	})
}

// Which check fits which port.
// Rules: P81
func TestProbeCode(t *testing.T) {
	for _, row := range []struct {
		check health.Check
		label string
		want  wire.Code
	}{
		{health.CheckStatusServer, "auth", radius.CodeStatusServer},
		{health.CheckStatusServer, "acct", radius.CodeStatusServer},
		{health.CheckStatusServer, "coa", 0},
		{health.CheckAccessRequest, "auth", radius.CodeAccessRequest},
		{health.CheckAccessRequest, "acct", 0},
		{health.CheckAccessRequest, "coa", 0},
		{health.CheckNone, "auth", 0},
	} {
		if got := probeCode(row.check, row.label); got != row.want {
			t.Errorf("check %v of %s sends %v, expected %v", row.check, row.label, got, row.want)
		}
		want := row.check
		if row.want == 0 {
			want = health.CheckNone
		}
		if got := healthOf(health.Config{Check: row.check}, row.label).Check; got != want {
			t.Errorf("check %v of %s is %v, expected %v", row.check, row.label, got, want)
		}
	}
}

// A closed port gives nothing out, not for what would be parked either, and opens no
// socket.
func TestClosedPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		e := s.end(wire.KindAccess)
		s.Close()
		ex := &newOwner(radius.CodeAccessRequest).Exchange
		if _, err := e.reserve(ex); !errors.Is(err, ErrNoIdentifier) {
			t.Errorf("reserve: %v, expected ErrNoIdentifier", err)
		}
		if _, err := e.park(ex); !errors.Is(err, ErrNoSocket) {
			t.Errorf("park: %v, expected ErrNoSocket", err)
		}
		if !e.isClosed() {
			t.Error("it says that it is open")
		}
		if n := len(f.net.sockets); n != 0 {
			t.Errorf("%d sockets were opened, expected none", n)
		}
	})
}
