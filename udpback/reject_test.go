package udpback

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// rejectBed is a group of servers that asks the next one after a Reject, and what each does.
type rejectBed struct {
	*fixture
	group   *Group
	servers []*Server
	does    map[string]func(q []byte) [][]byte // by server; none: silence

	mu   sync.Mutex        // held by those that serve; the test waits for them instead
	got  map[string]int    // requests at each server, resends included
	seen map[string][]byte // the last of them
}

func newRejectBed(t *testing.T, balance Balance, names ...string) *rejectBed {
	b := &rejectBed{fixture: newFixture(t), does: map[string]func([]byte) [][]byte{}, got: map[string]int{}, seen: map[string][]byte{}}
	for _, name := range names {
		s := b.server(t, name, nil)
		t.Cleanup(s.Close)
		b.servers = append(b.servers, s)
	}
	b.net.serve = func(address string, q []byte) [][]byte {
		b.mu.Lock()
		defer b.mu.Unlock()
		name := address[:1]
		b.got[name]++
		b.seen[name] = q
		if do := b.does[name]; do != nil {
			return do(q)
		}
		return nil
	}
	b.group = must2(b.backend.NewGroup(GroupConfig{Balance: balance, NextOnReject: true}, b.servers...))
	return b
}

func must2[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// gives answers each request with a code.
func gives(t *testing.T, code radius.Code) func(q []byte) [][]byte {
	return func(q []byte) [][]byte { return [][]byte{answer(t, q, code)} }
}

// rejectRow is what the servers "a", "b" and "c" do, and what comes of it.
type rejectRow struct {
	name     string
	state    bool                   // the request has one
	does     map[string]radius.Code // by server; 52 is a Protocol-Error; none: silence
	want     string
	asked    string // the servers that got it
	rejected int    // Rejects that are counted
	moved    int    // how often it left a server that replied
}

// What a request ends with, and which servers get it, by what each of them does.
// Rules: AR13, P65
func TestRejectedRequestAsksTheNext(t *testing.T) {
	const reject, accept, challenge = 3, 2, 11
	for _, row := range []rejectRow{
		{"the next accepts", false, map[string]radius.Code{"a": reject, "b": accept}, "replies [Access-Accept] fails []", "ab", 1, 1},
		{"the next challenges", false, map[string]radius.Code{"a": reject, "b": challenge}, "replies [Access-Challenge] fails []", "ab", 1, 1},
		{"the last accepts", false, map[string]radius.Code{"a": reject, "b": reject, "c": accept}, "replies [Access-Accept] fails []", "abc", 2, 2},
		{"each rejects", false, map[string]radius.Code{"a": reject, "b": reject, "c": reject}, "replies [Access-Reject] fails []", "abc", 3, 2},
		{"the next is silent", false, map[string]radius.Code{"a": reject}, "replies [Access-Reject] fails []", "abc", 1, 1},
		{"the next cannot route it, the last rejects", false, map[string]radius.Code{"a": reject, "b": 52, "c": reject}, "replies [Access-Reject] fails []", "abc", 2, 2},
		{"the others cannot route it", false, map[string]radius.Code{"a": reject, "b": 52, "c": 52}, "replies [Access-Reject] fails []", "abc", 1, 2},
		{"the first cannot route it, the next rejects", false, map[string]radius.Code{"a": 52, "b": reject, "c": accept}, "replies [Access-Accept] fails []", "abc", 1, 2},
		{"an Accept ends it", false, map[string]radius.Code{"a": accept}, "replies [Access-Accept] fails []", "a", 0, 0},
		{"a Challenge ends it", false, map[string]radius.Code{"a": challenge}, "replies [Access-Challenge] fails []", "a", 0, 0},
		{"a request with State stays", true, map[string]radius.Code{"a": reject, "b": accept}, "replies [Access-Reject] fails []", "a", 1, 0},
	} {
		t.Run(row.name, func(t *testing.T) { synctest.Test(t, row.run) })
	}
}

func (row *rejectRow) run(t *testing.T) {
	b := newRejectBed(t, Failover, "a", "b", "c")
	for name, code := range row.does {
		b.does[name] = gives(t, code)
		if code == 52 {
			b.does[name] = func(q []byte) [][]byte { return [][]byte{protocolError(q, 246)} }
		}
	}
	o := newOwner(radius.CodeAccessRequest)
	o.HasState = row.state
	begun := time.Now()
	b.start(t, b.group, o)
	<-o.ended
	if took := time.Since(begun); took > 31*time.Second {
		t.Errorf("it took %v, expected the one schedule of 30s", took)
	}
	if o.wasRejected() {
		t.Error("a Reject is kept for an exchange that has ended")
	}
	asked := ""
	b.net.mu.Lock()
	for _, name := range []string{"a", "b", "c"} {
		if b.got[name] > 0 {
			asked += name
		}
		if _, answers := row.does[name]; answers && b.got[name] > 1 {
			t.Errorf("%s got it %d times, expected once", name, b.got[name])
		}
	}
	b.net.mu.Unlock()
	if asked != row.asked {
		t.Errorf("the servers %q got it, expected %q", asked, row.asked)
	}
	pass(time.Minute)
	if o.outcome() != row.want {
		t.Errorf("%s, expected %s, and one end", o.outcome(), row.want)
	}
	if n := b.count(t, "radsec_gw_server_answers_total", "code", "Access-Reject"); int(n) != row.rejected {
		t.Errorf("%v Rejects of servers are counted, expected %d", n, row.rejected)
	}
	if n := b.count(t, "radsec_gw_server_requests_moved_total"); int(n) < row.moved || row.moved == 0 && n != 0 {
		t.Errorf("%v moves are counted, expected %d and those from silent servers", n, row.moved)
	}
	if n := b.count(t, "radsec_gw_server_outstanding_requests"); n != 0 {
		t.Errorf("%v Identifiers are still taken, expected none", n)
	}
}

// At the next server it is a new request: another Request Authenticator, written anew.
// Its way is by the group's own order.
// Rules: AR13, P65
func TestRejectedRequestIsNewAtTheNext(t *testing.T) {
	for _, balance := range []Balance{Failover, LeastOutstanding, Sticky} {
		t.Run(balanceNames[balance], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newRejectBed(t, balance, "a", "b")
				for _, name := range []string{"a", "b"} {
					b.does[name] = gives(t, radius.CodeAccessReject)
				}
				o := newOwner(radius.CodeAccessRequest)
				o.Key = 4711
				b.start(t, b.group, o)
				<-o.ended
				if o.outcome() != "replies [Access-Reject] fails []" || o.writes != 2 {
					t.Errorf("%s, written %d times, expected a Reject and 2", o.outcome(), o.writes)
				}
				b.net.mu.Lock()
				defer b.net.mu.Unlock()
				if b.got["a"] != 1 || b.got["b"] != 1 || string(b.seen["a"][4:20]) == string(b.seen["b"][4:20]) {
					t.Errorf("the servers got %v, expected one request each, with a Request Authenticator of its own", b.got)
				}
			})
		})
	}
}

// The Reject that came first is the one that the owner gets, and Served names its
// server.
// Rules: AR13
func TestFirstRejectIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRejectBed(t, Failover, "a", "b")
		b.does["a"], b.does["b"] = gives(t, radius.CodeAccessReject), gives(t, radius.CodeAccessReject)
		o := newOwner(radius.CodeAccessRequest)
		b.start(t, b.group, o)
		<-o.ended
		if server, port, sends := o.Served(); server != "a" || port != metrics.PortAuth || sends != 2 {
			t.Errorf("served by %q %v after %d transmissions, expected a, auth and 2", server, port, sends)
		}
	})
}

// A server in maintenance is not asked after a Reject: with no other, the Reject is
// passed on at once.
// Rules: AR13
func TestRejectWithNoOtherServerIsPassedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRejectBed(t, Failover, "a")
		b.does["a"], b.does["m"] = gives(t, radius.CodeAccessReject), gives(t, radius.CodeAccessAccept)
		resting := b.server(t, "m", func(c *ServerConfig) { c.Maintenance = true })
		t.Cleanup(resting.Close)
		b.group = must2(b.backend.NewGroup(GroupConfig{NextOnReject: true}, b.servers[0], resting))
		o := newOwner(radius.CodeAccessRequest)
		begun := time.Now()
		b.start(t, b.group, o)
		<-o.ended
		if o.outcome() != "replies [Access-Reject] fails []" || time.Since(begun) != 0 {
			t.Errorf("%s after %v, expected the Reject at once", o.outcome(), time.Since(begun))
		}
	})
}

// A server that was left as silent rejects late: the server that has the request now
// decides, and if it stays silent, the owner gets that Reject. The rejecting server is not
// asked again.
// Rules: AR13
func TestLateRejectIsKept(t *testing.T) {
	for _, row := range []struct {
		name, want string
		late       radius.Code
		second     radius.Code // what the second server replies 5 s later; 0: nothing
	}{
		{"the second accepts", "replies [Access-Accept] fails []", 3, 2},
		{"the second rejects", "replies [Access-Reject] fails []", 3, 3},
		{"the second is silent", "replies [Access-Reject] fails []", 3, 0},
		{"a late Accept wins", "replies [Access-Accept] fails []", 2, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newRejectBed(t, Failover, "a", "b")
				o := newOwner(radius.CodeAccessRequest)
				b.start(t, b.group, o)
				first := b.net.seen("a:1812")[0].octets
				b.net.mu.Lock()
				from := b.net.sockets[0]
				b.net.mu.Unlock()
				pass(12 * time.Second)
				b.net.mu.Lock()
				atA, atB := b.got["a"], b.seen["b"]
				b.net.mu.Unlock()
				if atB == nil {
					t.Fatal("b has not got the request after 12 s: the test proves nothing")
				}
				from.in <- answer(t, first, row.late)
				pass(5 * time.Second)
				if row.late == 3 && o.answered() {
					t.Errorf("%s after the late Reject, expected it to wait for b", o.outcome())
				}
				if row.second != 0 {
					for _, s := range b.net.sockets {
						if s.address == "b:1812" {
							s.in <- answer(t, atB, row.second)
							break
						}
					}
				}
				<-o.ended
				if o.outcome() != row.want {
					t.Errorf("%s, expected %s", o.outcome(), row.want)
				}
				pass(time.Minute)
				if n := b.count(t, "radsec_gw_server_replies_total", "result", "unmatched"); n != 0 || o.outcome() != row.want {
					t.Errorf("a minute later: %s with %v unmatched replies, expected one end and none", o.outcome(), n)
				}
				b.net.mu.Lock()
				defer b.net.mu.Unlock()
				if b.got["a"] != atA {
					t.Errorf("a got it %d times, expected no more than the %d before its reply", b.got["a"], atA)
				}
			})
		})
	}
}

// A request that is cancelled while the next server has it leaves no Reject behind,
// and the exchange may be used again.
// Rules: AR13
func TestCancelledRequestKeepsNoReject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRejectBed(t, Failover, "a", "b")
		b.does["a"] = gives(t, radius.CodeAccessReject)
		o := newOwner(radius.CodeAccessRequest)
		b.start(t, b.group, o)
		synctest.Wait()
		if !o.wasRejected() {
			t.Fatal("no Reject is kept while b has the request")
		}
		if !o.Cancel() {
			t.Error("the exchange did not wait")
		}
		if o.wasRejected() {
			t.Error("the Reject is kept for an exchange that was cancelled")
		}
		pass(time.Minute)
		if o.outcome() != "replies [] fails []" {
			t.Errorf("%s, expected nothing after Cancel", o.outcome())
		}
		b.does["a"] = nil
		b.start(t, b.group, o)
		<-o.ended
		if want := fmt.Sprintf("replies [] fails [%d]", FailSilent); o.outcome() != want {
			t.Errorf("used again with silent servers: %s, expected %s", o.outcome(), want)
		}
	})
}

// Without on_reject = "next" a Reject is passed on at once.
// Rules: AR13
func TestRejectIsPassedOnByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRejectBed(t, Failover, "a", "b")
		b.does["a"], b.does["b"] = gives(t, radius.CodeAccessReject), gives(t, radius.CodeAccessAccept)
		o := newOwner(radius.CodeAccessRequest)
		b.start(t, b.fixture.group(t, Failover, b.servers...), o)
		<-o.ended
		if o.outcome() != "replies [Access-Reject] fails []" {
			t.Errorf("%s, expected the Reject of a", o.outcome())
		}
	})
}

// A request that a server has rejected does not come back to it, nor to one that was
// silent, although the next one is silent and fails, and the first is up.
// Rules: AR13
func TestRejectedRequestDoesNotComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRejectBed(t, Failover, "a", "b")
		b.does["a"] = gives(t, radius.CodeAccessReject)
		o := newOwner(radius.CodeAccessRequest)
		b.start(t, b.group, o)
		for range 5 { // b is silent for all of them, and suspect or worse by then
			b.start(t, b.fixture.group(t, Failover, b.servers[1]), newOwner(radius.CodeAccessRequest))
		}
		<-o.ended
		if o.outcome() != "replies [Access-Reject] fails []" {
			t.Errorf("%s, expected the Reject of a", o.outcome())
		}
		if n := len(b.net.seen("a:1812")); n != 1 {
			t.Errorf("a got the request %d times, expected once", n)
		}
		if state := b.servers[1].endpoint(wire.KindAccess).health.State(); state.String() == "up" {
			t.Error("b is up: the test proves nothing")
		}
		pass(time.Minute)
	})
}

// A request whose client is gone at the moment of the Reject is not sent to the next
// server (RFC 6613 §2.6.1).
// Rules: AR13
func TestCancelledRequestIsNotAskedOfTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRejectBed(t, Failover, "a", "b")
		o := newOwner(radius.CodeAccessRequest)
		b.start(t, b.group, o)
		s := o.socket
		c := candidate{ex: &o.Exchange}
		if err := c.view.Parse(answer(t, b.net.seen("a:1812")[0].octets, radius.CodeAccessReject)); err != nil {
			t.Fatal(err)
		}
		s.mu.Lock() // as freeAnswered
		s.free(o.id)
		s.mu.Unlock()
		s.ep.addOutstanding(-1)
		if o.Cancel() {
			t.Error("Cancel has found the request, although its reply is being handled")
		}
		(&receiver{socket: s}).rejected(&c)
		pass(time.Minute)
		if n := len(b.net.seen("b:1812")); n != 0 || o.outcome() != fmt.Sprintf("replies [] fails [%d]", FailSilent) {
			t.Errorf("%s and %d requests to b, expected the end of the exchange and none", o.outcome(), n)
		}
	})
}

// An observer sees why the request moves.
// Rules: AR13
func TestMoveAfterRejectIsObserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRejectBed(t, Failover, "a", "b")
		b.does["a"], b.does["b"] = gives(t, radius.CodeAccessReject), gives(t, radius.CodeAccessAccept)
		j := new(rejectJournal)
		b.backend.SetObserver(j)
		o := newOwner(radius.CodeAccessRequest)
		b.start(t, b.group, o)
		<-o.ended
		if len(j.moves) != 1 || j.moves[0] != `a: the server rejected it; on_reject = "next"` {
			t.Errorf("the observer saw the moves %q, expected one from a, with its reason", j.moves)
		}
	})
}

// rejectJournal notes the moves of the owners' requests.
type rejectJournal struct{ moves []string }

func (j *rejectJournal) Observing() bool { return true }

func (j *rejectJournal) Observe(_ Handler, s *Step) {
	if s.Kind == StepMoves {
		j.moves = append(j.moves, s.Server+": "+s.Why)
	}
}
