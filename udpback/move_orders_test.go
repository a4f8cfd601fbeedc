package udpback

import (
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/config/defaults"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

var orderCases = []struct {
	name      string
	code      wire.Code
	orders    orders
	replaced  bool // its socket is not in use
	own       health.State
	other     health.State
	blocked   bool          // the network cannot get there
	due, end  time.Duration // after 100 s; 0: 5 s and 25 s
	check     bool
	want      string
	wantOnDue bool // it is due anyway
}{
	{name: "no order", code: radius.CodeAccessRequest, want: stays},
	{name: "an order for when it is due", code: radius.CodeAccessRequest, orders: moveSocketWhenDue, replaced: true, want: stays},
	{name: "an order for when it is late", code: radius.CodeAccessRequest, orders: moveSocketLate, own: health.Failing, replaced: true, want: stays},
	{name: "an order for the socket", code: radius.CodeAccessRequest, orders: renewSocket | sendEarly, own: health.Failing, want: stays},
	{name: "leave the server", code: radius.CodeAccessRequest, orders: moveServer, want: toServer},
	{name: "leave the server, due", code: radius.CodeAccessRequest, orders: moveServer, due: sweepGrain, want: toServer, wantOnDue: true},
	{name: "leave the server, nearly due", code: radius.CodeAccessRequest, orders: moveServer, due: sweepGrain + 1, want: toServer},
	{name: "leave the server, at the end", code: radius.CodeAccessRequest, orders: moveServer, end: sweepGrain, want: stays},
	{name: "leave the server, near the end", code: radius.CodeAccessRequest, orders: moveServer, end: sweepGrain + 1, want: toServer},
	{name: "leave the server, the other is down", code: radius.CodeAccessRequest, orders: moveServer, other: health.Down, want: stays},
	{name: "leave the server, failing as the other", code: radius.CodeAccessRequest, orders: moveServer, own: health.Failing, other: health.Failing, want: toServer},
	{name: "leave the server, CoA", code: radius.CodeCoARequest, orders: moveServer, want: stays},
	{name: "leave the server, a check", code: radius.CodeAccessRequest, orders: moveServer, check: true, want: stays},
	{name: "refused, CoA", code: radius.CodeCoARequest, orders: failDynamic, want: ended},
	{name: "refused, CoA, and it has another address", code: radius.CodeCoARequest, orders: failDynamic | moveSocket, replaced: true, want: afresh},
	{name: "refused, CoA, another address, but no socket there", code: radius.CodeCoARequest, orders: failDynamic | moveSocket, want: stays},
	{name: "leave the socket, it is in use", code: radius.CodeAccessRequest, orders: moveSocket, want: stays},
	{name: "leave the socket", code: radius.CodeAccessRequest, orders: moveSocket, replaced: true, want: afresh},
	{name: "leave the socket, CoA", code: radius.CodeCoARequest, orders: moveSocket, replaced: true, want: afresh},
	{name: "leave socket or server", code: radius.CodeAccessRequest, orders: moveSocket | moveServer, replaced: true, want: afresh},
	{name: "leave socket or server, failing", code: radius.CodeAccessRequest, orders: moveSocket | moveServer, replaced: true, own: health.Failing, want: toServer},
	{name: "leave socket or server, failing, no other", code: radius.CodeAccessRequest, orders: moveSocket | moveServer, replaced: true, own: health.Failing, other: health.Down, want: afresh},
	{name: "leave the socket, failing", code: radius.CodeAccessRequest, orders: moveSocket, replaced: true, own: health.Failing, want: toServer},
	{name: "leave the socket, which is in use, failing", code: radius.CodeAccessRequest, orders: moveSocket, own: health.Failing, want: toServer},
	{name: "blocked", code: radius.CodeAccessRequest, orders: moveServer, replaced: true, other: health.Down, blocked: true, want: toSocket},
	{name: "blocked, another server", code: radius.CodeAccessRequest, orders: moveServer, replaced: true, blocked: true, want: toServer},
	{name: "blocked, no other socket", code: radius.CodeAccessRequest, orders: moveServer, other: health.Down, blocked: true, want: stays},
	{name: "blocked, CoA", code: radius.CodeCoARequest, orders: moveServer, replaced: true, blocked: true, want: stays},
	{name: "not blocked", code: radius.CodeAccessRequest, orders: moveServer, replaced: true, other: health.Down, want: stays},
	{name: "blocked, no order to leave the server", code: radius.CodeAccessRequest, orders: failDynamic | moveSocket, other: health.Down, blocked: true, want: stays},
}

// What becomes of a request that waits when its socket is given orders.
// Rules: P64, P65, P84, P95
func TestFollowOrders(t *testing.T) {
	for _, row := range orderCases {
		synctest.Test(t, func(t *testing.T) {
			w := newWaiting(t, row.code, true)
			defer w.close()
			if w.owner.Kind == wire.KindAccess {
				w.bring(t, w.a, row.own)
				w.bring(t, w.b, row.other)
			}
			synctest.Wait() // for the orders that follow from that
			e := w.a.endpoint(w.owner.Kind)
			if row.replaced {
				other := newSocket(&e.sockets, ipOf("a"), newNowhere())
				defer other.close()
				was := e.sockets.current.Swap(&[]*socket{other})
				defer e.sockets.current.Store(was)
			}
			s, sl := w.socket, w.slot
			s.mu.Lock()
			defer s.mu.Unlock()
			ex := &w.owner.Exchange
			sl.ex, sl.state = ex, slotWaiting
			ex.members, ex.tried, ex.declined, ex.ep = w.group.current(), 1, 0, e
			sl.due, sl.expires, sl.lastSent = 100*second+5*time.Second, 100*second+25*time.Second, 100*second-time.Second
			if row.due != 0 {
				sl.due = 100*second + row.due
			}
			if row.end != 0 {
				sl.expires = 100*second + row.end
			}
			if row.blocked {
				s.sendFailedAt = 100 * second
			}
			if row.check {
				ex.group = nil
			}
			found := workOf(w.socket)
			obeyed := found.followOrders(w.id, row.orders, 100*second)
			ex.group = w.group
			got := whenOrdered(found)
			if got != row.want || obeyed != (got != stays) {
				t.Errorf("%s: %s, obeyed %t; expected %s", row.name, got, obeyed, row.want)
			}
			if len(found.moving) == 1 && found.moving[0].notDue == row.wantOnDue {
				t.Errorf("%s: taken as due %t, expected %t", row.name, !found.moving[0].notDue, row.wantOnDue)
			}
			if got == ended && (sl.state != slotAbandoned || sl.ex != nil) {
				t.Errorf("%s: the slot is in state %d, expected abandoned: the server may still answer", row.name, sl.state)
			}
			if sl.state == slotMoving {
				sl.ex, sl.state = ex, slotWaiting // so that it ends
			}
		})
	}
}

// whenOrdered returns what has become of a request whose socket was given orders.
func whenOrdered(found *dueWork) string {
	switch {
	case len(found.refused) == 1:
		return ended
	case len(found.moving) == 1 && !found.moving[0].sameServer:
		return toServer
	case len(found.moving) == 1 && found.moving[0].newSchedule:
		return afresh
	case len(found.moving) == 1:
		return toSocket
	}
	return stays
}

// A request whose time at its server is over, or whose try is, goes to another server if
// it may; otherwise it waits, and is not checked again before it is due.
// Rules: P65, P83
func TestOutOfPatience(t *testing.T) {
	for _, row := range []struct {
		name     string
		now      time.Duration // asked at 100 s, patience 10 s
		other    health.State
		issued   bool
		troubled time.Duration
		moves    bool
		leaveAt  time.Duration
		counts   bool // the request counts against its server
	}{
		{"a try", 101 * second, health.Up, false, 0, true, 0, false},
		{"a try, nowhere to go", 101 * second, health.Down, false, 0, false, 110 * second, false},
		{"a try, just before patience is over", 110*second - sweepGrain - 1, health.Down, false, 0, false, 110 * second, false},
		{"patience is over within the grain", 110*second - sweepGrain, health.Down, false, 0, false, 0, true},
		{"patience is over", 110 * second, health.Up, false, 0, true, 0, true},
		{"patience is over, with a State of the server's", 110 * second, health.Up, true, 0, false, 0, true},
		{"patience is over, and it could not be sent", 110 * second, health.Up, false, 105 * second, true, 0, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWaiting(t, radius.CodeAccessRequest, true)
			defer w.close()
			w.bring(t, w.b, row.other)
			synctest.Wait()
			if row.issued {
				w.owner.HasState, w.owner.StateHash = true, Hash([]byte("state"))
				w.group.rememberIssuer(&w.owner.Exchange, []byte("state"))
			}
			// The server has answered a check since.
			w.a.endpoint(wire.KindAccess).health.CheckAnswered(100*second + 1)
			s, sl := w.socket, w.slot
			s.mu.Lock()
			defer s.mu.Unlock()
			ex := &w.owner.Exchange
			ex.firstSent, sl.firstSent, sl.moveAt, s.sendFailedAt = 100*second, 100*second, 1, row.troubled
			found := workOf(w.socket)
			found.outOfPatience(w.id, row.now)
			if moves := len(found.moving) == 1; moves != row.moves || moves && (found.moving[0].sameServer || !found.moving[0].notDue) {
				t.Errorf("%s: moves %t (%+v), expected %t, early and to another server", row.name, moves, found.moving, row.moves)
			}
			if !row.moves && sl.moveAt != row.leaveAt {
				t.Errorf("%s: looked at again at %v, expected %v", row.name, sl.moveAt, row.leaveAt)
			}
			if counts := len(found.unanswered) == 1; counts != row.counts {
				t.Errorf("%s: counts against the server %t, expected %t", row.name, counts, row.counts)
			}
			if sl.state == slotMoving {
				sl.ex, sl.state = ex, slotWaiting
			}
		})
	}
}

var undoneMoves = []struct {
	name              string
	early             bool
	sends             int32
	cancelled, closed bool
	again, ended      bool
	quiet             bool // nothing is sent until the end
}{
	{name: "not due", early: true, sends: 1},
	{name: "not due, and cancelled", early: true, sends: 1, cancelled: true, quiet: true},
	{name: "due", sends: 2, again: true},
	{name: "due, and one transmission left", sends: 4, again: true},
	{name: "due, and none left", sends: 5, ended: true},
	{name: "due, and cancelled", sends: 2, cancelled: true, quiet: true},
	{name: "the slot is gone", sends: 2, closed: true, ended: true},
}

// After a move that failed a request is as it was before: it waits if it was not due, is
// sent again if it was, and ends if no transmission is left, or its slot was freed.
// Rules: P26, P55, P59, P65
func TestUndoMove(t *testing.T) {
	for _, row := range undoneMoves {
		synctest.Test(t, func(t *testing.T) {
			w := newWaiting(t, radius.CodeAccessRequest, false)
			defer w.close()
			s, sl, ex := w.socket, w.slot, &w.owner.Exchange
			s.mu.Lock()
			sl.sends, sl.due, sl.expires, ex.sends, ex.firstSent = row.sends, 105*second, 130*second, 7, 99*second
			m := workOf(s).beginMove(w.id, mover{notDue: row.early})
			ex.firstSent, ex.ep = 0, w.b.endpoint(wire.KindAccess) // what the attempt has changed
			if row.closed {
				m.generation--
			}
			s.mu.Unlock()
			if row.cancelled {
				ex.Cancel()
			}
			found := workOf(w.socket)
			found.undoMove(m, 100*second)
			s.mu.Lock()
			defer s.mu.Unlock()
			if again := len(found.packets) == 1; again != row.again {
				t.Errorf("%s: sent again %t, expected %t", row.name, again, row.again)
			}
			if ended := len(found.timedOut) == 1 && found.timedOut[0] == ex; ended != row.ended {
				t.Errorf("%s: ended %t, expected %t", row.name, ended, row.ended)
			}
			freed := 0
			if row.ended && !row.closed { // close has taken it off the outstanding already
				freed = 1
			}
			if found.freed != freed {
				t.Errorf("%s: %d Identifiers are freed, expected %d", row.name, found.freed, freed)
			}
			if row.closed {
				sl.ex, sl.state = ex, slotWaiting
				return
			}
			if ex.firstSent != 99*second || ex.ep != w.a.endpoint(wire.KindAccess) {
				t.Errorf("%s: asked at %v, expected as before the attempt, and of the same server", row.name, ex.firstSent)
			}
			if row.ended {
				if sl.state != slotFree || ex.sends != 7+int(row.sends) {
					t.Errorf("%s: the slot is in state %d, %d sends; expected free and %d", row.name, sl.state, ex.sends, 7+row.sends)
				}
				w.a.endpoint(wire.KindAccess).addOutstanding(-1) // as finish does
				return
			}
			if sl.state != slotWaiting || sl.ex != ex || ex.sends != 7 {
				t.Errorf("%s: the slot is in state %d, %d sends elsewhere; expected waiting, and 7 as before", row.name, sl.state, ex.sends)
			}
			if quiet := sl.due == sl.expires; quiet != row.quiet {
				t.Errorf("%s: due at %v of %v, expected nothing until the end %t", row.name, sl.due, sl.expires, row.quiet)
			}
			if s.timerAt == 0 || s.timerAt > sl.next() {
				t.Errorf("%s: the timer fires at %v, expected by %v", row.name, s.timerAt, sl.next())
			}
		})
	}
}

// Several requests that leave a server are independent: one whose client is gone ends,
// one that cannot move stays, the others move and are counted.
// Rules: P26, P59, P65
func TestMoveOfSeveral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", nil)
		defer a.Close()
		defer b.Close()
		f.net.answering(t, "b")
		g := f.group(t, Failover, a, b)
		var all []*owner
		for range 5 {
			all = append(all, newOwner(radius.CodeAccessRequest))
		}
		quota := new(Quota)
		for _, o := range all {
			o.Quota = quota
		}
		f.start(t, g, all...)
		all[2].writeErr = errTest // it cannot be written for b
		e := a.endpoint(wire.KindAccess)
		s := e.sockets.all()[0]
		found := workOf(s)
		s.mu.Lock()
		now := f.backend.Now()
		for _, o := range all {
			found.moving = append(found.moving, workOf(s).beginMove(o.id, mover{state: health.Up, notDue: true}))
		}
		s.mu.Unlock()
		for _, i := range []int{0, 3} {
			if all[i].Cancel() {
				t.Errorf("request %d: Cancel reports true while it moves", i)
			}
		}
		found.move(now)
		synctest.Wait()
		const silent, moved, waits = "replies [] fails [0]", "replies [Access-Accept] fails []", "replies [] fails []"
		for i, want := range []string{silent, moved, waits, silent, moved} {
			if got, cause := all[i].outcome(), all[i].cause(); got != want || cause != 0 {
				t.Errorf("request %d: %s, cause %d, expected %s and no cause", i, got, cause, want)
			}
		}
		if n := f.count(t, "radsec_gw_server_requests_moved_total", "server", "a"); n != 2 {
			t.Errorf("%v requests are counted as moved, expected 2", n)
		}
		if n := e.outstanding.Load(); n != 5 {
			t.Errorf("%d Identifiers of a are taken, expected all 5: it may still answer", n)
		}
		if n := quota.at(e).n.Load(); n != 5 {
			t.Errorf("the client holds %d Identifiers of a, expected 5", n)
		}
		pass(time.Minute)
		if n, held := e.outstanding.Load(), quota.at(e).n.Load(); n != 0 || held != 0 {
			t.Errorf("%d Identifiers of a are taken and %d held when all is over, expected none", n, held)
		}
		if sent := len(f.net.seen("a:1812")); sent < 5+3 {
			t.Errorf("%d transmissions to a, expected the first five and more of the one that stayed", sent)
		}
	})
}

// When a request moves to a new socket, its Identifier of the old one is not used again,
// and no longer counts.
// Rules: P26
func TestMoveToAnotherSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", nil)
		defer s.Close()
		g := f.group(t, Failover, s)
		o := newOwner(radius.CodeAccessRequest)
		o.Quota = new(Quota)
		f.start(t, g, o)
		e := s.endpoint(wire.KindAccess)
		for range 2 * defaults.SuspectAfter { // without checks it is down
			e.health.Silent(f.backend.Now())
		}
		e.sockets.refresh() // so what waits goes to the new socket at once
		synctest.Wait()
		if n, held := e.outstanding.Load(), o.Quota.at(e).n.Load(); n != 1 || held != 1 {
			t.Errorf("%d Identifiers are taken, %d held by the client; expected 1 and 1, at the new socket", n, held)
		}
		if n := f.count(t, "radsec_gw_server_requests_moved_total"); n != 0 {
			t.Errorf("%v requests are counted as moved, expected none: it has the same server", n)
		}
		sent := f.net.seen("a:1812")
		if len(sent) != 2 || sent[0].socket == sent[1].socket {
			t.Fatalf("%d transmissions, expected one from each socket", len(sent))
		}
		f.net.sockets[sent[0].socket].in <- answer(t, sent[0].octets, radius.CodeAccessAccept)
		<-o.ended
		if n := f.count(t, "radsec_gw_replies_after_move_total"); n != 0 {
			t.Errorf("%v replies counted as after a move, expected none: it has the same server", n)
		}
		pass(time.Minute)
		if n, held := e.outstanding.Load(), o.Quota.at(e).n.Load(); n != 0 || held != 0 {
			t.Errorf("%d Identifiers are taken and %d held when all is over, expected none", n, held)
		}
	})
}
