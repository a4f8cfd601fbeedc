package routing

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"radsec-gw/wire"
)

// A session's accounting goes where its authentication went: the realm of User-Name
// decides in both, by the same rules (RFC 2607 §5.2).
// Rules: P73
func TestAccountingTakesTheRouteOfItsRealm(t *testing.T) {
	table := mustNew(t, Options{},
		Rule{Realms: []string{"example.org"}, Kinds: both, Group: 1},
		Rule{Realms: []string{"*.example.org"}, Kinds: both, Group: 2},
		Rule{Realms: []string{"~^x.*y$"}, Kinds: both, Group: 3},
		Rule{Realms: []string{""}, Kinds: both, Group: 4},
		Rule{Realms: []string{"*"}, Kinds: both, Group: 5},
	)
	for user, want := range map[string]int{
		"alice@example.org": 1, "alice@EXAMPLE.ORG": 1, "alice@a.example.org": 2, "alice@xy": 3, "alice": 4, "alice@elsewhere.example": 5,
	} {
		for _, code := range []wire.Code{1, 4} {
			if got, _, ok := table.Route(request(t, code, "\x01"+user)); got != want || !ok {
				t.Errorf("%s of %q: expected group %d, got %d, %t", wire.KindOf(code), user, want, got, ok)
			}
		}
	}
}

// A request without User-Name, as the EAP-Start with which a NAS may begin, has no realm:
// it goes the way of those, or the default way (RFC 3579 §2.1).
// Rules: P9
func TestEAPStartWithoutUserName(t *testing.T) {
	start := request(t, 1, "\x4f") // an EAP-Message of no octets
	for _, c := range []struct {
		realms []string
		want   bool
	}{{[]string{"*"}, true}, {[]string{""}, true}, {[]string{"example.org"}, false}} {
		table := mustNew(t, Options{}, Rule{Realms: c.realms, Kinds: access, Group: 7})
		group, realm, ok := table.Route(start)
		if ok != c.want || len(realm) != 0 || ok && group != 7 {
			t.Errorf("routes for %q: got group %d, realm %q, %t; expected a route: %t", c.realms, group, realm, ok, c.want)
		}
	}
}

// Names at the borders of what is compared: the last letter, names without any ASCII,
// and the longest and shortest Operator-Names.
// Rules: P87, P137
func TestNamesAtTheBorders(t *testing.T) {
	long := strings.Repeat("x", 252)
	table := mustNew(t, Options{CoAByUserName: true},
		Rule{Realms: []string{"zaz.example", "\uac00", "z"}, Kinds: anything, Group: 1},
		Rule{Operators: []string{"wbaid:" + long, "wbaid:z"}, Kinds: dynamic, Group: 2},
	)
	for _, x := range []struct {
		kind wire.Code
		name string
		want int
	}{
		{1, "\x01bob@ZAZ.example", 1},
		{1, "\x01bob@\u1100\u1161", 1}, // what NFC puts together, and no ASCII letter in it
		{43, "\x7e1Z", 1},
		{43, "\x7e4Z", 2},
		{40, "\x7e4" + long, 2},
		{40, "\x7e4" + long[1:], 0},
	} {
		if group, _, ok := table.Route(request(t, x.kind, x.name)); group != x.want || ok != (x.want != 0) {
			t.Errorf("%q goes to %d, %v; expected %d", x.name, group, ok, x.want)
		}
	}
}

// Groups of lookupRules.
const (
	exact = iota + 1
	suffix
	longer
	below
	first
	second
	fallback
	none
	umlaut
	big
)

// longRealm is a realm of 253 octets.
var longRealm = strings.Repeat("a.", 123) + "example"

var lookupRules = []Rule{
	{Realms: []string{"~^nas", "~ORG$"}, Kinds: access, Group: first},
	{Realms: []string{"*"}, Kinds: both, Group: fallback},
	{Realms: []string{"*.Example.org"}, Kinds: access, Group: suffix},
	{Realms: []string{"*.b.example.org"}, Kinds: access, Group: longer},
	{Realms: []string{"~nas"}, Kinds: access, Group: second},
	{Realms: []string{"Example.ORG", "home"}, Kinds: access, Group: exact},
	{Realms: []string{"deep.a.example.org"}, Kinds: access, Group: below},
	{Realms: []string{""}, Kinds: access, Group: none},
	{Realms: []string{"m\u00fcnchen.example"}, Kinds: access, Group: umlaut},
	{Realms: []string{longRealm}, Kinds: access, Group: big},
}

// lookups are realms and where lookupRules send them.
var lookups = []struct {
	kind  wire.Kind
	realm string
	want  int // 0: none
}{
	{wire.KindAccess, "example.org", exact},
	{wire.KindAccess, "EXAMPLE.oRg", exact},
	{wire.KindAccess, "home", exact},
	{wire.KindAccess, "a.example.org", suffix},
	{wire.KindAccess, "A.EXAMPLE.ORG", suffix},
	{wire.KindAccess, "x.a.example.org", suffix},
	{wire.KindAccess, "b.example.org", suffix},     // a suffix is not below itself
	{wire.KindAccess, "x.b.example.org", longer},   // the longest suffix
	{wire.KindAccess, "y.x.b.example.org", longer}, //
	{wire.KindAccess, "deep.a.example.org", below}, // exact before suffix
	{wire.KindAccess, "notexample.org", first},     // whole labels only: left to "~ORG$"
	{wire.KindAccess, "NAS1", first},               // patterns without case, in the order of the rules
	{wire.KindAccess, "my-nas", second},            // unanchored
	{wire.KindAccess, "example.com", fallback},     //
	{wire.KindAccess, ".", fallback},               //
	{wire.KindAccess, "", none},                    //
	{wire.KindAccounting, "", fallback},            // no "" for accounting: the default
	{wire.KindAccounting, "example.org", fallback}, // rules are per kind
	{wire.KindCoA, "example.org", 0},               //
	{wire.KindStatus, "example.org", 0},            //
	{wire.KindOther, "", 0},                        //
	{wire.NumKinds, "", 0},                         //
	{wire.KindAccess, "m\u00fcnchen.example", umlaut},
	{wire.KindAccess, "mu\u0308nchen.EXAMPLE", umlaut},  // decomposed: NFC to compare
	{wire.KindAccess, "M\u00dcNCHEN.example", fallback}, // case beyond ASCII counts
	{wire.KindAccess, "m\xfcnchen.example", fallback},   // no UTF-8 at all
	{wire.KindAccess, longRealm, big},
	{wire.KindAccess, strings.ToUpper(longRealm), big},
	{wire.KindAccess, strings.Repeat("x", 1000) + ".example.org", suffix},
}

// Exact before suffix before pattern before default; "" only without realm.
// RFC 7542 §3 (P137, P138, P140)
// Rules: P137, P138, P139, P140, P141
func TestLookup(t *testing.T) {
	table := mustNew(t, Options{}, lookupRules...)
	for _, x := range lookups {
		realm := []byte(x.realm)
		got, ok := table.Lookup(x.kind, realm)
		if ok != (x.want != 0) || got != x.want {
			t.Errorf("%v of %q goes to %d, %v; expected %d", x.kind, x.realm, got, ok, x.want)
		}
		if string(realm) != x.realm { // RFC 7542 §3 (P137): never altered
			t.Errorf("the realm %q was altered to %q", x.realm, realm)
		}
	}
}

// Requests for access and accounting by User-Name, CoA and Disconnect by
// Operator-Name. RFC 5580 §4.1, RFC 8559 §2.1 (P87); RFC 2607 §5.2 (P143)
// Rules: P87, P143, P137, P138
func TestRoute(t *testing.T) {
	const user, operator, none, fallback = 1, 2, 3, 4
	rules := []Rule{
		{Realms: []string{"home.example"}, Kinds: both, Group: user},
		{Realms: []string{"home.example", "operator.example"}, Kinds: dynamic, Group: operator},
		{Realms: []string{""}, Kinds: []wire.Kind{wire.KindAccounting, wire.KindDisconnect}, Group: none},
		{Realms: []string{"*"}, Kinds: both, Group: fallback},
	}
	strict, lenient := mustNew(t, Options{}, rules...), mustNew(t, Options{CoAByUserName: true}, rules...)
	for _, x := range []struct {
		name            string
		code            wire.Code
		attributes      []string
		strict, lenient int // 0: no route
		realm           string
	}{
		{"access", 1, []string{"\x01bob@Home.example"}, user, user, "Home.example"},
		{"access ignores Operator-Name", 1, []string{"\x7e1operator.example", "\x01bob@home.example"}, user, user, "home.example"},
		{"access without NAI", 1, []string{"\x01bob"}, fallback, fallback, ""},
		{"access without User-Name", 1, nil, fallback, fallback, ""},
		{"Accounting-On without User-Name", 4, []string{"\x28\x00\x00\x00\x07"}, none, none, ""},
		{"CoA by Operator-Name", 43, []string{"\x7e1Operator.example", "\x01bob@nowhere"}, operator, operator, "Operator.example"},
		{"Disconnect by Operator-Name", 40, []string{"\x7e1operator.example"}, operator, operator, "operator.example"},
		{"CoA for an unknown operator", 43, []string{"\x7e1other.example", "\x01bob@home.example"}, 0, 0, "other.example"},
		{"CoA for another name space", 43, []string{"\x7e2operator.example", "\x01bob@home.example"}, 0, 0, ""},
		{"CoA for an empty realm", 43, []string{"\x7e1", "\x01bob@home.example"}, 0, 0, ""},
		{"Disconnect for an empty realm", 40, []string{"\x7e1"}, 0, 0, ""},
		{"CoA without Operator-Name", 43, []string{"\x01bob@home.example"}, 0, operator, "home.example"},
		{"Disconnect of a session id alone", 40, []string{"\x2cabc"}, 0, none, ""},
		{"Status-Server", 12, nil, 0, 0, ""},
	} {
		v := request(t, x.code, x.attributes...)
		before := bytes.Clone(v.Packet)
		for _, try := range []struct {
			table *Table
			how   string
			want  int
		}{{strict, "by Operator-Name only", x.strict}, {lenient, "by User-Name too", x.lenient}} {
			group, realm, ok := try.table.Route(v)
			if group != try.want || ok != (try.want != 0) || string(realm) != x.realm {
				t.Errorf("%s, %s: goes to %d, %v for realm %q; expected %d for %q", x.name, try.how, group, ok, realm, try.want, x.realm)
			}
		}
		if !bytes.Equal(before, v.Packet) {
			t.Errorf("%s: the packet was altered", x.name)
		}
	}
}

// Routing an ASCII realm does not allocate, however many routes there are.
// Rules: P141
func TestRouteDoesNotAllocate(t *testing.T) {
	table := manyRoutes(t, 1000, Suffix, Prefix, Machine)
	for _, v := range []*wire.View{
		request(t, 1, "\x01alice@Realm500.Example.org"),
		request(t, 1, "\x01alice@X.Y.below7.example.org"),
		request(t, 1, "\x01alice@nowhere"),
		request(t, 1, "\x01alice"),
		request(t, 1, "\x01@"+strings.Repeat("Very.long.", 25)),
		request(t, 43, "\x7e1realm1.example.org"),
		request(t, 1, "\x01WINDOWS\\alice"),
		request(t, 1, "\x01host/pc.realm500.example.org"),
	} {
		if n := testing.AllocsPerRun(100, func() { table.Route(v) }); n != 0 {
			t.Errorf("routing %q allocates %v times, expected none", v.UserName(), n)
		}
	}
}

// manyRoutes is a table of n names and n suffixes, with patterns and a default.
func manyRoutes(t testing.TB, n int, formats ...Format) *Table {
	var rules []Rule
	for i := range n {
		rules = append(rules, Rule{Realms: []string{fmt.Sprintf("realm%d.example.org", i), fmt.Sprintf("*.below%d.example.org", i)}, Kinds: anything, Group: i})
	}
	rules = append(rules, Rule{Realms: []string{"~^a+b$", "*"}, Kinds: anything, Group: n})
	return mustNew(t, Options{Formats: formats}, rules...)
}

// 10,000 routes cost as much as one.
func BenchmarkRoute(b *testing.B) {
	v := request(b, 1, "\x01alice@host.below0.example.org")
	for _, n := range []int{1, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			table := manyRoutes(b, n)
			b.ReportAllocs()
			for b.Loop() {
				table.Route(v)
			}
		})
	}
}
