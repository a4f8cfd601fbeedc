package udpback

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/config/defaults"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// answering makes the listed servers answer everything at once, the rest stay silent.
func (n *network) answering(t *testing.T, names ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	alive := map[string]bool{}
	for _, a := range names {
		alive[a+":1812"], alive[a+":1813"], alive[a+":3799"] = true, true, true
	}
	n.serve = func(address string, q []byte) [][]byte {
		if !alive[address] {
			return nil
		}
		switch wire.Code(q[0]) {
		case radius.CodeAccessRequest, radius.CodeStatusServer:
			return [][]byte{answer(t, q, radius.CodeAccessAccept)}
		case radius.CodeDisconnectRequest:
			return [][]byte{answer(t, q, radius.CodeDisconnectACK)}
		case radius.CodeCoARequest:
			return [][]byte{answer(t, q, radius.CodeCoAACK)}
		}
		return [][]byte{answer(t, q, radius.CodeAccountingResponse)}
	}
}

// A request whose server falls silent moves on after the configured number of
// sends, as a new request within the client's one deadline.
// Rules: P23, P65
func TestRequestsMoveFromASilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", nil)
		defer a.Close()
		defer b.Close()
		f.net.answering(t, "b")
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, f.group(t, Failover, a, b), o)
		<-o.ended
		if got := o.outcome(); got != "replies [Access-Accept] fails []" {
			t.Errorf("%s, expected b's Access-Accept", got)
		}
		// Two sends at a: the first wait is 2 s ±10 %, the second that times 2 ±0.1.
		if took := time.Since(f.net.start); took < 5200*time.Millisecond || took > 6850*time.Millisecond {
			t.Errorf("answered after %v, expected about 6s", took)
		}
		toA, toB := f.net.seen("a:1812"), f.net.seen("b:1812")
		if len(toA) != 2 || len(toB) != 1 {
			t.Fatalf("%d transmissions to a and %d to b, expected 2 and 1", len(toA), len(toB))
		}
		if string(toA[0].octets[4:20]) == string(toB[0].octets[4:20]) {
			t.Error("the request moved with its old Request Authenticator, expected a new one (RFC 2865 §2.5)")
		}
	})
}

// Moving on does not give a request more time than the one schedule has.
// Rules: P65
func TestDeadlineRunsOverAMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", nil)
		defer a.Close()
		defer b.Close()
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, f.group(t, Failover, a, b), o)
		<-o.ended
		if took := time.Since(f.net.start); o.outcome() != "replies [] fails [0]" || took < 29900*time.Millisecond || took > 30100*time.Millisecond {
			t.Errorf("%s after %v, expected FailSilent at the one deadline of 30s", o.outcome(), took)
		}
	})
}

// A server that answers others is not left because one request stays silent, until
// the route's patience is over; and it stays up.
// Rules: P83
func TestSilentRealmMakesNoServerDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", nil)
		defer a.Close()
		defer b.Close()
		g := f.group(t, Failover, a, b)
		silent := newOwner(radius.CodeAccessRequest)
		f.start(t, g, silent)
		f.net.answering(t, "a")
		f.net.mu.Lock()
		serve, first := f.net.serve, append([]byte(nil), f.net.received["a:1812"][0].octets...)
		f.net.serve = func(address string, q []byte) [][]byte {
			if string(q) == string(first) {
				return nil
			}
			return serve(address, q)
		}
		f.net.mu.Unlock()
		for i := range 29 {
			pass(time.Second)
			if n := len(f.net.seen("b:1812")); i < 9 && n != 0 {
				t.Fatalf("b got %d requests after %d s, expected none: a answers other requests", n, i+1)
			}
			o := newOwner(radius.CodeAccountingRequest)
			o.Code, o.code, o.Kind = radius.CodeAccessRequest, radius.CodeAccessRequest, wire.KindAccess
			f.start(t, g, o)
			<-o.ended
		}
		<-silent.ended
		// A sweep takes along what falls due within its grain: so much may the move be early.
		switch seen := f.net.seen("b:1812"); {
		case len(seen) == 0:
			t.Errorf("b got nothing, expected the silent request after %v", defaults.Patience)
		case (seen[0].at - defaults.Patience).Abs() > sweepGrain:
			t.Errorf("b got the silent request at %v, expected it at %v within %v", seen[0].at, defaults.Patience, sweepGrain)
		}
		if s := a.endpoint(wire.KindAccess).health.State(); s != health.Up {
			t.Errorf("a is %v, expected up", s)
		}
	})
}

// CoA and Disconnect stay with their server (RFC 5176 §2.3).
// Rules: P95
func TestDisconnectDoesNotMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", nil)
		defer a.Close()
		defer b.Close()
		f.net.answering(t, "b")
		o := newOwner(radius.CodeDisconnectRequest)
		f.start(t, f.group(t, Failover, a, b), o)
		<-o.ended
		if got := o.outcome(); got != "replies [] fails [0]" || len(f.net.seen("b:3799")) != 0 {
			t.Errorf("%s, %d sent to b; expected silence from a and nothing to b", got, len(f.net.seen("b:3799")))
		}
	})
}

// A server that is down is sent only checks, and is used again after three answers.
// Rules: P81, P82, P84
func TestServerThatIsDownIsCheckedUntilItIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		checked := func(c *ServerConfig) { c.Health = health.Config{Check: health.CheckStatusServer} }
		a, b := f.server(t, "a", checked), f.server(t, "b", checked)
		defer a.Close()
		defer b.Close()
		f.net.answering(t, "a", "b")
		g := f.group(t, Failover, a, b)
		pass(5 * time.Second)
		f.net.answering(t, "b")
		var owners []*owner
		for range 600 { // a minute of ten requests a second
			pass(100 * time.Millisecond)
			o := newOwner(radius.CodeAccessRequest)
			owners = append(owners, o)
			f.start(t, g, o)
		}
		pass(30 * time.Second)
		for i, o := range owners {
			if o.outcome() != "replies [Access-Accept] fails []" {
				t.Fatalf("request %d: %s, expected an answer", i, o.outcome())
			}
		}
		if s := a.endpoint(wire.KindAccess).health.State(); s != health.Down {
			t.Fatalf("a is %v after a minute of silence, expected down", s)
		}
		for _, tr := range f.net.seen("a:1812") {
			// Silence shows at the first resend, 2 s ±10 % after the first send.
			if tr.at > 15*time.Second && tr.octets[0] != byte(radius.CodeStatusServer) {
				t.Fatalf("a got code %d at %v, expected nothing but checks after detection", tr.octets[0], tr.at)
			}
		}
		checksDiffer(t, f.net.seen("a:1812"))

		f.net.answering(t, "a", "b")
		pass(15 * time.Second)
		if s := a.endpoint(wire.KindAccess).health.State(); s != health.Up {
			t.Fatalf("a is %v fifteen seconds after it answers again, expected up", s)
		}
		before := len(f.net.seen("a:1812"))
		o := newOwner(radius.CodeAccessRequest)
		f.start(t, g, o)
		if n := len(f.net.seen("a:1812")); n != before+1 {
			t.Errorf("a got %d new packets, expected the next request: it is the first of the group again", n-before)
		}
	})
}

// Checks are never retransmitted: each has a Request Authenticator of its own
// (RFC 5997 §4.1).
func checksDiffer(t *testing.T, seen []transmission) {
	t.Helper()
	checks := map[string]bool{}
	for _, tr := range seen {
		if tr.octets[0] != byte(radius.CodeStatusServer) {
			continue
		}
		if key := string(tr.octets[4:20]); checks[key] {
			t.Fatal("a check was sent twice")
		} else {
			checks[key] = true
		}
	}
	if len(checks) < 3 {
		t.Errorf("%d checks, expected several", len(checks))
	}
}

// Without checks a trickle of real requests tries the dead server.
// Rules: P84
func TestRequestsTryAServerThatIsDownWithoutChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", nil)
		defer a.Close()
		defer b.Close()
		f.net.answering(t, "b")
		g := f.group(t, Failover, a, b)
		request := func() {
			pass(50 * time.Millisecond)
			f.start(t, g, newOwner(radius.CodeAccessRequest))
		}
		for range 600 { // thirty seconds
			request()
		}
		late := 0
		firsts := map[string]bool{}
		for _, tr := range f.net.seen("a:1812") {
			if key := string(tr.octets); tr.at > 5*time.Second && !firsts[key] {
				late++
				firsts[key] = true
			}
		}
		// One at once, then after 6 s and after 12 s; resends of earlier ones beside.
		if a.endpoint(wire.KindAccess).health.State() != health.Down || late < 2 || late > 3 {
			t.Errorf("a is %v and got %d different requests after detection, expected down and a trickle", a.endpoint(wire.KindAccess).health.State(), late)
		}
		f.net.answering(t, "a", "b")
		for range 260 {
			request()
		}
		if s := a.endpoint(wire.KindAccess).health.State(); s != health.Up {
			t.Errorf("a is %v thirteen seconds after it answers again, expected up", s)
		}
	})
}

// A request with State goes to the server that issued it, in every mode.
// Rules: P66
func TestStateStaysWithItsServer(t *testing.T) {
	for _, balance := range []Balance{Failover, LeastOutstanding, Sticky} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			a, b, c := f.server(t, "a", nil), f.server(t, "b", nil), f.server(t, "c", nil)
			servers := []*Server{a, b, c}
			for _, s := range servers {
				defer s.Close()
			}
			g := f.group(t, balance, servers...)
			for i := range 300 {
				state := fmt.Sprintf("state-%d", i)
				ex := &Exchange{progress: progress{ep: servers[i%3].endpoint(wire.KindAccess)}}
				g.rememberIssuer(ex, []byte(state))
				next := &Exchange{Kind: wire.KindAccess, Key: uint64(i) * 7919, HasState: true, StateHash: Hash([]byte(state)), Conversation: true}
				if got, _ := g.choose(next, g.updateMembers(next)); got != i%3 {
					t.Fatalf("balance %d: State of server %d goes to %d", balance, i%3, got)
				}
			}
		})
	}
}

// Two gateways with the same configuration choose alike, and when a server
// leaves only its own requests go elsewhere.
// Rules: P66
func TestRendezvousAgreesAndMovesLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, other := newFixture(t), newFixture(t)
		var mine, theirs []*Server
		for _, name := range []string{"a", "b", "c"} {
			mine = append(mine, f.server(t, name, nil))
			theirs = append(theirs, other.server(t, name, nil))
		}
		for i := range mine {
			defer mine[i].Close()
			defer theirs[i].Close()
		}
		g, h, fewer := f.group(t, Sticky, mine...), other.group(t, Sticky, theirs...), f.group(t, Sticky, mine[:2]...)
		share := [3]int{}
		for i := range 3000 {
			ex := &Exchange{Kind: wire.KindAccess, Key: Hash([]byte(fmt.Sprint("user", i)))}
			got, _ := g.choose(ex, g.current())
			share[got]++
			for _, s := range mine { // another version may be beside this one
				if weight := func(s *Server) uint64 { return mix(ex.Key ^ Hash([]byte(s.Name))) }; weight(s) > weight(mine[got]) {
					t.Fatalf("key %d goes to %s, expected %s, which has the highest mix of key and name", i, mine[got].Name, s.Name)
				}
			}
			if there, _ := h.choose(ex, h.current()); there != got {
				t.Fatalf("key %d goes to %d here and to %d on the other gateway", i, got, there)
			}
			if still, _ := fewer.choose(ex, fewer.current()); got != 2 && still != got {
				t.Fatalf("key %d moved from server %d although server 2 left", i, got)
			}
		}
		for i, n := range share {
			if n < 850 || n > 1150 {
				t.Errorf("server %d has %d of 3000 keys, expected about 1000", i, n)
			}
		}
	})
}

// Near the ceiling only conversations that have begun get an Identifier.
// Rules: P67
func TestOverloadPrefersState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", func(c *ServerConfig) { c.MaxSockets = 1 })
		defer s.Close()
		g := f.group(t, Failover, s)
		b := f.backend.AcquireBatch()
		defer f.backend.ReleaseBatch(b)
		started := 0
		for range 256 {
			if g.Start(&newOwner(radius.CodeAccessRequest).Exchange, b) == nil {
				started++
			}
		}
		if started != 240 {
			t.Errorf("%d requests without State were started, expected 240 of 256", started)
		}
		for i := range 16 {
			o := newOwner(radius.CodeAccessRequest)
			o.HasState = true
			if err := g.Start(&o.Exchange, b); err != nil {
				t.Fatalf("request %d with State: %v, expected one of the last sixteen Identifiers", i, err)
			}
		}
		b.Flush()
	})
}
