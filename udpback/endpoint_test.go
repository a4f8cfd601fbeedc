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
		state       bool
		sockets     int
		outstanding int64
		want        error
	}{
		{"plenty is free", radius.CodeAccessRequest, false, 1, 239, nil},
		{"the last sixteen of 256", radius.CodeAccessRequest, false, 1, 240, ErrNoIdentifier},
		{"the last sixteen of 256, with State", radius.CodeAccessRequest, true, 1, 240, nil},
		{"the last sixteen of 256, accounting", radius.CodeAccountingRequest, false, 1, 240, nil},
		{"the last 64th of many", radius.CodeAccessRequest, false, 64, 16384 - 256, ErrNoIdentifier},
		{"before the last 64th of many", radius.CodeAccessRequest, false, 64, 16384 - 257, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			s := f.server(t, "a", func(c *ServerConfig) { c.MaxSockets = row.sockets })
			defer s.Close()
			ex := &Exchange{Code: row.code, Kind: wire.KindOf(row.code), HasState: row.state}
			e := s.endpoint(ex.Kind)
			e.outstanding.Store(row.outstanding)
			if _, err := e.admit(ex); !errors.Is(err, row.want) {
				t.Errorf("%s: %v, expected %v", row.name, err, row.want)
			}
			if row.want != nil {
				if _, err := e.sockets.park(ex); !errors.Is(err, row.want) {
					t.Errorf("%s: parking it gives %v, expected %v", row.name, err, row.want)
				}
			}
			ex.Quota = new(Quota)
			if u, err := e.admit(ex); err == nil && u != ex.Quota.at(e) {
				t.Errorf("%s: another client's usage", row.name)
			}
			ex.Quota.at(e).add(row.outstanding)
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
		e := s.endpoint(wire.KindAccess)
		if got := e.rank(); got != health.Up {
			t.Errorf("%v at first, expected up", got)
		}
		if got := e.metrics.Address(); got != "192.0.2.1:1812" {
			t.Errorf("the status page shows %q at first, expected its address", got)
		}
		e.health.Refused()
		if got := e.rank(); got != health.Suspect {
			t.Errorf("%v after a refusal, expected suspect", got)
		}
		e.health.Answered(f.backend.Now(), time.Millisecond)
		e.unreachableAt.Store(int64(f.backend.Now()))
		if got := e.rank(); got != health.Down {
			t.Errorf("%v when it is blocked, expected down", got)
		}
		pass(unreachableFor - 1)
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
		if got, want := e.addressText(), s.host+" (no address)"; got != want {
			t.Errorf("without an address it is at %q, expected %q", got, want)
		}
	})
}

// A closed port gives nothing out, not for what would be parked either, and opens no
// socket.
func TestClosedPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		e := s.endpoint(wire.KindAccess)
		s.Close()
		ex := &newOwner(radius.CodeAccessRequest).Exchange
		if _, err := e.reserve(ex); !errors.Is(err, ErrNoIdentifier) {
			t.Errorf("reserve: %v, expected ErrNoIdentifier", err)
		}
		if _, err := e.sockets.park(ex); !errors.Is(err, ErrNoSocket) {
			t.Errorf("park: %v, expected ErrNoSocket", err)
		}
		if !e.sockets.isClosed() {
			t.Error("it says that it is open")
		}
		if n := len(f.net.sockets); n != 0 {
			t.Errorf("%d sockets were opened, expected none", n)
		}
	})
}

// A port answers at its address when something has verified from there, and it is up or
// has answered its last check; it is fine when it is up besides.
// Rules: P84
func TestAnswersAtAddress(t *testing.T) {
	const taken = 100 * time.Second // when the address was
	for _, row := range []struct {
		name              string
		heard             time.Duration // when anything last verified; 0: never
		suspect           bool
		checked           time.Duration // when the last check was sent; 0: never
		answers, provenUp bool
	}{
		{name: "nothing was heard"},
		{name: "heard at the address before", heard: taken - 1},
		{name: "heard", heard: taken, answers: true, provenUp: true},
		{name: "heard, and checked since", heard: taken, checked: 2 * taken, answers: true, provenUp: true},
		{name: "suspect, never checked", heard: taken, suspect: true},
		{name: "suspect, and heard since the check", heard: 2 * taken, suspect: true, checked: 2*taken - 1, answers: true},
		{name: "suspect, and heard with the check", heard: 2 * taken, suspect: true, checked: 2 * taken, answers: true},
		{name: "suspect, and heard before the check", heard: 2 * taken, suspect: true, checked: 2*taken + 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			s := f.server(t, "a", checked)
			defer s.Close()
			e := s.endpoint(wire.KindAccess)
			if row.heard != 0 {
				e.health.Answered(row.heard, time.Second)
			}
			if row.suspect {
				e.health.Refused()
			}
			pass(time.Millisecond) // what it is checked with now is out
			e.addressSince.Store(int64(taken))
			e.checkedAt.Store(int64(row.checked))
			if answers, up := e.answersAtAddress(), e.isProvenUp(); answers != row.answers || up != row.provenUp {
				t.Errorf("%s: answers %t, proven up %t; expected %t, %t", row.name, answers, up, row.answers, row.provenUp)
			}
		})
	}
}

// What is done about silence: a port that is fine, or was heard since, is left alone.
// Else its name is looked up again; a port that is not up gets a new local port besides,
// unless what is unanswered was sent to an earlier address.
// Rules: P84
func TestSilentPort(t *testing.T) {
	refused := func(e *endpoint) { e.health.Refused() }
	moved := func(e *endpoint) { e.addressSince.Store(int64(e.server.backend.Now())) }
	for _, row := range []struct {
		name     string
		before   []func(*endpoint)
		then     func(e *endpoint, now time.Duration)
		lookups  float64 // the first included
		renewals float64
	}{
		{"fine", nil, func(e *endpoint, now time.Duration) { e.noteSilent(&e.sockets, now) }, 1, 0},
		{"suspect, heard since", []func(*endpoint){refused}, func(e *endpoint, now time.Duration) { e.noteSilent(&e.sockets, 1) }, 1, 0},
		{"suspect", []func(*endpoint){refused}, func(e *endpoint, now time.Duration) { e.noteSilent(&e.sockets, now) }, 2, 1},
		{"up, at another address", []func(*endpoint){moved}, func(e *endpoint, now time.Duration) { e.noteSilent(&e.sockets, now) }, 2, 0},
		{"suspect, sent with the address", []func(*endpoint){refused, moved}, func(e *endpoint, now time.Duration) { e.tryOtherPath(&e.sockets, now, longestRenewPause) }, 2, 1},
		{"suspect, sent before the address", []func(*endpoint){refused, moved}, func(e *endpoint, now time.Duration) { e.tryOtherPath(&e.sockets, now-1, longestRenewPause) }, 2, 0},
		{"nobody listens", nil, func(e *endpoint, _ time.Duration) { (*e.sockets.current.Load())[0].portUnreachable() }, 2, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			f.net.name(host, "a")
			s := f.server(t, "x", named(0, health.CheckStatusServer))
			defer s.Close()
			f.net.answering(t, "a")
			pass(99 * time.Second)
			f.login(t, f.group(t, Failover, s))
			pass(time.Second)
			f.net.answering(t)
			e := s.endpoint(wire.KindAccess)
			for _, do := range row.before {
				do(e)
			}
			row.then(e, f.backend.Now())
			synctest.Wait()
			if n := f.count(t, "radsec_gw_server_name_lookups_total", "result", "found"); n != row.lookups {
				t.Errorf("%s: %v look-ups, expected %v", row.name, n, row.lookups)
			}
			if n := f.count(t, "radsec_gw_server_socket_renewals_total", "port", "auth"); n != row.renewals {
				t.Errorf("%s: %v renewals, expected %v", row.name, n, row.renewals)
			}
		})
	}
}

// The silence of one port says nothing of the server's others.
// Rules: P81
func TestPortsAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", checked)
		defer s.Close()
		auth, acct := s.endpoint(wire.KindAccess), s.endpoint(wire.KindAccounting)
		for range 10 {
			auth.noteSilent(&auth.sockets, f.backend.Now())
		}
		if auth.health.State() != health.Suspect || acct.health.State() != health.Up {
			t.Errorf("one port was silent ten times: it is %v, and the other is %v", auth.health.State(), acct.health.State())
		}
	})
}

// What a change of a port's health has those do that wait there.
// Rules: P65, P83
func TestOrdersOfHealth(t *testing.T) {
	for _, row := range []struct {
		t    health.Transition
		want orders
	}{
		{health.Transition{From: health.Up, To: health.Up, NoStatusServer: true}, 0},
		{health.Transition{From: health.Up, To: health.Suspect}, 0},
		{health.Transition{From: health.Suspect, To: health.Up}, sendEarly},
		{health.Transition{From: health.Failing, To: health.Up}, sendEarly},
		{health.Transition{From: health.Down, To: health.Up}, 0}, // they were sent when it was first heard
		{health.Transition{From: health.Down, To: health.Down, Alive: true}, sendEarly},
		{health.Transition{From: health.Up, To: health.Failing}, moveServer},
		{health.Transition{From: health.Suspect, To: health.Failing}, moveServer},
		{health.Transition{From: health.Failing, To: health.Down}, moveServer},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			s := f.server(t, "a", nil)
			defer s.Close()
			f.start(t, f.group(t, Failover, s), newOwner(radius.CodeAccessRequest))
			e := s.endpoint(wire.KindAccess)
			so := (*e.sockets.current.Load())[0]
			so.mu.Lock()
			so.timerAt = 1 // so that no sweep carries the orders out
			so.mu.Unlock()
			e.changed(row.t)
			so.mu.Lock()
			defer so.mu.Unlock()
			if so.orders != row.want {
				t.Errorf("%v to %v, alive %t: orders %b, expected %b", row.t.From, row.t.To, row.t.Alive, so.orders, row.want)
			}
		})
	}
}
