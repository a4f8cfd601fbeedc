package routing

import (
	"errors"
	"regexp/syntax"
	"strings"
	"testing"

	"radsec-gw/wire"
)

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

// The error about an entry gives the reason alone, too.
func TestRuleErrorUnwraps(t *testing.T) {
	_, err := New([]Rule{{Realms: []string{"x", "~("}, Kinds: access}}, Options{})
	var at *RuleError
	var why *syntax.Error
	if !errors.As(err, &at) || at.Key() != "route[0].realms[1]" || !errors.As(err, &why) || why.Code != syntax.ErrMissingParen {
		t.Errorf("got %v, expected an error about route[0].realms[1] that holds the expression's own", err)
	}
}
