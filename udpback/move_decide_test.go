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

// waiting is a request that waits at server a, beside which there is b, after 100 s on
// the clock.
type waiting struct {
	*fixture
	a, b   *Server
	group  *Group
	owner  *owner
	socket *socket
	slot   *slot
	id     wire.ServerID
	now    time.Duration
}

// What becomes of a request, in a word.
const (
	again    = "sent again"
	stays    = "stays"
	freed    = "freed"
	ended    = "ended"
	toServer = "another server"
	toSocket = "another socket"
	afresh   = "another socket, afresh"
)

func newWaiting(t *testing.T, code wire.Code, checked bool) *waiting {
	t.Helper()
	f := newFixture(t)
	w := &waiting{fixture: f}
	check := func(c *ServerConfig) {
		if checked {
			c.Health.Check = health.CheckStatusServer
		}
	}
	w.a, w.b = f.server(t, "a", check), f.server(t, "b", check)
	w.group = f.group(t, Failover, w.a, w.b)
	f.net.answering(t, "a", "b") // checks
	pass(100*time.Second - 1)
	f.net.answering(t)
	for _, s := range []*Server{w.a, w.b} {
		s.endpoint(wire.KindOf(code)).health.Renew() // nothing has ever been heard
	}
	w.owner = newOwner(code)
	f.start(t, w.group, w.owner)
	w.socket, w.id = w.owner.Exchange.socket, w.owner.Exchange.id
	w.slot = w.socket.slot(w.id)
	w.now = f.backend.Now()
	return w
}

// workOf returns what a sweep of a socket begins with.
func workOf(s *socket) *dueWork { return &dueWork{socket: s, hasher: wire.NewHasher()} }

func (w *waiting) close() {
	w.a.Close()
	w.b.Close()
}

var movesWhenDue = []struct {
	name    string
	code    wire.Code
	own     health.State
	other   health.State // of the server beside
	asked   time.Duration
	sends   int32
	heard   time.Duration // when anything last verified; 0: never
	issued  bool          // the request has a State of its server's
	lost    bool          // and that is down
	nothing bool          // the request is the gateway's own check
	want    bool
}{
	{name: "sent once", asked: 98 * second, sends: 1},
	{name: "sent twice, and nothing heard", asked: 98 * second, sends: 2, want: true},
	{name: "sent twice, and heard just after", asked: 98 * second, sends: 2, heard: 98*second - recently + 1},
	{name: "sent twice, and heard before", asked: 98 * second, sends: 2, heard: 98*second - recently, want: true},
	{name: "sent once to a server that is suspect", own: health.Suspect, asked: 98 * second, sends: 1},
	{name: "sent once to a server that is failing", own: health.Failing, asked: 98 * second, sends: 1, heard: 99 * second, want: true},
	{name: "sent once to a server that is down", own: health.Down, asked: 98 * second, sends: 1, want: true},
	{name: "patience is over", asked: 90 * second, sends: 1, heard: 99 * second, want: true},
	{name: "patience is nearly over", asked: 90*second + 1, sends: 1, heard: 99 * second},
	{name: "the other is down", own: health.Down, other: health.Down, asked: 90 * second, sends: 4},
	{name: "the other is worse", other: health.Suspect, asked: 90 * second, sends: 4},
	{name: "accounting", code: radius.CodeAccountingRequest, asked: 98 * second, sends: 2, want: true},
	{name: "CoA", code: radius.CodeCoARequest, asked: 90 * second, sends: 4},
	{name: "Disconnect", code: radius.CodeDisconnectRequest, asked: 90 * second, sends: 4},
	{name: "with a State of the server's", asked: 90 * second, sends: 4, issued: true},
	{name: "with a State of the server's, which is down", own: health.Down, asked: 98 * second, sends: 1, issued: true, lost: true, want: true},
	{name: "a check", asked: 90 * second, sends: 4, nothing: true},
}

// When a request that is due goes to another server.
// Rules: P54, P65, P66, P84, P95
func TestShouldMove(t *testing.T) {
	for _, row := range movesWhenDue {
		synctest.Test(t, func(t *testing.T) {
			code := row.code
			if code == 0 {
				code = radius.CodeAccessRequest
			}
			w := newWaiting(t, code, true)
			defer w.close()
			if row.heard != 0 {
				w.a.endpoint(w.owner.Kind).health.Answered(row.heard, second)
			}
			if row.other != health.Up {
				w.b.endpoint(w.owner.Kind).health.Refused()
			}
			if row.other == health.Down {
				w.b.endpoint(w.owner.Kind).health.NoAddress(errTest)
			}
			if row.issued {
				w.owner.HasState, w.owner.StateHash = true, Hash([]byte("state"))
				w.group.rememberIssuer(&w.owner.Exchange, []byte("state"))
			}
			if row.lost {
				w.a.endpoint(w.owner.Kind).health.NoAddress(errTest)
			}
			w.socket.mu.Lock()
			w.slot.sends, w.slot.lastSent, w.owner.firstSent = row.sends, 98*second, row.asked
			if row.nothing {
				w.owner.group = nil
			}
			got := workOf(w.socket).shouldMove(w.slot, 100*second, row.own)
			w.owner.group = w.group
			w.socket.mu.Unlock()
			if got != row.want {
				t.Errorf("%s: moves %t, expected %t", row.name, got, row.want)
			}
		})
	}
}

var socketMoves = []struct {
	name    string
	code    wire.Code
	orders  orders
	renewed bool          // there is another socket
	moved   bool          // to another address
	failing bool          // the server is failing
	heard   time.Duration // when the socket last had a reply; the request was sent at 98 s
	asked   time.Duration
	isCheck bool
	want    bool
}{
	{name: "nothing is ordered", renewed: true, asked: 80 * second},
	{name: "the socket is in use", orders: moveSocketWhenDue, asked: 80 * second},
	{name: "when due", orders: moveSocketWhenDue, renewed: true, asked: 98 * second, want: true},
	{name: "when due, and answers arrive here", orders: moveSocketWhenDue, renewed: true, asked: 98 * second, heard: 99 * second},
	{name: "when due, and the last answer arrived when it was sent", orders: moveSocketWhenDue, renewed: true, asked: 98 * second, heard: 98 * second, want: true},
	{name: "late, though patience is not over", orders: moveSocketLate, renewed: true, asked: 90*second + 1},
	{name: "late, and patience is over", orders: moveSocketLate, renewed: true, asked: 90 * second, want: true},
	{name: "late, and the server is failing", orders: moveSocketLate, renewed: true, asked: 99 * second, failing: true, want: true},
	{name: "CoA keeps its socket", code: radius.CodeCoARequest, orders: moveSocketWhenDue, renewed: true, asked: 80 * second},
	{name: "CoA to an address that is gone", code: radius.CodeCoARequest, orders: moveSocketLate, renewed: true, moved: true, asked: 99 * second, want: true},
	{name: "to an address that is gone, though answers arrive", orders: moveSocketLate, renewed: true, moved: true, heard: 99 * second, asked: 99 * second, want: true},
	{name: "a check", orders: moveSocketWhenDue, renewed: true, asked: 80 * second, isCheck: true},
}

// When a request goes on at the socket that has taken the place of its own.
// Rules: P57, P65, P95
func TestMovesSocket(t *testing.T) {
	for _, row := range socketMoves {
		synctest.Test(t, func(t *testing.T) {
			code := row.code
			if code == 0 {
				code = radius.CodeAccessRequest
			}
			w := newWaiting(t, code, true)
			defer w.close()
			e := w.a.endpoint(w.owner.Kind)
			if row.failing {
				for range defaults.FailingAfter {
					e.health.Unanswered(w.now)
				}
			}
			var other *socket
			if row.renewed {
				other = newSocket(&e.sockets, ipOf("a"), newNowhere())
				defer other.close()
				was := e.sockets.current.Swap(&[]*socket{other})
				defer e.sockets.current.Store(was)
			}
			if row.moved {
				was := w.a.addresses.Swap(&addresses{current: ipOf("c")})
				defer w.a.addresses.Store(was)
			}
			w.socket.mu.Lock()
			defer w.socket.mu.Unlock()
			w.socket.orders, w.socket.repliedAt = row.orders, row.heard
			w.slot.lastSent, w.owner.firstSent = 98*second, row.asked
			if row.isCheck {
				w.owner.group = nil
			}
			got := workOf(w.socket).movesSocket(w.slot, 100*second)
			w.owner.group, w.socket.orders = w.group, 0
			if got != row.want {
				t.Errorf("%s: leaves %t, expected %t", row.name, got, row.want)
			}
		})
	}
}

// An early transmission is planned where it helps: after what was sent last could have
// been answered, well before the next, and while transmissions are left.
// Rules: P55
func TestPlanEarly(t *testing.T) {
	for _, row := range []struct {
		name               string
		lastSent, due, end time.Duration
		sends              int32
		planned            bool // already
		earliest           time.Duration
	}{
		{"long before it is due", 90 * second, 110 * second, 130 * second, 2, false, 100 * second},
		{"sent a moment ago", 100*second - 1, 110 * second, 130 * second, 2, false, 100*second + recently - 1},
		{"due too soon", 90 * second, 102*second - 1, 130 * second, 2, false, 0},
		{"due soon, and never to be sent again", 90 * second, 102 * second, 102 * second, 2, false, 100 * second},
		{"about to end", 90 * second, 100*second + recently - 1, 100*second + recently - 1, 2, false, 0},
		{"nothing left to send", 90 * second, 130 * second, 130 * second, 5, false, 0},
		{"one left to send", 90 * second, 130 * second, 130 * second, 4, false, 100 * second},
		{"planned already", 90 * second, 110 * second, 130 * second, 2, true, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWaiting(t, radius.CodeAccessRequest, false)
			defer w.close()
			w.socket.mu.Lock()
			defer w.socket.mu.Unlock()
			for range 50 { // the moment is drawn
				w.slot.lastSent, w.slot.due, w.slot.expires, w.slot.sends, w.slot.earlyAt = row.lastSent, row.due, row.end, row.sends, 0
				if row.planned {
					w.slot.earlyAt = 1
				}
				workOf(w.socket).planEarly(w.slot, 100*second)
				at := w.slot.earlyAt
				w.slot.earlyAt = 0
				switch {
				case row.planned && at != 1:
					t.Errorf("%s: planned anew for %v", row.name, at)
				case row.planned:
				case row.earliest == 0 && at != 0:
					t.Errorf("%s: planned for %v, expected not at all", row.name, at)
				case row.earliest != 0 && (at < row.earliest || at >= row.earliest+earlySpread):
					t.Errorf("%s: planned for %v, expected within %v of %v", row.name, at, earlySpread, row.earliest)
				}
			}
		})
	}
}

// Whether silence says something about the server: not when this machine could not send
// after the request was first sent, nor on a socket to another address.
// Rules: P84
func TestIsEvidence(t *testing.T) {
	for _, row := range []struct {
		troubled time.Duration // the request was first sent at 98 s
		moved    bool
		want     bool
	}{
		{0, false, true},
		{98*second - 1, false, true},
		{98 * second, false, false},
		{99 * second, false, false},
		{0, true, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWaiting(t, radius.CodeAccessRequest, false)
			defer w.close()
			if row.moved {
				was := w.a.addresses.Swap(&addresses{current: ipOf("c")})
				defer w.a.addresses.Store(was)
			}
			w.socket.mu.Lock()
			defer w.socket.mu.Unlock()
			w.slot.firstSent, w.socket.sendFailedAt = 98*second, row.troubled
			if got := workOf(w.socket).isEvidence(w.slot); got != row.want {
				t.Errorf("%+v: evidence %t, expected %t", row, got, row.want)
			}
			w.slot.lastSent = 98 * second
			want := row.troubled >= 98*second
			for _, early := range []bool{false, true} { // it was sent again for that already
				w.slot.resentAfterError = early
				if got := workOf(w.socket).wasUnreachable(w.slot); got != (want && !early) {
					t.Errorf("%+v, early %t: blocked %t, expected %t", row, early, got, want && !early)
				}
			}
			w.slot.resentAfterError = false
		})
	}
}

// A copy that is sent again counts, takes the next wait, and never waits past the end.
// Rules: P55, P57
func TestResendOfASlot(t *testing.T) {
	for _, row := range []struct {
		name      string
		end, wait time.Duration
		sends     int32
		reminded  bool
		least     time.Duration // of the moment when it is due
		most      time.Duration
	}{
		{"within the schedule", 130 * second, 2 * second, 1, false, 103800 * time.Millisecond, 104200 * time.Millisecond},
		{"past the end", 103 * second, 2 * second, 1, false, 103 * second, 103 * second},
		{"the longest wait", 130 * second, 16 * second, 3, false, 114400 * time.Millisecond, 117600 * time.Millisecond},
		{"the last one, after an early one", 130 * second, 2 * second, 4, true, 130 * second, 130 * second},
		{"the last but one, after an early one", 130 * second, 2 * second, 3, true, 103800 * time.Millisecond, 104200 * time.Millisecond},
		{"the last one", 130 * second, 2 * second, 4, false, 103800 * time.Millisecond, 104200 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWaiting(t, radius.CodeAccessRequest, false)
			defer w.close()
			w.socket.mu.Lock()
			defer w.socket.mu.Unlock()
			found := workOf(w.socket)
			sl := w.slot
			sl.expires, sl.wait, sl.sends, sl.sentEarly, sl.resentAfterError, sl.earlyAt = row.end, row.wait, row.sends, row.reminded, true, 1
			found.resend(sl, 100*second)
			if sl.sends != row.sends+1 || sl.lastSent != 100*second || sl.resentAfterError || sl.earlyAt != 0 || !found.resent {
				t.Errorf("%s: %d sends, the last at %v, early %t, reminder at %v, waiting %t; expected %d, 100s, false, 0s, true",
					row.name, sl.sends, sl.lastSent, sl.resentAfterError, sl.earlyAt, found.resent, row.sends+1)
			}
			if sl.due < row.least || sl.due > row.most {
				t.Errorf("%s: due at %v, expected %v to %v", row.name, sl.due, row.least, row.most)
			}
			if len(found.packets) != 1 || string(found.packets[0]) != string(sl.packet) || &found.packets[0][0] == &sl.packet[0] {
				t.Errorf("%s: expected one copy of the packet to be sent", row.name)
			}
		})
	}
}

// What a claimed request takes along to where it goes.
// Rules: P65
func TestBeginMove(t *testing.T) {
	full := priorSchedule{sends: 3, first: 90 * second, wait: 4 * second, due: 104 * second, overdue: true, sentEarly: true}
	afterDue := full
	afterDue.due = 0
	for _, row := range []struct {
		name   string
		m      mover
		parked bool
		before priorSchedule
		sends  int // added to the exchange's
	}{
		{"to another server", mover{}, false, priorSchedule{}, 3},
		{"to another address", mover{sameServer: true, newSchedule: true}, false, priorSchedule{}, 3},
		{"to another socket when it is due", mover{sameServer: true}, false, afterDue, 0},
		{"to another socket before it is due", mover{sameServer: true, notDue: true}, false, full, 1},
		{"from no socket to another server", mover{}, true, priorSchedule{}, 0},
		{"from no socket to the first", mover{sameServer: true}, true, priorSchedule{}, 0},
		{"from no socket to the first, before it is due", mover{sameServer: true, notDue: true}, true, priorSchedule{}, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWaiting(t, radius.CodeAccessRequest, false)
			defer w.close()
			s, sl := w.socket, w.slot
			if row.parked {
				was := s.address
				s.address = ipOf("pods")
				defer func() { s.address = was }()
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			sl.sends, sl.firstSent, sl.wait, sl.due, sl.overdue, sl.sentEarly = 3, 90*second, 4*second, 104*second, true, true
			ex := &w.owner.Exchange
			ex.sends, ex.trying, ex.firstSent, ex.prior = 10, true, 91*second, priorSchedule{sends: 7}
			m := workOf(s).beginMove(w.id, row.m)
			if m.ex != ex || m.id != w.id || m.generation != sl.generation || !m.trying || m.firstSent != 91*second || m.sends != row.sends {
				t.Errorf("%s: claimed %+v", row.name, m)
			}
			if ex.prior != row.before || ex.sends != 10+row.sends {
				t.Errorf("%s: it takes %+v along and counts %d sends, expected %+v and %d", row.name, ex.prior, ex.sends, row.before, 10+row.sends)
			}
			if sl.ex != nil || sl.state != slotMoving {
				t.Errorf("%s: the slot is in state %d with %p, expected moving with nobody", row.name, sl.state, sl.ex)
			}
			sl.ex, sl.state = ex, slotWaiting // so that it ends
		})
	}
}
