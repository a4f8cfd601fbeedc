package dynauth

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/metrics"
)

// A second client that claims the names of a NAS does not get its requests while the first is
// connected, and is counted and logged; when the first has gone it does.
//
// Rules: RC9
func TestPoisoning(t *testing.T) {
	b := newBed(t)
	first, second := b.open("a"), b.open("b")
	names := attrs{nasID("ap-7"), nasIP("192.0.2.7"), {30, "02-07:guests"}}
	first.login(append(attrs{user("al"), session("s-1")}, names...)...)
	second.login(append(attrs{user("eve"), session("s-2")}, names...)...)
	if got := b.counts("radsec_gw_reverse_claims_refused_total"); got != "3" {
		t.Errorf("%q claims were refused, expected 3", got)
	}
	for i, one := range names {
		b.ask(byte(1+i), one)
		first.one()
	}
	b.ask(10, append(attrs{session("s-1")}, names...)...) // nor does it stand in the way
	first.one()
	b.ask(11, append(attrs{session("s-2")}, names...)...)
	second.one()
	first.Close()
	b.ask(12, names[0])
	second.one()
}

// The names that are configured for one client cannot be claimed by another, even if the
// first has never connected.
//
// Rules: RC9
func TestConfiguredNamesAreNotClaimed(t *testing.T) {
	b := newBed(t)
	b.change("a", func(c *ClientConfig) { c.Identifiers = []string{"ap-7"} })
	second := b.open("b")
	second.login(user("eve"), nasID("ap-7"))
	b.wantNAK(b.ask(1, nasID("ap-7")), 502)
	if got := b.counts("radsec_gw_reverse_claims_refused_total"); got != "1" {
		t.Errorf("%q claims were refused, expected 1", got)
	}
}

// What a client without reverse_coa sends is not learned, and a session not before its server
// has answered: with an Access-Accept or an Accounting-Response.
//
// Rules: P132, RC1, RC9
func TestLearnedFromAnswersOnly(t *testing.T) {
	for _, x := range []struct {
		client       string
		code, answer radius.Code
		learned      bool
	}{
		{"a", radius.CodeAccessRequest, radius.CodeAccessAccept, true},
		{"a", radius.CodeAccessRequest, radius.CodeAccessChallenge, false},
		{"a", radius.CodeAccessRequest, radius.CodeAccessReject, false},
		{"a", radius.CodeAccountingRequest, radius.CodeAccountingResponse, true},
		{"c", radius.CodeAccessRequest, radius.CodeAccessAccept, false},
	} {
		b := newBed(t)
		l := b.open(x.client)
		l.answered(x.code, x.answer, "", session("s"), user("u"), nasID("ap"))
		p := b.ask(1, session("s"))
		if x.learned {
			l.one()
		} else {
			b.wantNAK(p, 502)
		}
		if n := b.s.learned.len(); x.client == "c" && n > 0 {
			t.Errorf("%d keys are learned from a client without reverse_coa", n)
		}
	}
}

// Accounting-Stop ends a session, but not another of the same NAS; Accounting-On and -Off end
// all of that NAS, and none of another. The NAS itself stays known.
//
// Rules: RC9
func TestSessionsEnd(t *testing.T) {
	b := newBed(t)
	l := b.open("a")
	start := func() {
		l.account(1, nasID("ap-1"), session("1"), user("u"), station("st"))
		l.account(1, nasID("ap-1"), session("2"))
		l.account(1, nasID("ap-2"), session("3"))
	}
	id := byte(0)
	known := func(want bool, list ...attr) {
		t.Helper()
		id++
		p := b.ask(id, list...)
		if want {
			l.one()
			return
		}
		b.wantNAK(p, 502)
	}
	start()
	l.account(2, nasID("ap-1"), session("1"), user("u"), station("st"))
	known(false, session("1"))
	known(false, user("u"), station("st"))
	known(true, session("2"))
	for _, kind := range []byte{7, 8} {
		start()
		known(true, session("1"))
		l.account(kind, nasID("ap-1"))
		known(false, session("1"))
		known(false, user("u"), station("st"))
		known(false, session("2"))
		known(true, session("3"))
		known(true, nasID("ap-1"))
	}
}

// A user who has moved to another NAS is there, and no longer where he was: after an
// Access-Accept, or when his session begins at another NAS of the same client. What the old NAS
// still counts does not change that, and another client's accounting only makes it doubtful.
//
// Rules: RC9
func TestMovedUser(t *testing.T) {
	b := newBed(t)
	first, second, third := b.open("a"), b.open("b"), b.open("a")
	who := attrs{user("u"), station("st")}
	first.login(append(who, nasID("ap-1"))...)
	second.account(3, append(who, nasID("ap-2"))...)
	b.ask(1, who...)
	first.one()
	second.account(1, append(who, nasID("ap-2"))...)
	b.wantNAK(b.ask(2, who...), 403)
	second.login(append(who, nasID("ap-2"))...)
	b.ask(3, who...)
	second.one()
	first.account(3, append(who, nasID("ap-1"))...)
	first.account(2, append(who, nasID("ap-1"))...) // the Stop of the first comes late
	b.ask(4, who...)
	second.one()
	first.login(append(who, nasID("ap-1"))...)
	third.account(1, append(who, nasID("ap-3"))...) // fast roaming
	b.ask(5, who...)
	third.one()
}

// The User-Name of an Access-Accept names the session, too: with it the NAS counts it.
//
// Rules: RC8
func TestUserNameOfTheAccept(t *testing.T) {
	b := newBed(t)
	l := b.open("a")
	v := view(t, must(packet(radius.CodeAccessRequest, 1, "radsec", user("anonymous"), station("st"), nasID("ap")).Encode()))
	l.Answered(l.Arrived(v, b.s.now()), v, radius.CodeAccessAccept, Granted{UserName: []byte("bob")}, b.s.now())
	for i, name := range []string{"anonymous", "bob"} {
		b.ask(byte(i), user(name), station("st"))
		l.one()
	}
}

// A Class that many have says nothing, and does not stand in the way of what does.
//
// Rules: RC8
func TestClassOfMany(t *testing.T) {
	b := newBed(t)
	var links []*link
	for i := range 4 {
		l := b.open("a")
		l.answered(radius.CodeAccessRequest, radius.CodeAccessAccept, "staff", nasID(fmt.Sprint("ap-", i)), session(fmt.Sprint("s-", i)))
		links = append(links, l)
	}
	b.wantNAK(b.ask(1, attr{25, "staff"}), 502)
	b.ask(2, attr{25, "staff"}, session("s-2"))
	links[2].one()
}

// Of several connections of a client, the one that carried the NAS last gets the request; when
// it has closed, another that has; else there is none.
//
// Rules: RC10
func TestConnectionsOfANAS(t *testing.T) {
	b := newBed(t)
	first, second, never := b.open("a"), b.open("a"), b.open("a")
	first.login(nasID("ap-1"), session("s"))
	second.login(nasID("ap-1"), session("s"))
	b.ask(1, nasID("ap-1"))
	second.one()
	first.account(3, nasID("ap-1"), session("s"), attr{5, "\x00\x00\x00\x01"})
	b.ask(2, session("s"))
	first.one()
	first.Close()
	b.ask(3, session("s"))
	second.one()
	second.Close()
	b.wantNAK(b.ask(4, session("s")), 502)
	if len(never.got()) > 0 {
		t.Error("a connection that has not carried the NAS was used")
	}
	third := b.open("a") // the NAS is back
	third.login(nasID("ap-1"))
	b.ask(5, session("s"))
	third.one()
}

// What is not seen again expires, and beyond the bound the least recently used goes first.
//
// Rules: RC9
func TestLearnedIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		b.cfg.Lifetime, b.cfg.MaxLearned = time.Hour, 6400
		b.configure()
		l := b.open("a")
		l.login(nasID("ap"), session("s"))
		pass(59 * time.Minute)
		l.account(3, nasID("ap"), session("t"))
		b.ask(1, session("s"))
		l.one()
		pass(2 * time.Minute)
		b.wantNAK(b.ask(2, session("s")), 502)
		b.ask(3, session("t"))
		l.one()
		for i := range 20_000 {
			l.account(1, nasID("ap"), session(fmt.Sprint("many-", i)))
			if i%100 == 0 {
				l.account(3, nasID("ap"), session("t")) // in use
				pass(refreshEvery / 10)
			}
		}
		if n := b.s.learned.len(); n > 6400+numShards {
			t.Errorf("%d keys are kept, expected at most 6400", n)
		}
		b.ask(4, session("many-19999"))
		l.one()
		b.ask(5, session("t"))
		l.one()
		b.wantNAK(b.ask(6, session("many-1")), 502)
		if got := b.counts("radsec_gw_reverse_learned_keys"); got != fmt.Sprint(b.s.learned.len()) {
			t.Errorf("the metric says %s keys, the table has %d", got, b.s.learned.len())
		}
		if b.counts("radsec_gw_reverse_keys_evicted_total") == "" {
			t.Error("no evicted key is counted")
		}
		for i := range 5000 { // and NASes
			l.login(nasID(fmt.Sprint("nas-", i)))
		}
		if _, n := b.s.Learned(10); n > 6400/nasShare+numShards {
			t.Errorf("%d NASes are kept", n)
		}
		b.ask(7, nasID("nas-4999"))
		l.one()
		b.wantNAK(b.ask(8, nasID("nas-0")), 502)
		l.Close()
		pass(time.Hour) // for the timers
	})
}

// len returns how many keys the table has.
func (t *learned) len() (n int) {
	for i := range t.shards {
		n += len(t.shards[i].index)
	}
	return n
}

// The table is shown: NAS, client, connection and age, those seen last first.
//
// Rules: RC19
func TestLearnedRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		first, second := b.open("a"), b.open("b")
		first.login(nasID("ap-1"), nasIP("192.0.2.1"))
		pass(time.Minute)
		second.login(nasIP("192.0.2.2"))
		rows, n := b.s.Learned(10)
		want := []Row{{"192.0.2.2", "b", "203.0.113.7:5000", 0}, {"ap-1 192.0.2.1", "a", "203.0.113.7:5000", time.Minute}}
		if n != 2 || len(rows) != 2 || rows[0] != want[0] || rows[1] != want[1] {
			t.Errorf("%d rows: %v, expected %v", n, rows, want)
		}
		first.peer.ended = metrics.ClosedByPeer
		first.Close()
		if rows, n := b.s.Learned(1); n != 2 || len(rows) != 1 {
			t.Errorf("%d rows of %d, expected 1 of 2", len(rows), n)
		}
		if rows, _ := b.s.Learned(2); rows[1].Connection != "" {
			t.Errorf("the closed connection is shown as %q", rows[1].Connection)
		}
		pass(time.Hour)
	})
}
