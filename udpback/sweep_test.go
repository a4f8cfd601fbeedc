package udpback

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// What becomes of a slot whose wait is over.
// Rules: P26, P54, P55, P56, P65
func TestFallDue(t *testing.T) {
	const second = time.Second
	const now = 100 * second
	const (
		again  = "sent again"
		freed  = "freed"
		ended  = "ended"
		server = "another server"
		sock   = "another socket"
	)
	for _, row := range []struct {
		name      string
		abandoned bool
		uncounted bool
		parked    bool
		troubled  bool // it could not be sent
		probe     bool
		renewed   bool // another socket has taken the place of its own
		sends     int32
		end       time.Duration // 0: 130 s
		other     health.State
		want      string
		silent    bool // its server is told of the silence
		forgotten int
		retried   bool
	}{
		{name: "abandoned", abandoned: true, sends: 1, want: freed, forgotten: 1},
		{name: "abandoned and not counted", abandoned: true, uncounted: true, sends: 1, want: freed},
		{name: "after the first", sends: 1, want: again, silent: true},
		{name: "after the first, which could not be sent", sends: 1, troubled: true, want: again},
		{name: "after the second", sends: 2, want: server},
		{name: "after the second, nowhere to go", sends: 2, other: health.Down, want: again},
		{name: "after the last but one", sends: 4, other: health.Down, want: again},
		{name: "after the last", sends: 5, other: health.Down, want: ended},
		{name: "after the last, somewhere to go", sends: 5, want: server},
		{name: "at the end", sends: 2, end: now + sweepGrain, want: ended},
		{name: "just before the end", sends: 2, end: now + sweepGrain + 1, want: server},
		{name: "at the end after the first", sends: 1, end: now, want: ended, silent: true},
		{name: "its socket is replaced", sends: 2, other: health.Down, renewed: true, want: sock},
		{name: "its socket is replaced, and it has had its transmissions", sends: 5, other: health.Down, renewed: true, want: ended},
		{name: "no socket is open", parked: true, sends: 1, other: health.Down, want: again, retried: true},
		{name: "no socket is open, somewhere to go", parked: true, sends: 1, want: server, retried: true},
		{name: "a probe", probe: true, sends: 1, want: again},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWaiting(t, radius.CodeAccessRequest, true)
			defer w.close()
			w.bring(t, w.b, row.other)
			synctest.Wait()
			s, sl, ex := w.socket, w.slot, &w.owner.Exchange
			e := w.a.end(wire.KindAccess)
			if row.renewed {
				other := newSocket(e, ipOf("a"), newNowhere())
				defer other.close()
				was := e.sockets.Swap(&[]*socket{other})
				defer e.sockets.Store(was)
			}
			if row.abandoned {
				ex.Cancel()
			}
			if row.parked {
				was := s.address
				s.address = ipOf("pods")
				defer func() { s.address = was }()
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			sl.sends, sl.first, sl.lastSent, sl.due, sl.end, sl.uncounted, ex.asked = row.sends, 98*second, 98*second, now, 130*second, row.uncounted, 98*second
			if row.end != 0 {
				sl.end = row.end
			}
			if row.troubled {
				s.troubledAt = now
			}
			if row.renewed {
				s.orders = leaveSocketWhenDue
			}
			if row.probe {
				ex.group = nil
			}
			found := &sweepings{}
			s.fallDue(w.id, now, found)
			ex.group, s.orders = w.group, 0
			got := "nothing"
			switch {
			case len(found.packets) == 1:
				got = again
			case len(found.ended) == 1 && sl.state == slotFree:
				got = ended
			case len(found.moving) == 1 && found.moving[0].here && !found.moving[0].early && !found.moving[0].afresh:
				got = sock
			case len(found.moving) == 1 && !found.moving[0].here && !found.moving[0].early:
				got = server
			case sl.state == slotFree:
				got = freed
			}
			if got != row.want {
				t.Errorf("%s: %s, expected %s", row.name, got, row.want)
			}
			if silent := slices.Equal(found.silent, []time.Duration{98 * second}); silent != row.silent || !silent && len(found.silent) > 0 {
				t.Errorf("%s: its server is told of the silence: %v, expected %t", row.name, found.silent, row.silent)
			}
			if found.forgotten != row.forgotten || found.retried != row.retried {
				t.Errorf("%s: %d forgotten, retried %t; expected %d, %t", row.name, found.forgotten, found.retried, row.forgotten, row.retried)
			}
			switch sl.state {
			case slotMoving:
				sl.ex, sl.state = ex, slotWaiting // so that it ends
			case slotFree:
				e.add(-1) // as finish does
			}
		})
	}
}

// A request counts once as overdue: when a probe was answered since it was sent, and the
// route's patience is over where that is longer than usual, or its schedule.
// Rules: P83
func TestCountOverdue(t *testing.T) {
	const second = time.Second
	const now = 120 * second
	for _, row := range []struct {
		name     string
		probed   time.Duration // when a probe was answered; the request was first sent at 100 s
		patience time.Duration
		asked    time.Duration
		counted  bool
		over     bool
		want     bool
	}{
		{"usual patience", 101 * second, DefaultPatience, 119 * second, false, false, true},
		{"counted already", 101 * second, DefaultPatience, 119 * second, true, false, false},
		{"no probe was answered since", 99 * second, DefaultPatience, 119 * second, false, false, false},
		{"long patience", 101 * second, 15 * second, 106 * second, false, false, false},
		{"long patience, over within the grain", 101 * second, 15 * second, 105*second + sweepGrain, false, false, true},
		{"long patience, not over within the grain", 101 * second, 15 * second, 105*second + sweepGrain + 1, false, false, false},
		{"long patience, and the schedule is over", 101 * second, 15 * second, 119 * second, false, true, true},
		{"little patience", 101 * second, second, 119*second + second/2, false, false, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWaiting(t, radius.CodeAccessRequest, true)
			defer w.close()
			w.a.end(wire.KindAccess).health.ProbeAnswered(row.probed)
			w.socket.mu.Lock()
			defer w.socket.mu.Unlock()
			w.group.patience = row.patience
			w.slot.first, w.slot.overdue, w.owner.asked = 100*second, row.counted, row.asked
			found := &sweepings{}
			w.socket.countOverdue(w.slot, now, row.over, found)
			if got := len(found.unanswered) == 1 && found.unanswered[0] == 100*second; got != row.want || len(found.unanswered) > 1 {
				t.Errorf("%s: counted %v, expected %t", row.name, found.unanswered, row.want)
			}
			if w.slot.overdue != (row.want || row.counted) {
				t.Errorf("%s: remembered %t", row.name, w.slot.overdue)
			}
		})
	}
}

// unreadConn is a socket that says whether something has arrived.
type unreadConn struct {
	*nowhere
	some bool
}

func (c *unreadConn) unread() bool { return c.some }

// A sweep waits for what has arrived to be read, when something is due, for a second at
// the most.
// Rules: P54
func TestPostpone(t *testing.T) {
	const second = time.Second
	const now = 100 * second
	for _, row := range []struct {
		name   string
		unread bool
		due    time.Duration
		since  time.Duration // since when the sweep waits
		want   bool
		sinceW time.Duration // afterwards
	}{
		{"nothing has arrived", false, now, 99 * second, false, 0},
		{"nothing is due", true, now + sweepGrain + 1, 99 * second, false, 0},
		{"for the first time", true, now, 0, true, now},
		{"due within the grain", true, now + sweepGrain, 0, true, now},
		{"again", true, now, 99*second + 1, true, 99*second + 1},
		{"for a second", true, now, 99 * second, false, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			server := f.server(t, "a", nil)
			defer server.Close()
			s := newSocket(server.end(wire.KindAccess), ipOf("a"), &unreadConn{newNowhere(), row.unread})
			defer s.close()
			s.mu.Lock()
			sl := &s.slots[7]
			sl.state, sl.due, sl.end, s.postponed, s.armed = slotWaiting, row.due, 130*second, row.since, 1
			s.mu.Unlock()
			got := s.postpone(now)
			s.mu.Lock()
			sl.state = slotFree
			armed, since := s.armed, s.postponed
			s.timer.Stop()
			s.mu.Unlock()
			if got != row.want || since != row.sinceW {
				t.Errorf("%s: postponed %t, since %v; expected %t, %v", row.name, got, since, row.want, row.sinceW)
			}
			wantArmed := time.Duration(0)
			if row.want {
				wantArmed = now + sweepGrain
			}
			if armed != wantArmed {
				t.Errorf("%s: the timer fires at %v, expected %v", row.name, armed, wantArmed)
			}
		})
	}
}

// Only what waits, or is abandoned, can be due.
func TestAnyDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		server := f.server(t, "a", nil)
		defer server.Close()
		s := newSocket(server.end(wire.KindAccess), ipOf("a"), newNowhere())
		defer s.close()
		s.mu.Lock()
		defer s.mu.Unlock()
		for state, want := range map[slotState]bool{slotFree: false, slotReserved: false, slotWaiting: true, slotMoving: false, slotAbandoned: true} {
			for _, id := range []int{0, 255} {
				s.slots[id].state, s.slots[id].due = state, time.Second
				if got := s.anyDue(time.Second); got != want {
					t.Errorf("slot %d in state %d: due %t, expected %t", id, state, got, want)
				}
				s.slots[id].state = slotFree
			}
		}
	})
}

// Which request shows that the way to the server may be broken: one that is due, was
// sent at least twice, and since the last time nothing has verified.
// Rules: P84
func TestOverdueShowsABrokenWay(t *testing.T) {
	const second = time.Second
	const now = 100 * second
	for _, row := range []struct {
		name     string
		sends    int32
		due      time.Duration
		heard    time.Duration // sent last at 96 s
		troubled bool
		probe    bool
		want     bool
	}{
		{"due", 2, now, 0, false, false, true},
		{"due within the grain", 2, now + sweepGrain, 0, false, false, true},
		{"not due", 2, now + sweepGrain + 1, 0, false, false, false},
		{"sent once", 1, now, 0, false, false, false},
		{"sent three times", 3, now, 0, false, false, true},
		{"heard before", 2, now, 96*second - lately, false, false, true},
		{"heard since", 2, now, 96*second - lately + 1, false, false, false},
		{"not sent", 2, now, 0, true, false, false},
		{"a probe", 2, now, 0, false, true, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWaiting(t, radius.CodeAccessRequest, true)
			defer w.close()
			if row.heard != 0 {
				w.a.end(wire.KindAccess).health.Answered(row.heard, second)
			}
			w.socket.mu.Lock()
			defer w.socket.mu.Unlock()
			w.slot.sends, w.slot.due, w.slot.lastSent, w.slot.first = row.sends, row.due, 96*second, 94*second
			if row.troubled {
				w.socket.troubledAt = 95 * second
			}
			if row.probe {
				w.owner.group = nil
			}
			if got := w.socket.overdue(now); got != row.want {
				t.Errorf("%s: overdue %t, expected %t", row.name, got, row.want)
			}
			w.owner.group = w.group
		})
	}
}

// Orders are carried out once; those for what is due later stay, and all of them while a
// new socket is still to be had.
func TestOrdersThatStay(t *testing.T) {
	const all = leaveServer | leaveSocket | leaveSocketWhenDue | leaveSocketLate | endDynamic | remind
	for _, row := range []struct{ orders, want orders }{
		{all, leaveSocketWhenDue | leaveSocketLate},
		{all | renewSocket, all | renewSocket},
		{0, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			server := f.server(t, "a", nil)
			defer server.Close()
			s := newSocket(server.end(wire.KindAccess), ipOf("a"), newNowhere())
			defer s.close()
			s.orders = row.orders
			s.decide(&sweepings{}, 100*time.Second)
			if want := row.want &^ remind; s.orders != want {
				t.Errorf("of orders %b stay %b, expected %b", row.orders, s.orders, want)
			}
			if s.armed != 0 {
				t.Errorf("the timer fires at %v though nothing waits", s.armed)
			}
			s.mu.Lock()
			s.armFor(110*time.Second, 100*time.Second)
			want := 110 * time.Second
			if row.orders&renewSocket != 0 {
				want = 100*time.Second + renewPause
			}
			if s.armed != want {
				t.Errorf("orders %b: the timer fires at %v, expected %v", row.orders, s.armed, want)
			}
			s.timer.Stop()
			s.mu.Unlock()
		})
	}
}

// After a sweep the timer fires for the slot that is due first, whichever it is.
// Rules: P54
func TestSweepArmsForTheFirst(t *testing.T) {
	const second = time.Second
	for _, first := range []int{3, 100, 255} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			server := f.server(t, "a", nil)
			defer server.Close()
			s := newSocket(server.end(wire.KindAccess), ipOf("a"), newNowhere())
			defer s.close()
			for i, id := range []int{3, 50, 100, 200, 255} {
				s.slots[id].state = []slotState{slotWaiting, slotMoving, slotAbandoned, slotReserved, slotWaiting}[i]
				s.slots[id].due, s.slots[id].end = 120*second, 130*second
				if id == 50 || id == 200 { // nothing is due there, whatever stands there
					s.slots[id].due = 101 * second
				}
			}
			s.slots[first].due = 110 * second
			s.decide(&sweepings{}, 100*second)
			if s.armed != 110*second {
				t.Errorf("slot %d is due at 110s, the timer fires at %v", first, s.armed)
			}
			s.mu.Lock()
			s.timer.Stop()
			for id := range s.slots {
				s.slots[id].state = slotFree
			}
			s.mu.Unlock()
		})
	}
}

// How the schedule of a request goes on where it is launched: from the begin at another
// server; from where it was at another socket of the same.
// Rules: P55, P65
func TestLaunch(t *testing.T) {
	const second = time.Second
	for _, row := range []struct {
		name     string
		before   before
		deadline time.Duration // 0: none
		count    int
		sends    int32
		first    time.Duration
		least    time.Duration // of the moment when it is due
		most     time.Duration
		end      time.Duration
		early    bool
	}{
		{"anew", before{}, 0, 5, 1, 100 * second, 101800 * time.Millisecond, 102200 * time.Millisecond, 130 * second, false},
		{"anew, with a deadline", before{}, 120 * second, 5, 1, 100 * second, 101800 * time.Millisecond, 102200 * time.Millisecond, 120 * second, false},
		{"anew, with a deadline beyond the schedule", before{}, 140 * second, 5, 1, 100 * second, 101800 * time.Millisecond, 102200 * time.Millisecond, 130 * second, false},
		{"anew, near the deadline", before{}, 101 * second, 5, 1, 100 * second, 101 * second, 101 * second, 101 * second, false},
		{"on from one transmission", before{sends: 1, first: 98 * second, wait: 2 * second, overdue: true}, 128 * second, 5, 2, 98 * second, 103800 * time.Millisecond, 104200 * time.Millisecond, 128 * second, false},
		{"on from three", before{sends: 3, first: 90 * second, wait: 4 * second}, 128 * second, 5, 4, 90 * second, 107600 * time.Millisecond, 108400 * time.Millisecond, 128 * second, false},
		{"on before it is due", before{sends: 2, first: 90 * second, wait: 4 * second, due: 103 * second}, 128 * second, 5, 2, 90 * second, 103 * second, 103 * second, 128 * second, true},
		{"on before it is due, near the deadline", before{sends: 2, first: 90 * second, wait: 4 * second, due: 103 * second}, 102 * second, 5, 2, 90 * second, 102 * second, 102 * second, 102 * second, true},
		{"the last one, after an early one", before{sends: 4, first: 90 * second, wait: 4 * second, reminded: true}, 128 * second, 5, 5, 90 * second, 128 * second, 128 * second, 128 * second, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			s := f.server(t, "a", nil)
			defer s.Close()
			g := f.group(t, Failover, s)
			pass(100*second - 1)
			o := newOwner(radius.CodeAccessRequest)
			b := f.back.Borrow()
			if err := g.Start(&o.Exchange, b); err != nil {
				t.Fatal(err)
			}
			o.before, o.deadline = row.before, row.deadline
			b.Flush()
			f.back.GiveBack(b)
			so := o.Exchange.socket
			so.mu.Lock()
			defer so.mu.Unlock()
			sl := &so.slots[o.id]
			if sl.sends != row.sends || sl.first != row.first || sl.end != row.end || sl.early != row.early || sl.lastSent != 100*second {
				t.Errorf("%s: %d sends, first %v, end %v, early %t; expected %d, %v, %v, %t", row.name, sl.sends, sl.first, sl.end, sl.early, row.sends, row.first, row.end, row.early)
			}
			if sl.due < row.least || sl.due > row.most {
				t.Errorf("%s: due at %v, expected %v to %v", row.name, sl.due, row.least, row.most)
			}
			if sl.overdue != row.before.overdue || sl.reminded != row.before.reminded || o.before != (before{}) {
				t.Errorf("%s: overdue %t, reminded %t, before %+v", row.name, sl.overdue, sl.reminded, o.before)
			}
			if o.asked != 100*second || sl.leaveAt != 110*second {
				t.Errorf("%s: asked at %v, leaves at %v; expected 100s and 110s", row.name, o.asked, sl.leaveAt)
			}
		})
	}
}

// Requests that end without a reply are told so once, why, and their connections are
// flushed; the gateway's own probes are no timeouts of requests.
// Rules: P56, P95
func TestFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", func(c *ServerConfig) { c.Health.Check = health.CheckStatusServer })
		defer s.Close()
		g := f.group(t, Failover, s)
		var all []*gathering
		for _, code := range []wire.Code{radius.CodeAccessRequest, radius.CodeCoARequest, radius.CodeDisconnectRequest} {
			o := &gathering{owner: newOwner(code), to: new(gathered)}
			o.Handler = o
			all = append(all, o)
			f.startHandler(t, g, &o.Exchange)
		}
		f.net.sockets[all[1].Exchange.socket.conn.(*fakeSocket).number].icmp <- struct{}{} // nobody listens there
		pass(time.Minute)
		for i, want := range []string{"replies [] fails [0]", "replies [] fails [3]", "replies [] fails [3]"} {
			o := all[i]
			if got := o.outcome(); got != want || o.causes[0] != 0 || len(o.to.flushes) != 1 {
				t.Errorf("%v: %s, causes %v, %d flushes; expected %s without a cause, and one flush", o.code, got, o.causes, len(o.to.flushes), want)
			}
		}
		if n := f.count(t, "radsec_gw_server_timeouts_total"); n != 1 {
			t.Errorf("%v timeouts counted, expected the one of the Access-Request", n)
		}
		if _, _, sends := all[1].Served(); sends != 1 {
			t.Errorf("the refused request counts as sent %d times, expected once", sends)
		}
	})
}
