package udpback

import (
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/config/defaults"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

var dueCases = []struct {
	name      string
	abandoned bool
	uncounted bool
	parked    bool
	troubled  bool // it could not be sent
	check     bool
	renewed   bool // another socket has taken the place of its own
	sends     int32
	end       time.Duration // 0: 130 s
	other     health.State
	want      string
	silent    bool // its server is notified of the silence
	freed     int  // Identifiers that are in use no more
	retried   bool
}{
	{name: "abandoned", abandoned: true, sends: 1, want: freed, freed: 1},
	{name: "abandoned and not counted", abandoned: true, uncounted: true, sends: 1, want: freed},
	{name: "after the first", sends: 1, want: again, silent: true},
	{name: "after the first, which could not be sent", sends: 1, troubled: true, want: again},
	{name: "after the second", sends: 2, want: toServer},
	{name: "after the second, nowhere to go", sends: 2, other: health.Down, want: again},
	{name: "after the last but one", sends: 4, other: health.Down, want: again},
	{name: "after the last", sends: 5, other: health.Down, want: ended, freed: 1},
	{name: "after the last, somewhere to go", sends: 5, want: toServer},
	{name: "at the end", sends: 2, end: 100*second + sweepGrain, want: ended, freed: 1},
	{name: "just before the end", sends: 2, end: 100*second + sweepGrain + 1, want: toServer},
	{name: "at the end after the first", sends: 1, end: 100 * second, want: ended, freed: 1, silent: true},
	{name: "its socket is replaced", sends: 2, other: health.Down, renewed: true, want: toSocket},
	{name: "its socket is replaced, and it has had its transmissions", sends: 5, other: health.Down, renewed: true, want: ended, freed: 1},
	{name: "no socket is open", parked: true, sends: 1, other: health.Down, want: again, retried: true},
	{name: "no socket is open, somewhere to go", parked: true, sends: 1, want: toServer, retried: true},
	{name: "a check", check: true, sends: 1, want: again},
}

// What becomes of a slot whose wait is over.
// Rules: P26, P54, P55, P56, P65
func TestFallDue(t *testing.T) {
	for _, row := range dueCases {
		synctest.Test(t, func(t *testing.T) {
			w := newWaiting(t, radius.CodeAccessRequest, true)
			defer w.close()
			w.bring(t, w.b, row.other)
			synctest.Wait()
			s, sl, ex := w.socket, w.slot, &w.owner.Exchange
			e := w.a.endpoint(wire.KindAccess)
			if row.renewed {
				other := newSocket(&e.sockets, ipOf("a"), newNowhere())
				defer other.close()
				was := e.sockets.current.Swap(&[]*socket{other})
				defer e.sockets.current.Store(was)
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
			sl.sends, sl.firstSent, sl.lastSent, sl.due, sl.expires, sl.uncounted, ex.firstSent = row.sends, 98*second, 98*second, 100*second, 130*second, row.uncounted, 98*second
			if row.end != 0 {
				sl.expires = row.end
			}
			if row.troubled {
				s.sendFailedAt = 100 * second
			}
			if row.renewed {
				s.orders = moveSocketWhenDue
			}
			if row.check {
				ex.group = nil
			}
			found := workOf(w.socket)
			found.fallDue(w.id, 100*second)
			ex.group, s.orders = w.group, 0
			if got := whenDue(found, sl); got != row.want {
				t.Errorf("%s: %s, expected %s", row.name, got, row.want)
			}
			if silent := slices.Equal(found.silent, []time.Duration{98 * second}); silent != row.silent || !silent && len(found.silent) > 0 {
				t.Errorf("%s: its server is told of the silence: %v, expected %t", row.name, found.silent, row.silent)
			}
			if found.freed != row.freed || found.parkedDue != row.retried {
				t.Errorf("%s: %d freed, retried %t; expected %d, %t", row.name, found.freed, found.parkedDue, row.freed, row.retried)
			}
			switch sl.state {
			case slotMoving:
				sl.ex, sl.state = ex, slotWaiting // so that it ends
			case slotFree:
				e.addOutstanding(-1) // as finish does
			}
		})
	}
}

// whenDue returns what has become of a request that fell due.
func whenDue(found *dueWork, sl *slot) string {
	switch {
	case len(found.packets) == 1:
		return again
	case len(found.timedOut) == 1 && sl.state == slotFree:
		return ended
	case len(found.moving) == 1 && found.moving[0].sameServer && !found.moving[0].notDue && !found.moving[0].newSchedule:
		return toSocket
	case len(found.moving) == 1 && !found.moving[0].sameServer && !found.moving[0].notDue:
		return toServer
	case sl.state == slotFree:
		return freed
	}
	return "nothing"
}

// A request counts once as overdue: when a check was answered since it was sent, and the
// route's patience is over where that is longer than usual, or its schedule.
// Rules: P83
func TestNoteOverdue(t *testing.T) {
	const now = 120 * second
	for _, row := range []struct {
		name     string
		checked  time.Duration // when a check was answered; the request was first sent at 100 s
		patience time.Duration
		asked    time.Duration
		counted  bool
		over     bool
		want     bool
	}{
		{"usual patience", 101 * second, defaults.Patience, 119 * second, false, false, true},
		{"counted already", 101 * second, defaults.Patience, 119 * second, true, false, false},
		{"no check was answered since", 99 * second, defaults.Patience, 119 * second, false, false, false},
		{"long patience", 101 * second, 15 * second, 106 * second, false, false, false},
		{"long patience, over within the grain", 101 * second, 15 * second, 105*second + sweepGrain, false, false, true},
		{"long patience, not over within the grain", 101 * second, 15 * second, 105*second + sweepGrain + 1, false, false, false},
		{"long patience, and the schedule is over", 101 * second, 15 * second, 119 * second, false, true, true},
		{"little patience", 101 * second, second, 119*second + second/2, false, false, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWaiting(t, radius.CodeAccessRequest, true)
			defer w.close()
			w.a.endpoint(wire.KindAccess).health.CheckAnswered(row.checked)
			w.socket.mu.Lock()
			defer w.socket.mu.Unlock()
			w.group.patience = row.patience
			w.slot.firstSent, w.slot.overdue, w.owner.firstSent = 100*second, row.counted, row.asked
			found := workOf(w.socket)
			found.noteOverdue(w.slot, now, row.over)
			if got := len(found.unanswered) == 1 && found.unanswered[0] == 100*second; got != row.want || len(found.unanswered) > 1 {
				t.Errorf("%s: counted %v, expected %t", row.name, found.unanswered, row.want)
			}
			if w.slot.overdue != (row.want || row.counted) {
				t.Errorf("%s: remembered %t", row.name, w.slot.overdue)
			}
		})
	}
}

// Requests that end without a reply are told so once, why, and their connections are
// flushed; the gateway's own checks are not timeouts of requests.
// Rules: P56, P95
func TestFailEnded(t *testing.T) {
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
		synctest.Wait()
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

// What is due within the grain of a sweep is seen to, what is due later is not.
// Rules: P55
func TestGrain(t *testing.T) {
	const now = 100 * second
	for _, row := range []struct {
		name                 string
		due, leave, reminder time.Duration // after now; 0 of the last two: not at all
		sent                 int           // copies
		left, reminded       bool
	}{
		{"due", sweepGrain, 0, 0, 1, false, false},
		{"not due", sweepGrain + 1, 0, 0, 0, false, false},
		{"out of patience", second, sweepGrain, 0, 0, true, false},
		{"nearly out of patience", second, sweepGrain + 1, 0, 0, false, false},
		{"reminder", second, 0, sweepGrain, 1, false, true},
		{"no reminder yet", second, 0, sweepGrain + 1, 0, false, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWaiting(t, radius.CodeAccessRequest, true)
			defer w.close()
			w.bring(t, w.b, health.Down) // nothing moves
			synctest.Wait()
			s, sl := w.socket, w.slot
			s.mu.Lock()
			defer s.mu.Unlock()
			sl.sends, sl.lastSent, sl.firstSent, sl.expires, w.owner.firstSent = 2, 98*second, 98*second, 130*second, 98*second
			sl.due, sl.moveAt, sl.earlyAt = now+row.due, 0, 0
			if row.leave != 0 {
				sl.moveAt = now + row.leave
			}
			if row.reminder != 0 {
				sl.earlyAt = now + row.reminder
			}
			leaveAt := sl.moveAt
			found := workOf(w.socket)
			found.decideSlot(w.id, 0, now)
			if len(found.packets) != row.sent || sl.sends != 2+int32(row.sent) {
				t.Errorf("%s: %d copies, %d sends; expected %d, %d", row.name, len(found.packets), sl.sends, row.sent, 2+row.sent)
			}
			if left := sl.moveAt != leaveAt; left != row.left {
				t.Errorf("%s: seen to its patience %t, expected %t", row.name, left, row.left)
			}
			if sl.sentEarly != row.reminded {
				t.Errorf("%s: reminded %t, expected %t", row.name, sl.sentEarly, row.reminded)
			}
			if row.reminded && (sl.due != now+row.due || sl.lastSent != now || sl.earlyAt != 0) {
				t.Errorf("%s: due at %v, sent at %v, reminder at %v; expected that only the time of sending changes", row.name, sl.due, sl.lastSent, sl.earlyAt)
			}
		})
	}
}

// What is sent again is counted; that it failed has the socket renewed.
// Rules: P84
func TestSendPackets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		server := f.server(t, "a", nil)
		defer server.Close()
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, f.group(t, Failover, server), o)
		s := o.Exchange.socket
		(&dueWork{socket: s}).sendPackets()
		(&dueWork{socket: s, packets: [][]byte{{1, 2}, {3, 4}}}).sendPackets()
		if n := f.count(t, "radsec_gw_server_requests_resent_total"); n != 2 {
			t.Errorf("%v packets are counted as sent again, expected 2", n)
		}
		if s.sendFailedAt != 0 || len(f.net.sockets) != 1 {
			t.Error("the socket is taken for broken though all was sent")
		}
		f.net.set(func() { f.net.cut["a:1812"] = syscall.EHOSTUNREACH })
		(&dueWork{socket: s, packets: [][]byte{{1, 2}}}).sendPackets()
		synctest.Wait()
		if n := f.count(t, "radsec_gw_server_requests_resent_total"); n != 2 || s.sendFailedAt == 0 || len(f.net.sockets) != 2 {
			t.Errorf("%v packets are counted as sent again, %d sockets; expected 2 and a new socket", n, len(f.net.sockets))
		}
		o.Cancel()
	})
}
