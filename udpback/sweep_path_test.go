package udpback

import (
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// unreadConn is a socket that reports whether something has arrived.
type unreadConn struct {
	*nowhere
	some bool
}

func (c *unreadConn) Unread() bool { return c.some }

// A sweep waits for what has arrived to be read, when something is due, for a second at
// the most.
// Rules: P54
func TestPostpone(t *testing.T) {
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
			s := newSocket(&server.endpoint(wire.KindAccess).sockets, ipOf("a"), &unreadConn{newNowhere(), row.unread})
			defer s.close()
			s.mu.Lock()
			sl := s.takeSlot(7)
			sl.state, sl.due, sl.expires, s.postponedSince, s.timerAt = slotWaiting, row.due, 130*second, row.since, 1
			s.mu.Unlock()
			got := workOf(s).postpone(now)
			s.mu.Lock()
			sl.state = slotFree
			armed, since := s.timerAt, s.postponedSince
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
		s := newSocket(&server.endpoint(wire.KindAccess).sockets, ipOf("a"), newNowhere())
		defer s.close()
		s.mu.Lock()
		defer s.mu.Unlock()
		for state, want := range map[slotState]bool{slotFree: false, slotReserved: false, slotWaiting: true, slotMoving: false, slotAbandoned: true} {
			for _, id := range []int{0, 255} {
				sl := s.takeSlot(wire.ServerID(id))
				sl.state, sl.due = state, time.Second
				if got := workOf(s).anyDue(time.Second); got != want {
					t.Errorf("slot %d in state %d: due %t, expected %t", id, state, got, want)
				}
				sl.state = slotFree
				s.returnSlot(wire.ServerID(id))
			}
		}
	})
}

// Which request shows that the way to the server may be broken: one that is due, was
// sent at least twice, and since the last time nothing has verified.
// Rules: P84
func TestSilentTwice(t *testing.T) {
	const now = 100 * second
	for _, row := range []struct {
		name     string
		sends    int32
		due      time.Duration
		heard    time.Duration // sent last at 96 s
		troubled bool
		check    bool
		want     bool
	}{
		{"due", 2, now, 0, false, false, true},
		{"due within the grain", 2, now + sweepGrain, 0, false, false, true},
		{"not due", 2, now + sweepGrain + 1, 0, false, false, false},
		{"sent once", 1, now, 0, false, false, false},
		{"sent three times", 3, now, 0, false, false, true},
		{"heard before", 2, now, 96*second - recently, false, false, true},
		{"heard since", 2, now, 96*second - recently + 1, false, false, false},
		{"not sent", 2, now, 0, true, false, false},
		{"a check", 2, now, 0, false, true, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWaiting(t, radius.CodeAccessRequest, true)
			defer w.close()
			if row.heard != 0 {
				w.a.endpoint(wire.KindAccess).health.Answered(row.heard, second)
			}
			w.socket.mu.Lock()
			defer w.socket.mu.Unlock()
			w.slot.sends, w.slot.due, w.slot.lastSent, w.slot.firstSent = row.sends, row.due, 96*second, 94*second
			if row.troubled {
				w.socket.sendFailedAt = 95 * second
			}
			if row.check {
				w.owner.group = nil
			}
			if got := workOf(w.socket).silentTwice(now); got != row.want {
				t.Errorf("%s: overdue %t, expected %t", row.name, got, row.want)
			}
			w.owner.group = w.group
		})
	}
}

// Orders are carried out once; those for what is due later stay, and all of them while a
// new socket is still to be had.
func TestOrdersThatStay(t *testing.T) {
	const all = moveServer | moveSocket | moveSocketWhenDue | moveSocketLate | failDynamic | sendEarly
	for _, row := range []struct{ orders, want orders }{
		{all, moveSocketWhenDue | moveSocketLate},
		{all | renewSocket, all | renewSocket},
		{0, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			server := f.server(t, "a", nil)
			defer server.Close()
			s := newSocket(&server.endpoint(wire.KindAccess).sockets, ipOf("a"), newNowhere())
			defer s.close()
			s.orders = row.orders
			workOf(s).decide(100 * time.Second)
			if want := row.want &^ sendEarly; s.orders != want {
				t.Errorf("of orders %b stay %b, expected %b", row.orders, s.orders, want)
			}
			if s.timerAt != 0 {
				t.Errorf("the timer fires at %v though nothing waits", s.timerAt)
			}
			s.mu.Lock()
			s.armFor(110*time.Second, 100*time.Second)
			want := 110 * time.Second
			if row.orders&renewSocket != 0 {
				want = 100*time.Second + renewPause
			}
			if s.timerAt != want {
				t.Errorf("orders %b: the timer fires at %v, expected %v", row.orders, s.timerAt, want)
			}
			s.timer.Stop()
			s.mu.Unlock()
		})
	}
}

// After a sweep the timer fires for the slot that is due first, whichever it is.
// Rules: P54
func TestSweepArmsForTheFirst(t *testing.T) {
	for _, first := range []int{3, 100, 255} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			server := f.server(t, "a", nil)
			defer server.Close()
			s := newSocket(&server.endpoint(wire.KindAccess).sockets, ipOf("a"), newNowhere())
			defer s.close()
			for i, id := range []int{3, 50, 100, 200, 255} {
				sl := s.takeSlot(wire.ServerID(id))
				sl.state = []slotState{slotWaiting, slotMoving, slotAbandoned, slotReserved, slotWaiting}[i]
				sl.due, sl.expires = 120*second, 130*second
				if id == 50 || id == 200 { // nothing is due there, whatever stands there
					sl.due = 101 * second
				}
			}
			s.slot(wire.ServerID(first)).due = 110 * second
			workOf(s).decide(100 * second)
			if s.timerAt != 110*second {
				t.Errorf("slot %d is due at 110s, the timer fires at %v", first, s.timerAt)
			}
			s.mu.Lock()
			s.timer.Stop()
			for _, id := range []wire.ServerID{3, 50, 100, 200, 255} {
				s.slot(id).state = slotFree
			}
			s.mu.Unlock()
		})
	}
}

// What a sweep found is ignored when it has been carried out: the next one, of another
// socket, begins with nothing, and nothing keeps the exchanges from being collected.
func TestDueWorkIsReused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		ex := new(Exchange)
		w := &dueWork{hasher: wire.NewHasher(), packets: [][]byte{f.backend.Buffers.Copy([]byte("packet"))}, timedOut: []*Exchange{ex}, refused: []*Exchange{ex},
			moving: []mover{{ex: ex}}, silent: []time.Duration{1}, unanswered: []time.Duration{1}, freed: 1, parkedDue: true, resent: true}
		packets, ended, refused, moving := w.packets, w.timedOut, w.refused, w.moving
		w.release(f.backend)
		if packets[0] != nil || ended[0] != nil || refused[0] != nil || moving[0].ex != nil {
			t.Error("what was found is held on to")
		}
		if len(w.packets)+len(w.timedOut)+len(w.refused)+len(w.moving)+len(w.silent)+len(w.unanswered)+w.freed != 0 || w.parkedDue || w.resent {
			t.Errorf("the next sweep begins with %+v, expected nothing", w)
		}
	})
}

// A request that is sent again has its server checked, unless that was heard of a moment
// ago.
// Rules: P83
func TestRequestCheck(t *testing.T) {
	for _, row := range []struct {
		heard time.Duration // before now
		want  int
	}{{recently, 1}, {recently - 1, 0}, {0, 0}, {time.Minute, 1}} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			server := f.server(t, "a", func(c *ServerConfig) { c.Health.Check = health.CheckStatusServer })
			defer server.Close()
			f.net.answering(t, "a")
			pass(100 * time.Second)
			e := server.endpoint(wire.KindAccess)
			s := newSocket(&e.sockets, ipOf("a"), newNowhere())
			defer s.close()
			now := f.backend.Now()
			before := len(f.net.seen("a:1812"))
			e.health.Answered(now-row.heard, time.Millisecond)
			workOf(s).requestCheck(now)
			pass(time.Millisecond)
			if got := len(f.net.seen("a:1812")) - before; got != row.want {
				t.Errorf("heard %v ago: %d checks, expected %d", row.heard, got, row.want)
			}
		})
	}
}

var pathCases = []struct {
	name       string
	order      bool
	replaced   bool // there is another socket already
	noWay      bool // none can be opened
	suspect    bool
	overdue    bool
	renewed    bool
	orderStays bool
}{
	{name: "all is well"},
	{name: "ordered", order: true, renewed: true},
	{name: "ordered, and no socket can be opened", order: true, noWay: true, orderStays: true},
	{name: "ordered, and done already", order: true, replaced: true},
	{name: "overdue", suspect: true, overdue: true, renewed: true},
	{name: "overdue, and the port is fine", overdue: true},
	{name: "overdue, and the socket is replaced", suspect: true, overdue: true, replaced: true},
	{name: "nothing is overdue", suspect: true},
}

// When a sweep opens another way to the server: when it is ordered to, until it has
// succeeded; and when a request of a port that is not fine is due in vain.
// Rules: P84
func TestRepairPath(t *testing.T) {
	for _, row := range pathCases {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			server := f.server(t, "a", func(c *ServerConfig) { c.Health.Check = health.CheckStatusServer })
			defer server.Close()
			f.net.answering(t, "a")
			pass(100 * second)
			f.net.answering(t)
			o := newOwner(radius.CodeAccessRequest)
			f.start(t, f.group(t, Failover, server), o)
			s := o.Exchange.socket
			e := server.endpoint(wire.KindAccess)
			if row.replaced {
				e.sockets.refresh()
			}
			if row.suspect {
				f.bring(t, server, health.Suspect)
				pass(time.Millisecond)
			}
			now := f.backend.Now()
			if row.overdue {
				s.mu.Lock()
				sl := s.slot(o.id)
				sl.sends, sl.due, sl.lastSent, sl.firstSent = 2, now, now, now-second
				s.mu.Unlock()
				now += 2 * recently
				s.mu.Lock()
				sl.lastSent = now
				s.mu.Unlock()
			}
			if row.noWay {
				f.net.set(func() { f.net.noWay["a:1812"] = errTest })
			}
			if row.order {
				s.mu.Lock()
				s.orders |= renewSocket
				s.mu.Unlock()
			}
			before := len(f.net.sockets)
			workOf(s).repairPath(now)
			if renewed := len(f.net.sockets) > before; renewed != row.renewed {
				t.Errorf("%s: renewed %t, expected %t", row.name, renewed, row.renewed)
			}
			s.mu.Lock()
			if stays := s.orders&renewSocket != 0; stays != row.orderStays {
				t.Errorf("%s: the order stays %t, expected %t", row.name, stays, row.orderStays)
			}
			s.orders = 0
			s.mu.Unlock()
			o.Cancel()
		})
	}
}
