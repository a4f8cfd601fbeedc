package routing

import (
	"strings"
	"testing"
)

// CoA and Disconnect go by an Operator-Name of any namespace that a rule has (RFC 5580
// §4.1), and only by those.
// Rules: P87
func TestOperators(t *testing.T) {
	const (
		us = iota + 1
		wba
		gsm
		home
		rest
	)
	table := mustNew(t, Options{CoAByUserName: true},
		Rule{Operators: []string{"wbaid:Example:US"}, Kinds: dynamic, Group: us},
		Rule{Operators: []string{"wbaid:*", "icc:*"}, Kinds: dynamic, Group: wba},
		Rule{Operators: []string{"tadig:DEUABC", "e212:26201"}, Realms: []string{"home.example"}, Kinds: anything, Group: gsm},
		Rule{Realms: []string{"Operator.example"}, Kinds: dynamic, Group: home},
		Rule{Realms: []string{"*"}, Kinds: dynamic, Group: rest},
	)
	for _, x := range []struct {
		operator string
		want     int // 0: no route
	}{
		{"4Example:US", us},
		{"4EXAMPLE:us", us}, // ASCII letters without case, as in a realm
		{"4EXAMPLE:DE", wba},
		{"4" + strings.Repeat("x", 250), wba},
		{"3whatever", wba},
		{"0DEUABC", gsm},
		{"226201", gsm},
		{"226202", 0},  // another network
		{"0FRAXYZ", 0}, // the default is for realms
		{"1operator.example", home},
		{"1DEUABC", rest},       // a realm, whatever it is called
		{"4", 0},                // a namespace and nothing else
		{"5EXAMPLE:US", 0},      // no namespace that there is a rule for
		{"operator.example", 0}, // no namespace at all
	} {
		for _, code := range []byte{40, 43} {
			v := request(t, 40, "\x7e"+x.operator, "\x01bob@home.example")
			v.Packet[0] = code
			if group, _, ok := table.Route(v); group != x.want || ok != (x.want != 0) {
				t.Errorf("Code %d for %q goes to %d, %v; expected %d", code, x.operator, group, ok, x.want)
			}
			if n := testing.AllocsPerRun(100, func() { table.Route(v) }); n != 0 {
				t.Errorf("routing %q allocates %v times, expected none", x.operator, n)
			}
		}
	}
	if group, _, _ := table.Route(request(t, 1, "\x7e4Example:US", "\x01bob@home.example")); group != gsm {
		t.Errorf("an Access-Request with Operator-Name goes to %d, expected %d, by its User-Name", group, gsm)
	}
}

func TestOperatorsThatAreRefused(t *testing.T) {
	for _, x := range []struct {
		name  string
		rules []Rule
		want  string
	}{
		{"no namespace", []Rule{{Operators: []string{"EXAMPLE:US"}, Kinds: dynamic}}, `route[0].operators[0]: expected "tadig:"`},
		{"an octet as namespace", []Rule{{Operators: []string{"icc:1", "4EXAMPLE:US"}, Kinds: dynamic}}, `route[0].operators[1]: expected "tadig:"`},
		{"no name", []Rule{{Operators: []string{"wbaid:"}, Kinds: dynamic}}, `got "wbaid:"`},
		{"a realm", []Rule{{Operators: []string{"realm:example.org"}, Kinds: dynamic}}, `belongs in realms`},
		{"too long", []Rule{{Operators: []string{"icc:" + strings.Repeat("x", 253)}, Kinds: dynamic}}, `expected "tadig:"`},
		{"twice", []Rule{{Operators: []string{"wbaid:A"}, Kinds: dynamic}, {Operators: []string{"wbaid:a"}, Kinds: dynamic}}, `route[1].operators[0]: route[0] matches coa packets of operator "wbaid:a" already`},
	} {
		if _, err := New(x.rules, Options{}); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: expected %s, got %v", x.name, x.want, err)
		}
	}
	mustNew(t, Options{}, Rule{Operators: []string{"wbaid:a"}, Kinds: access}, Rule{Operators: []string{"wbaid:a"}, Kinds: both}) // of no effect
}

// An Operator-Name is shown as a rule would have it.
// Rules: P87
func TestOperatorAsAnEntry(t *testing.T) {
	for name, want := range map[string]struct {
		entry   string
		isRealm bool
	}{
		"1example.org": {"example.org", true},
		"4EXAMPLE:US":  {"wbaid:EXAMPLE:US", false},
		"0DEUABC":      {"tadig:DEUABC", false},
		"226201":       {"e212:26201", false},
		"3x":           {"icc:x", false},
		"example.org":  {"", false},
		"1":            {"", false},
		"":             {"", false},
	} {
		if entry, isRealm := Operator([]byte(name)); entry != want.entry || isRealm != want.isRealm {
			t.Errorf("Operator-Name %q is %q, a realm: %v; expected %q, %v", name, entry, isRealm, want.entry, want.isRealm)
		}
	}
}

// What a client's Operator-Names are compared with is a realm or a name of another namespace.
// Rules: RC8
func TestCheckOperatorName(t *testing.T) {
	for entry, good := range map[string]bool{
		"example.org": true, "*.example.org": true, "wbaid:EXAMPLE:US": true, "e212:*": true, "local": true,
		"": false, "*": false, "~x": false, "*.org": false, "a@example.org": false, "realm:example.org": false,
		"wbaid:": false, "WBAID:x": false, "4EXAMPLE:US": false, "~a:b": false,
	} {
		if err := CheckOperatorName(entry); (err == nil) != good {
			t.Errorf("%q: expected it to be an Operator-Name: %t, got %v", entry, good, err)
		}
	}
}
