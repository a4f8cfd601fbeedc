package routing

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"radsec-gw/wire"
)

var (
	access   = []wire.Kind{wire.KindAccess}
	both     = []wire.Kind{wire.KindAccess, wire.KindAccounting}
	dynamic  = []wire.Kind{wire.KindCoA, wire.KindDisconnect}
	anything = []wire.Kind{wire.KindAccess, wire.KindAccounting, wire.KindCoA, wire.KindDisconnect}
)

// mustNew builds a table that has to be right.
func mustNew(t testing.TB, o Options, rules ...Rule) *Table {
	t.Helper()
	table, err := New(rules, o)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// request makes a request of type-value pairs: User-Name is 1, Operator-Name 126.
func request(t testing.TB, code wire.Code, attributes ...string) *wire.View {
	t.Helper()
	b := make([]byte, 20)
	b[0] = byte(code)
	for _, a := range attributes {
		b = append(b, a[0], byte(len(a)+1))
		b = append(b, a[1:]...)
	}
	b[2], b[3] = byte(len(b)>>8), byte(len(b))
	v := new(wire.View)
	if err := v.Parse(b); err != nil {
		t.Fatal(err)
	}
	return v
}

// RFC 7542 §2.2, §2.4, §2.6.1, §3.3.1 (P138, P139, P142)
// Rules: P138, P139, P142
func TestRealm(t *testing.T) {
	for user, want := range map[string]string{
		"":                   "",
		"alice":              "",
		"alice@example.org":  "example.org",
		"@example.org":       "example.org",
		"a@b@example.org":    "example.org",
		"home!alice@other":   "other",
		"alice@":             "",
		"DOMAIN\\alice":      "",
		"host/pc.example":    "",
		"alice@EXAMPLE.org":  "EXAMPLE.org",
		"alice@\xff\x00 \"@": "",
	} {
		if got := string(Realm([]byte(user))); got != want {
			t.Errorf("the realm of %q is %q, expected %q", user, got, want)
		}
	}
}

// Exact before suffix before pattern before default; "" only without realm.
// RFC 7542 §3 (P137, P138, P140)
// Rules: P137, P138, P139, P140, P141
func TestLookup(t *testing.T) {
	long := strings.Repeat("a.", 123) + "example"
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
	table := mustNew(t, Options{},
		Rule{Realms: []string{"~^nas", "~ORG$"}, Kinds: access, Group: first},
		Rule{Realms: []string{"*"}, Kinds: both, Group: fallback},
		Rule{Realms: []string{"*.Example.org"}, Kinds: access, Group: suffix},
		Rule{Realms: []string{"*.b.example.org"}, Kinds: access, Group: longer},
		Rule{Realms: []string{"~nas"}, Kinds: access, Group: second},
		Rule{Realms: []string{"Example.ORG", "home"}, Kinds: access, Group: exact},
		Rule{Realms: []string{"deep.a.example.org"}, Kinds: access, Group: below},
		Rule{Realms: []string{""}, Kinds: access, Group: none},
		Rule{Realms: []string{"m\u00fcnchen.example"}, Kinds: access, Group: umlaut},
		Rule{Realms: []string{long}, Kinds: access, Group: big},
	)
	for _, x := range []struct {
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
		{wire.KindAccess, long, big},
		{wire.KindAccess, strings.ToUpper(long), big},
		{wire.KindAccess, strings.Repeat("x", 1000) + ".example.org", suffix},
	} {
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

// Rules: P140
func TestNewRefuses(t *testing.T) {
	for _, x := range []struct {
		name  string
		rules []Rule
		want  string
	}{
		{"suffix of one label", []Rule{{Realms: []string{"*.com"}, Kinds: access, Group: 0}}, `route[0].realms[0]: expected a suffix of two labels or more`},
		{"suffix of none", []Rule{{Realms: []string{"x", "*."}, Kinds: access, Group: 0}}, `route[0].realms[1]: expected a realm without empty labels`},
		{"suffix of one label and dots", []Rule{{Realms: []string{"*..com."}, Kinds: access, Group: 0}}, `expected a realm without empty labels`},
		{"star inside", []Rule{{Realms: []string{"a.*"}, Kinds: access, Group: 0}}, `expected "*" alone`},
		{"pattern", []Rule{{Realms: []string{"~("}, Kinds: access, Group: 0}}, `expected a regular expression after "~" (syntax: https://pkg.go.dev/regexp/syntax), got "("`},
		{"pattern that would close a group", []Rule{{Realms: []string{"~a)|(b"}, Kinds: access, Group: 0}}, `expected a regular expression`},
		{"realm twice", []Rule{{Realms: []string{"x.org"}, Kinds: both, Group: 0}, {Realms: []string{"y"}, Kinds: both, Group: 1}, {Realms: []string{"a", "X.ORG"}, Kinds: access, Group: 1}}, `route[2].realms[1]: route[0] takes access packets of realm "X.ORG" already`},
		{"realm twice in NFC", []Rule{{Realms: []string{"\u00fc"}, Kinds: access, Group: 0}, {Realms: []string{"u\u0308"}, Kinds: access, Group: 1}}, `route[1].realms[0]: route[0] takes access packets`},
		{"suffix twice", []Rule{{Realms: []string{"*.x.org", "*.X.org"}, Kinds: access, Group: 0}}, `route[0].realms[1]: route[0] takes`},
		{"default twice", []Rule{{Realms: []string{"*"}, Kinds: access, Group: 0}, {Realms: []string{"*"}, Kinds: access, Group: 0}}, `route[1].realms[0]: route[0] takes`},
		{"no realm twice", []Rule{{Realms: []string{""}, Kinds: access, Group: 0}, {Realms: []string{""}, Kinds: access, Group: 0}}, `route[1].realms[0]: route[0] takes`},
		{"pattern twice", []Rule{{Realms: []string{"~x"}, Kinds: access, Group: 0}, {Realms: []string{"~x"}, Kinds: access, Group: 0}}, `route[1].realms[0]: route[0] takes`},
		{"kind", []Rule{{Realms: []string{"x"}, Kinds: []wire.Kind{wire.NumKinds}, Group: 0}}, `expected a kind below`},
	} {
		_, err := New(x.rules, Options{})
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: expected %s, got %v", x.name, x.want, err)
		}
	}
	if _, err := New([]Rule{{Realms: []string{"*.com", "~("}, Kinds: access, Group: 0}}, Options{}); strings.Count(fmt.Sprint(err), "\n") != 1 {
		t.Errorf("expected both refusals in one error, got %v", err)
	}
	mustNew(t, Options{}, Rule{Realms: []string{"x", "*.x.y"}, Kinds: access, Group: 0}, Rule{Realms: []string{"x", "*.x.y"}, Kinds: dynamic, Group: 0}) // other kinds
}

// The way of an ASCII realm costs the heap nothing, however many routes there are.
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
			t.Errorf("the way of %q allocates %v times, expected none", v.UserName(), n)
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

// 10,000 routes cost what one costs.
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
