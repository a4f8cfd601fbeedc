package udpback

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// deafTo has the servers answer everything but the first n copies of each request
// to one of them; checks it answers, if any are sent.
func (n *network) deafTo(t *testing.T, address string, copies int) {
	n.answering(t, "a", "b", "c")
	var mu sync.Mutex
	got := map[string]int{}
	n.wrap(func(serve server, to string, q []byte) [][]byte {
		mu.Lock()
		defer mu.Unlock()
		if to == address && wire.Code(q[0]) != radius.CodeStatusServer {
			if got[string(q)]++; got[string(q)] <= copies {
				return nil
			}
		}
		return serve(to, q)
	})
}

// server is what network.serve is.
type server = func(address string, datagram []byte) [][]byte

// wrap puts f before what serves now.
func (n *network) wrap(f func(serve server, to string, q []byte) [][]byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	serve := n.serve
	n.serve = func(to string, q []byte) [][]byte { return f(serve, to, q) }
}

// A request with State stays with the living server that issued it, although two
// datagrams were lost; one without goes on.
// Rules: P65, P66
func TestConversationsStayThroughLoss(t *testing.T) {
	for _, row := range []struct {
		name  string
		state uint64
		moves bool
	}{{"with State", Hash([]byte("state")), false}, {"without State", 0, true}} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			checked := func(c *ServerConfig) { c.Health.Check = health.CheckNone }
			a, b := f.server(t, "a", checked), f.server(t, "b", checked)
			defer a.Close()
			defer b.Close()
			f.net.deafTo(t, "a:1812", 2)
			g := f.group(t, Failover, a, b)
			g.rememberIssuer(&Exchange{progress: progress{ep: a.endpoint(wire.KindAccess)}}, []byte("state"))
			o := newOwner(radius.CodeAccessRequest)
			o.HasState, o.StateHash = row.state != 0, row.state
			f.start(t, g, o)
			<-o.ended
			if got := o.outcome(); got != "replies [Access-Accept] fails []" {
				t.Errorf("%s: %s, expected an Access-Accept", row.name, got)
			}
			if moved := len(f.net.seen("b:1812")) > 0; moved != row.moves {
				t.Errorf("%s: went to the other server: %t, expected %t", row.name, moved, row.moves)
			}
		})
	}
}

// When the server that issued the State is down its conversations are lost, and the next
// server says so to the client, instead of silence until the schedule ends.
// Rules: P65, P66
func TestConversationsMoveFromAServerThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", nil)
		defer a.Close()
		defer b.Close()
		f.net.answering(t, "b")
		g := f.group(t, Failover, a, b)
		g.rememberIssuer(&Exchange{progress: progress{ep: a.endpoint(wire.KindAccess)}}, []byte("state"))
		var all []*owner
		for range 3 { // as many as make it suspect
			o := newOwner(radius.CodeAccessRequest)
			o.HasState, o.StateHash = true, Hash([]byte("state"))
			f.start(t, g, o)
			all = append(all, o)
		}
		for _, o := range all {
			<-o.ended
			if took := time.Since(f.net.start); o.outcome() != "replies [Access-Accept] fails []" || took > 6900*time.Millisecond {
				t.Errorf("%s after %v, expected b's answer after the second wait", o.outcome(), took)
			}
		}
	})
}

// The first valid reply wins, also when it comes from the server that the request
// has left: a slow one has it once and is not asked to do it again.
// Rules: P64
func TestLateReplyOfTheFirstServerCounts(t *testing.T) {
	for _, code := range []radius.Code{radius.CodeAccessRequest, radius.CodeAccountingRequest} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			var log bytes.Buffer
			f.backend.log = slog.New(slog.NewTextHandler(&log, nil))
			a, b := f.server(t, "a", nil), f.server(t, "b", nil)
			defer a.Close()
			defer b.Close()
			port := map[radius.Code]string{radius.CodeAccessRequest: ":1812", radius.CodeAccountingRequest: ":1813"}[code]
			o := newOwner(code)
			pass(5 * time.Second)
			f.start(t, f.group(t, Failover, a, b), o)
			pass(8 * time.Second)
			first, second := f.net.seen("a"+port), f.net.seen("b"+port)
			if len(first) != 2 || len(second) == 0 {
				t.Fatalf("%v: %d transmissions to a and %d to b, expected that it moved on after two", code, len(first), len(second))
			}
			f.net.sockets[first[0].socket].in <- answer(t, first[0].octets, code+1)
			<-o.ended
			f.net.sockets[second[0].socket].in <- answer(t, second[0].octets, code+1)
			pass(time.Minute)
			if got := len(o.replies) + len(o.fails); got != 1 || len(o.replies) != 1 {
				t.Errorf("%v: %s, expected a's late reply and nothing else", code, o.outcome())
			}
			if server, _, sends := o.Served(); server != "a" || sends < 3 {
				t.Errorf("%v: answered by %s after %d transmissions, expected a and at least 3", code, server, sends)
			}
			if n := len(f.net.seen("b" + port)); n != len(second) {
				t.Errorf("%v: %d more transmissions to b after the reply", code, n-len(second))
			}
			if got := f.count(t, "radsec_gw_server_replies_total", "result", "unmatched"); got != 1 {
				t.Errorf("%v: %v unmatched replies, expected b's only", code, got)
			}
			if got := f.count(t, "radsec_gw_replies_after_move_total"); got != 1 {
				t.Errorf("%v: %v replies counted as after a move, expected a's", code, got)
			}
			a.Close()
			b.Close()
			if strings.Contains(log.String(), "set patience") { // 8 s are within it
				t.Errorf("%v: a longer patience was recommended, expected not: it would not have helped\n%s", code, &log)
			}
		})
	}
}

// A late reply does not affect the request that the exchange is used for by then.
// Rules: P64
func TestLateReplyHasNoExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", nil)
		defer a.Close()
		defer b.Close()
		g := f.group(t, Failover, a, b)
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, g, o)
		pass(8 * time.Second)
		first := f.net.seen("a:1812")
		f.net.answering(t, "b")
		<-o.ended
		f.net.answering(t)
		f.start(t, g, o) // the same exchange carries the next request
		f.net.sockets[first[0].socket].in <- answer(t, first[0].octets, radius.CodeAccessReject)
		synctest.Wait()
		if got := o.outcome(); got != "replies [Access-Accept] fails []" {
			t.Errorf("%s, expected that the late reply of the first request is nothing to the second", got)
		}
		o.Cancel()
	})
}

// From a server that is up a request does not move to one that is suspect; and a request
// whose second server goes down returns to the first.
// Rules: P65
func TestRequestsDoNotMoveToAWorseServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", func(c *ServerConfig) { c.Health.Check = health.CheckStatusServer })
		defer a.Close()
		defer b.Close()
		f.net.deafTo(t, "a:1812", 2)
		f.net.wrap(func(serve server, to string, q []byte) [][]byte {
			if to == "b:1812" {
				return nil
			}
			return serve(to, q)
		})
		b.endpoint(wire.KindAccess).health.Refused()
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, f.group(t, Failover, a, b), o)
		<-o.ended
		for _, tr := range f.net.seen("b:1812") {
			if tr.octets[0] != byte(radius.CodeStatusServer) {
				t.Errorf("b, which is suspect, was sent the request, expected nothing but checks: a is up")
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		quick := func(c *ServerConfig) {
			c.Schedule = Schedule{Initial: 300 * time.Millisecond, Count: 20}
		}
		a, b := f.server(t, "a", quick), f.server(t, "b", quick)
		defer a.Close()
		defer b.Close()
		f.net.deafTo(t, "a:1812", 2)
		f.net.wrap(func(serve server, to string, q []byte) [][]byte {
			if to == "b:1812" {
				return nil
			}
			return serve(to, q)
		})
		g := f.group(t, Failover, a, b)
		lost := newOwner(radius.CodeAccessRequest)
		f.start(t, g, lost)
		pass(1100 * time.Millisecond) // it has moved to b, after 1.03 s at most
		b.endpoint(wire.KindAccess).health.NoAddress(errTest)
		pass(5 * time.Second)
		moved, back := len(f.net.seen("b:1812")), f.net.seen("a:1812")
		if moved == 0 || len(back) != 5 || string(back[1].octets) == string(back[2].octets) {
			t.Errorf("%d transmissions to b and %d to a, expected some, and 2+3: back at a it is a new request, two copies of which are lost", moved, len(back))
		}
		if got := lost.outcome(); got != "replies [Access-Accept] fails []" {
			t.Errorf("%s, expected a's Access-Accept", got)
		}
	})
}

// A "not routable" from a server that the request has left does not end it at the next.
// Rules: P64, P97
func TestLateProtocolErrorOfTheFirstServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", nil)
		defer a.Close()
		defer b.Close()
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, f.group(t, Failover, a, b), o)
		pass(8 * time.Second)
		first, second := f.net.seen("a:1812"), f.net.seen("b:1812")
		f.net.sockets[first[0].socket].in <- protocolError(first[0].octets, 505-256)
		synctest.Wait()
		f.net.sockets[second[0].socket].in <- answer(t, second[0].octets, radius.CodeAccessAccept)
		<-o.ended
		if got := o.outcome(); got != "replies [Access-Accept] fails []" {
			t.Errorf("%s, expected b's Access-Accept", got)
		}
	})
}

// A server that answers checks but no requests is left as soon as several requests in
// a row were not answered, and no later than the route's patience.
// Rules: P65
func TestAnsweringOnlyChecksDoesNotKeepRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		checked := func(c *ServerConfig) { c.Health.Check = health.CheckStatusServer }
		a, b := f.server(t, "a", checked), f.server(t, "b", checked)
		defer a.Close()
		defer b.Close()
		f.net.deafTo(t, "a:1812", 1000)
		g := f.group(t, Failover, a, b)
		for i := range 100 { // ten seconds of steady traffic
			o := newOwner(radius.CodeAccessRequest)
			before := time.Now()
			f.start(t, g, o)
			pass(100 * time.Millisecond)
			go func() {
				<-o.ended
				if took := time.Since(before); o.outcome() != "replies [Access-Accept] fails []" || took > 2700*time.Millisecond {
					t.Errorf("request %d: %s after %v, expected b's Access-Accept within 2.7s: the wait of 2.2s at most for the first, 0.4s until the fifth", i, o.outcome(), took)
				}
			}()
		}
		pass(10 * time.Second)
	})
}
