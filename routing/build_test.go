package routing

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"strings"
	"testing"

	"radsec-gw/wire"
)

// The error about an entry gives the reason alone, too.
func TestRuleErrorUnwraps(t *testing.T) {
	_, err := New([]Rule{{Realms: []string{"x", "~("}, Kinds: access}}, Options{})
	var at *RuleError
	var why *syntax.Error
	if !errors.As(err, &at) || at.Key() != "route[0].realms[1]" || !errors.As(err, &why) || why.Code != syntax.ErrMissingParen {
		t.Errorf("got %v, expected an error about route[0].realms[1] that holds the expression's own", err)
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
		{"realm twice", []Rule{{Realms: []string{"x.org"}, Kinds: both, Group: 0}, {Realms: []string{"y"}, Kinds: both, Group: 1}, {Realms: []string{"a", "X.ORG"}, Kinds: access, Group: 1}}, `route[2].realms[1]: route[0] matches access packets of realm "X.ORG" already`},
		{"realm twice in NFC", []Rule{{Realms: []string{"\u00fc"}, Kinds: access, Group: 0}, {Realms: []string{"u\u0308"}, Kinds: access, Group: 1}}, `route[1].realms[0]: route[0] matches access packets`},
		{"suffix twice", []Rule{{Realms: []string{"*.x.org", "*.X.org"}, Kinds: access, Group: 0}}, `route[0].realms[1]: route[0] matches`},
		{"default twice", []Rule{{Realms: []string{"*"}, Kinds: access, Group: 0}, {Realms: []string{"*"}, Kinds: access, Group: 0}}, `route[1].realms[0]: route[0] matches`},
		{"no realm twice", []Rule{{Realms: []string{""}, Kinds: access, Group: 0}, {Realms: []string{""}, Kinds: access, Group: 0}}, `route[1].realms[0]: route[0] matches`},
		{"pattern twice", []Rule{{Realms: []string{"~x"}, Kinds: access, Group: 0}, {Realms: []string{"~x"}, Kinds: access, Group: 0}}, `route[1].realms[0]: route[0] matches`},
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
