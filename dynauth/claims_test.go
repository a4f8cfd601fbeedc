package dynauth

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"
)

func oni(s string) attr { return attr{241, "\x08" + s} }

// A NAS's name is one, in NAS-Identifier and in Operator-NAS-Identifier: who sends another's in
// either gets none of its requests, whatever else it sends, learned or configured.
//
// Rules: RC8, RC9
func TestNamesInEitherAttribute(t *testing.T) {
	b := newBed(t)
	b.change("a", func(c *ClientConfig) { c.Identifiers = []string{"ap-configured"} })
	b.change("b", func(c *ClientConfig) { c.Identifiers = []string{"of-b"} })
	first, second := b.open("a"), b.open("b")
	first.login(nasID("ap-a"), session("s-a"))
	second.login(oni("ap-a"), nasID("of-b"), session("s-b"))
	second.login(oni("of-b"), nasID("ap-configured"), session("s-b"))
	for i, names := range []attrs{{oni("ap-a")}, {nasID("ap-a")}, {oni("ap-a"), session("s-a")}, {nasID("ap-configured")}, {oni("ap-configured")}} {
		b.ask(byte(i), names...)
		first.one()
	}
	if got := b.counts("radsec_gw_reverse_claims_refused_total"); got != "2" {
		t.Errorf("%s claims were refused, expected 2", got)
	}
	b.wantNAK(b.ask(9, oni("of-b"), nasID("ap-configured")), 403) // the names of two clients
}

// A client that floods the table takes no space from the NASes of others that are connected.
//
// Rules: RC9
func TestFloodOfNames(t *testing.T) {
	b := newBed(t)
	b.cfg.MaxLearned = 1000
	b.configure()
	first, second := b.open("a"), b.open("b")
	for i := range 20 {
		first.account(1, nasID(fmt.Sprint("ap-", i)), session(fmt.Sprint("s-", i)))
	}
	for i := range 20_000 {
		second.account(1, nasID(fmt.Sprint("flood-", i)), session(fmt.Sprint("f-", i)))
	}
	second.login(nasID("ap-3"))
	for i := range 20 {
		b.ask(byte(i), nasID(fmt.Sprint("ap-", i)))
		first.one()
		b.ask(byte(100+i), session(fmt.Sprint("s-", i)))
		first.one()
	}
	if n := b.s.learned.len(); n > 1000+numShards {
		t.Errorf("%d keys are kept, expected at most 1000", n)
	}
}

// A small bound is for all NASes together, however their hashes fall.
//
// Rules: RC9
func TestSmallBound(t *testing.T) {
	b := newBed(t)
	b.cfg.MaxLearned = 1000
	b.configure()
	l := b.open("a")
	for i := range 100 {
		l.login(nasID(fmt.Sprint("ap-", i)))
	}
	for i := range 100 {
		b.ask(byte(i), nasID(fmt.Sprint("ap-", i)))
		l.one()
	}
}

// Two NASes at the end of one connection stay two: their sessions are told apart, the Stop of one
// does not end that of the other, and a request that may be for either has no name invented.
//
// Rules: RC8, RC14
func TestTwoNASesOfOneConnection(t *testing.T) {
	b := newBed(t)
	l := b.open("a")
	l.login(nasID("ap-1"), session("1"), user("al"), station("st-1"))
	l.login(nasID("ap-2"), session("1"), user("bo"), station("st-2"))
	name := func(want string, list ...attr) {
		t.Helper()
		b.put(otherPort(), gatewayAddr, must(packet(radius.CodeDisconnectRequest, 1, senderSecret, list...).Encode()))
		if got := string(view(t, l.one()).NASIdentifier()); got != want {
			t.Errorf("the request names %q, expected %q", got, want)
		}
	}
	name("ap-1", session("1"), user("al"), station("st-1"))
	name("ap-2", session("1"), user("bo"), station("st-2"))
	name("", session("1"))
	l.account(2, nasID("ap-1"), session("1"), user("al"), station("st-1"))
	name("ap-2", session("1"))
}

// What a request is called for a configured NAS is the name that has led to it.
//
// Rules: RC14
func TestConfiguredNameOfSeveral(t *testing.T) {
	b := newBed(t)
	b.change("a", func(c *ClientConfig) { c.Identifiers = []string{"ap-1", "ap-2"} })
	l := b.open("a")
	b.ask(1, oni("ap-2"))
	if got := string(view(t, l.one()).NASIdentifier()); got != "ap-2" {
		t.Errorf("the request names %q, expected ap-2", got)
	}
}

// Of a pool, the local address says which device is meant; what another device of the client has
// contradicts it. A name that many have does not, and Operator-Name of another client does.
//
// Rules: ID6, RC8
func TestDevicesOfAPool(t *testing.T) {
	b := newBed(t)
	b.change("a", func(c *ClientConfig) { c.Pool = netip.MustParsePrefix("198.51.101.0/24") })
	b.change("b", func(c *ClientConfig) { c.Operators = []string{"b.example"} })
	own := func(n byte) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, 101, n}) }
	links := []*link{}
	for n := range byte(4) {
		l := b.open("a", func(c *LinkConfig) { c.Source = func() netip.Addr { return own(n) } })
		l.login(nasID(fmt.Sprint("ap-", n)), nasIP("192.168.1.1"), session("shared"))
		l.login(nasID(fmt.Sprint("ap-", n)), nasIP("192.168.1.1"), session(fmt.Sprint("s-", n)))
		links = append(links, l)
	}
	to := func(n, id byte, list ...attr) *radius.Packet {
		p := packet(radius.CodeDisconnectRequest, id, senderSecret, list...)
		b.put(senderAddress, own(n), must(p.Encode()))
		return p
	}
	to(1, 1, session("s-1"))
	links[1].one()
	b.wantNAK(to(1, 2, session("s-2")), 403)
	to(3, 3, session("shared"), nasIP("192.168.1.1"), nasID("ap-3"))
	links[3].one()
	b.wantNAK(to(1, 4, attr{126, "1b.example"}), 403)
}

// A device that comes back with another address is not doubled: its sessions are where it is.
//
// Rules: RC10
func TestDeviceWithAnotherAddress(t *testing.T) {
	b := newBed(t)
	first := b.open("a", device("one"))
	first.account(1, nasID("ap"), nasIP("192.0.2.1"), session("s"))
	first.Close()
	second := b.open("a", device("one"))
	second.account(3, nasID("ap"), nasIP("192.0.2.99"), session("s"))
	b.ask(1, session("s"))
	second.one()
	b.ask(2, nasID("ap"))
	second.one()
}

// A client that the configuration no longer has, and has again later, is another: what was learned
// of the first does not count for it.
//
// Rules: RC2
func TestClientOfTheSameName(t *testing.T) {
	b := newBed(t)
	l := b.open("a")
	l.login(nasID("ap"), session("s"))
	l.Close()
	b.clients["a"] = NewClient("a", b.clients["a"].config.Load())
	b.change("a", func(c *ClientConfig) { c.Identifiers = []string{"ap"} })
	again := b.open("a")
	again.login(nasID("ap"), session("s"))
	b.ask(1, nasID("ap"))
	again.one()
	b.change("a", func(c *ClientConfig) { c.Reverse = false })
	b.wantNAK(b.ask(2, nasID("ap")), 502)
	b.wantNAK(b.ask(3, session("s")), 502)
}

// Many devices of one client with one name are not told apart, configured or not.
//
// Rules: RC8
func TestManyOfOneName(t *testing.T) {
	b := newBed(t)
	b.change("a", func(c *ClientConfig) { c.Identifiers = []string{"ap"} })
	for i := range 3 {
		b.open("a").login(nasID("ap"), nasIP(fmt.Sprint("192.0.2.", i)))
	}
	b.wantNAK(b.ask(1, nasID("ap")), 403)
}

// A configured NAS that is not connected gets 502, also when its Operator-Name is given.
//
// Rules: RC8
func TestConfiguredButNotConnected(t *testing.T) {
	b := newBed(t)
	b.change("a", func(c *ClientConfig) { c.Identifiers, c.Operators = []string{"ap"}, []string{"a.example"} })
	for i, list := range []attrs{{nasID("ap")}, {nasID("ap"), {126, "1a.example"}}, {{126, "1a.example"}}} {
		b.wantNAK(b.ask(byte(i), list...), 502)
	}
	if !strings.Contains(b.log.String(), "not connected now") {
		t.Errorf("the log is %s", b.log)
	}
}

// The names of a NAS are its own as long as it is connected, however long it is quiet.
//
// Rules: RC9
func TestQuietNASKeepsItsName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		first, second := b.open("a"), b.open("b")
		first.login(nasID("ap"))
		pass(48 * time.Hour)
		second.login(nasID("ap"))
		b.ask(1, nasID("ap"))
		first.one()
		pass(time.Hour)
	})
}

// A request whose Event-Timestamp is in the future is fresh for longer, and so are its duplicates
// known for longer.
//
// Rules: RC5, RC6
func TestDuplicateFromTheFuture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		l := b.open("a")
		l.login(session("s"))
		p := packet(radius.CodeDisconnectRequest, 1, senderSecret, session("s"), stamp(200*time.Second))
		b.askOctets(p)
		l.reply(ack(t, l.one(), radius.CodeDisconnectACK))
		b.answers()
		for range 60 {
			pass(10 * time.Second)
			b.askOctets(p)
			if len(l.got()) > 0 {
				t.Fatal("it was sent down again")
			}
		}
		pass(time.Hour)
	})
}

// The octets of kept answers are bounded, too.
//
// Rules: RC6
func TestKeptOctetsAreBounded(t *testing.T) {
	b := newBed(t)
	long := make([]byte, 4000)
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	for i := range 2 * maxKeptOctets / len(long) {
		b.s.keep(dupKey(i), long, false, 0)
	}
	if n := b.s.dups.octets; n > maxKeptOctets || n != b.s.dups.kept.len()*len(long) {
		t.Errorf("%d octets are kept, %d answers", n, b.s.dups.kept.len())
	}
}

// A reload that shortens the timeout holds for the requests that follow, although an older one
// still waits; and the secret that a request was sent with verifies its answer.
//
// Rules: RC7, RC12, RC18
func TestReloadWhileRequestsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		b.cfg.Timeout = time.Minute
		b.configure()
		l := b.open("a")
		l.login(session("s"))
		p := b.ask(1, session("s"))
		down := l.one()
		b.cfg.Timeout = time.Second
		b.configure()
		b.change("a", func(c *ClientConfig) { c.Secret = must(wireSecret("another")) })
		b.ask(2, session("s"))
		b.ask(3, session("s"))
		pass(2 * time.Second)
		b.wantFates("disconnect nas_silent 2")
		if left := b.s.PendingTime(); left != 58*time.Second {
			t.Errorf("what waits may be answered for %v, expected 58s", left)
		}
		l.reply(ack(t, down, radius.CodeDisconnectACK))
		b.verified(p, b.answers()[0].packet)
		l.Close()
		pass(time.Hour)
	})
}
