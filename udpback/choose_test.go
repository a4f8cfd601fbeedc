package udpback

import (
	"hash/fnv"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"

	"radsec-gw/config/defaults"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// bring takes a server's port for Access-Request into a state.
func (f *fixture) bring(t *testing.T, s *Server, to health.State) {
	t.Helper()
	p := s.endpoint(wire.KindAccess).health
	switch to {
	case health.Suspect:
		p.Refused()
	case health.Failing:
		for range defaults.FailingAfter {
			p.Unanswered(f.backend.Now())
		}
	case health.Down:
		p.NoAddress(errTest)
	}
	if got := p.State(); got != to {
		t.Fatalf("%s is %v, expected %v", s.Name, got, to)
	}
}

const up, suspect, failing, down = health.Up, health.Suspect, health.Failing, health.Down

// states is those of four servers.
type states = [4]health.State

var choices = []struct {
	name    string
	balance Balance
	states  states
	loads   [4]int64
	issuer  int // 1 to 4; 0: no State, or one that nobody issued
	tried   uint64
	code    wire.Code
	eap     bool // the request is one of several rounds
	want    int
}{
	{name: "all are up", want: 0},
	{name: "the first is suspect", states: states{suspect, up, up, up}, want: 1},
	{name: "all are suspect", states: states{suspect, suspect, suspect, suspect}, want: 0},
	{name: "suspect before failing", states: states{down, failing, suspect, failing}, issuer: 5, want: 2},
	{name: "failing before down", states: states{down, down, failing, down}, issuer: 5, want: 2},
	{name: "down is better than nothing", states: states{down, down, down, down}, issuer: 5, want: 0},
	{name: "the first was tried", tried: 1, want: 1},
	{name: "all but the last were tried", tried: 7, want: 3},
	{name: "all were tried", tried: 15, want: -1},
	{name: "the one that is up was tried", states: states{up, suspect, suspect, up}, tried: 9, want: 1},
	{name: "the issuer", issuer: 3, want: 2},
	{name: "the issuer is suspect", states: states{up, up, suspect, up}, issuer: 3, want: 2},
	{name: "the issuer is failing", states: states{up, up, failing, up}, issuer: 3, want: 2},
	{name: "the issuer is down", states: states{up, up, down, up}, issuer: 3, want: 0},
	{name: "the issuer was tried", issuer: 3, tried: 4, want: 0},
	{name: "the issuer is the first, others were tried", issuer: 1, tried: 2, want: 0},
	{name: "the fewest wait at the third", balance: LeastOutstanding, loads: [4]int64{5, 4, 3, 4}, want: 2},
	{name: "the fewest wait at the first", balance: LeastOutstanding, loads: [4]int64{1, 4, 3, 4}, want: 0},
	{name: "the fewest wait at one that is suspect", balance: LeastOutstanding, loads: [4]int64{5, 4, 3, 4}, states: states{up, up, suspect, failing}, issuer: 5, want: 1},
	{name: "a conversation goes where its key says", balance: LeastOutstanding, loads: [4]int64{5, 4, 3, 4}, eap: true, want: 1},
	{name: "all go where their key says", balance: Sticky, loads: [4]int64{5, 4, 3, 4}, want: 1},
	{name: "CoA has one port only", code: radius.CodeCoARequest, want: 3},
	{name: "no server has been tried for Disconnect but the only one", code: radius.CodeDisconnectRequest, tried: 8, want: -1},
}

// Which server a request gets, by the states of four, the balance, what it has tried,
// and who issued its State.
// Rules: P65, P66, P84
func TestChoose(t *testing.T) {
	for _, row := range choices {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			var servers []*Server
			for i, name := range []string{"a", "b", "c", "d"} {
				s := f.server(t, name, func(c *ServerConfig) {
					c.Health.Check = health.CheckStatusServer
					if i < 3 {
						c.CoAPort = 0
					}
				})
				defer s.Close()
				f.bring(t, s, row.states[i])
				s.endpoint(wire.KindAccess).outstanding.Store(row.loads[i])
				servers = append(servers, s)
			}
			g := f.group(t, row.balance, servers...)
			code := row.code
			if code == 0 {
				code = radius.CodeAccessRequest
			}
			ex := &Exchange{Code: code, Kind: wire.KindOf(code), Conversation: row.eap}
			ex.tried = row.tried
			if row.issuer > 0 {
				ex.HasState, ex.StateHash = true, Hash([]byte("state"))
			}
			if row.issuer > 0 && row.issuer <= 4 {
				g.rememberIssuer(&Exchange{progress: progress{ep: servers[row.issuer-1].endpoint(wire.KindAccess)}}, []byte("state"))
			}
			if got, try := g.choose(ex, g.current()); got != row.want || try {
				t.Errorf("%s: server %d, try %t; expected %d, no try", row.name, got, try, row.want)
			}
			for _, s := range servers {
				s.endpoint(wire.KindAccess).outstanding.Store(0)
			}
		})
	}
}

// A request tries a server that is failing, or down without checks, when that is due, and
// only goes there for a moment if another is better. The name of what it tries is looked
// up.
// Rules: P84
func TestChooseServerToTry(t *testing.T) {
	const up, failing = health.Up, health.Failing
	for _, row := range []struct {
		name   string
		states [3]health.State
		want   int
		try    bool
	}{
		{"the first is failing", [3]health.State{failing, up, up}, 0, true},
		{"the second is failing", [3]health.State{up, failing, up}, 1, true},
		{"the last is failing", [3]health.State{up, up, failing}, 2, true},
		{"all are failing: the next is as good as the first", [3]health.State{failing, failing, failing}, 1, false},
		{"none is failing", [3]health.State{up, up, up}, 0, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			f.net.name(host, "e")
			servers := []*Server{f.server(t, "d", func(c *ServerConfig) { c.AuthPort = 0 })} // not for this kind
			for _, name := range []string{"a", "b", "c"} {
				servers = append(servers, f.server(t, name, named(0, health.CheckStatusServer)))
			}
			for _, s := range servers {
				defer s.Close()
			}
			f.net.answering(t, "e")
			pass(5 * time.Second)
			for i, s := range servers[1:] {
				f.bring(t, s, row.states[i])
			}
			g := f.group(t, Failover, servers...)
			pass(20 * time.Second)
			ex := &Exchange{Code: radius.CodeAccessRequest, Kind: wire.KindAccess}
			f.net.set(func() { f.net.lookups = 0 })
			if got, try := g.choose(ex, g.current()); got != row.want+1 || try != row.try {
				t.Errorf("%s: server %d, try %t; expected %d, try %t", row.name, got, try, row.want+1, row.try)
			}
			pass(time.Millisecond)
			f.net.mu.Lock()
			defer f.net.mu.Unlock()
			if looked := f.net.lookups > 0; looked != (row.states[row.want] == failing) {
				t.Errorf("%s: its name was looked up %t, expected that of a server which is tried", row.name, looked)
			}
		})
	}
}

// A group of one server has no choice: it is used whatever its state, once.
// Rules: P84
func TestChooseAmongOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		s := f.server(t, "a", func(c *ServerConfig) { c.CoAPort = 0 })
		defer s.Close()
		g := f.group(t, Sticky, s)
		f.bring(t, s, health.Down)
		for _, row := range []struct {
			kind  wire.Kind
			tried uint64
			want  int
		}{{wire.KindAccess, 0, 0}, {wire.KindAccess, 1, -1}, {wire.KindCoA, 0, -1}} {
			ex := &Exchange{Kind: row.kind}
			ex.tried = row.tried
			if got, try := g.choose(ex, g.current()); got != row.want || try {
				t.Errorf("%v, tried %b: server %d, try %t; expected %d, no try", row.kind, row.tried, got, try, row.want)
			}
		}
		if g.Chooses() {
			t.Error("a group of one server says that it chooses")
		}
	})
}

// Where a request may go from a server that it leaves: to one that it has not had, in
// no worse state; or back to one that it has left, in a better. Never to one that is
// down.
// Rules: P65, P84
func TestCanMove(t *testing.T) {
	const up, suspect, failing, down = health.Up, health.Suspect, health.Failing, health.Down
	for _, row := range []struct {
		name            string
		a, b, c         health.State // a has the request
		tried, declined uint64
		elsewhere       bool
		untried         bool // one in no worse state than a
	}{
		{"another is up", up, up, down, 1, 0, true, true},
		{"another is worse", up, suspect, down, 1, 0, false, false},
		{"another is as bad", suspect, suspect, down, 1, 0, true, true},
		{"another is as failing", failing, down, failing, 1, 0, true, true},
		{"all are down", down, down, down, 1, 0, false, false},
		{"one is failing and the others down", down, failing, down, 1, 0, true, true},
		{"it has left the better one", suspect, up, down, 3, 0, true, false},
		{"it has left one that is as good", up, up, down, 3, 0, false, false},
		{"it has left one that is as suspect", suspect, suspect, down, 3, 0, false, false},
		{"it has left one that is worse", suspect, failing, down, 3, 0, false, false},
		{"it has left one that has declined", suspect, up, down, 3, 2, false, false},
		{"it has left two, one has declined", failing, up, suspect, 7, 2, true, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			var servers []*Server
			for i, name := range []string{"a", "b", "c"} {
				s := f.server(t, name, func(c *ServerConfig) { c.Health.Check = health.CheckStatusServer })
				defer s.Close()
				f.bring(t, s, [3]health.State{row.a, row.b, row.c}[i])
				servers = append(servers, s)
			}
			g := f.group(t, Failover, servers...)
			ex := &Exchange{Kind: wire.KindAccess}
			ex.members, ex.ep, ex.tried, ex.declined = g.current(), servers[0].endpoint(wire.KindAccess), row.tried, row.declined
			if got := g.canMove(ex, row.a); got != row.elsewhere {
				t.Errorf("%s: it may go elsewhere: %t, expected %t", row.name, got, row.elsewhere)
			}
			if got := g.hasUntried(ex, row.a); got != row.untried {
				t.Errorf("%s: there is one that it has not tried: %t, expected %t", row.name, got, row.untried)
			}
		})
	}
}

// Whether the server that has a request issued its State.
// Rules: P66
func TestIssuedState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a, b := f.server(t, "a", nil), f.server(t, "b", nil)
		defer a.Close()
		defer b.Close()
		g := f.group(t, Failover, a, b)
		state := Hash([]byte("state"))
		at := func(s *Server, state uint64) *Exchange {
			return &Exchange{HasState: state != 0, StateHash: state, progress: progress{ep: s.endpoint(wire.KindAccess)}}
		}
		if g.issuedState(at(a, state)) {
			t.Error("a State that nobody issued is taken for a's")
		}
		g.rememberIssuer(at(a, 0), []byte("state"))
		for _, row := range []struct {
			s     *Server
			state uint64
			want  bool
		}{{a, state, true}, {b, state, false}, {a, 0, false}, {a, state + 2, false}} {
			if got := g.issuedState(at(row.s, row.state)); got != row.want {
				t.Errorf("State %x at %s: issued there %t, expected %t", row.state, row.s.Name, got, row.want)
			}
		}
		a.number = 0 // more servers than there are numbers
		if i, ok := g.issuer(at(b, state+4), g.current()); ok {
			t.Errorf("server %d, which has no number, is taken for the issuer of a State that is not known", i)
		}
		if g.issuedState(at(a, state+4)) {
			t.Error("a server without a number is taken for the issuer of a State that is not known")
		}
	})
}

// Every gateway, of this version or another, computes the same: FNV-1a, and the
// finaliser of SplitMix64, whose first numbers from 0 are published.
// Rules: P66
func TestHashes(t *testing.T) {
	if got, want := Hash(), uint64(14695981039346656037); got != want {
		t.Errorf("the hash of nothing is %d, expected %d", got, want)
	}
	f := fnv.New64a()
	f.Write([]byte("abc"))
	if got, want := Hash([]byte("abc")), (f.Sum64()^3^0x100)*1099511628211; got != want {
		t.Errorf("the hash of abc is %x, expected %x", got, want)
	}
	if Hash([]byte("ab"), []byte("c")) == Hash([]byte("a"), []byte("bc")) || Hash([]byte("a"), nil) == Hash(nil, []byte("a")) {
		t.Error("the border between two parts does not matter, expected that it does")
	}
	const step = 0x9e3779b97f4a7c15
	seed := uint64(0)
	for i, want := range []uint64{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f} {
		if seed += step; mix(seed) != want {
			t.Errorf("number %d of SplitMix64 is %x, expected %x", i, mix(seed), want)
		}
	}
	if a, b := ServerID("a"), ServerID("b"); a == b || a != uint32(Hash([]byte("a"))>>32) {
		t.Errorf("the numbers of a and b are %x and %x, expected the upper half of their hashes", a, b)
	}
}

// That every server is failing is a matter of preference: requests go to one of them all
// the same, and are answered as soon as it does its work again.
// Rules: P83
func TestFailingServersAreUsedWhereThereIsNoBetter(t *testing.T) {
	for _, balance := range []Balance{Failover, LeastOutstanding} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			a, b := f.server(t, "a", checked), f.server(t, "b", checked)
			defer a.Close()
			defer b.Close()
			f.net.answering(t, "a", "b")
			right := f.net.serve
			f.net.hung("a")
			f.net.hung("b")
			g := f.group(t, balance, a, b)
			for range 40 {
				f.start(t, g, newOwner(radius.CodeAccessRequest))
				pass(time.Second)
			}
			pass(time.Minute)
			for _, s := range []*Server{a, b} {
				if state := s.endpoint(wire.KindAccess).health.State(); state != health.Failing {
					t.Fatalf("%s is %v, expected failing: it answers checks only", s.Name, state)
				}
			}
			f.net.set(func() { f.net.serve = right })
			if outcome, took := f.login(t, g); outcome != accepted || took > time.Second {
				t.Errorf("%s after %v, expected an Access-Accept at once", outcome, took)
			}
		})
	}
}
