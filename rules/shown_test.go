package rules

import (
	"strings"
	"testing"
)

// What a rule gives an attribute that is a secret, or may be one, is in none of the lines
// that check prints. Facts are.
//
// Rules: AR2
func TestLinesHideSecrets(t *testing.T) {
	r := &Rule{
		Reject:  []Pattern{{"k", "Configuration-Token", "s3cret"}},
		Replace: []Replacement{{"k", "9:250", "s3cret", "s3cret"}},
		Set: []Assignment{
			{"k", "Tunnel-Password:1", []string{"s3cret"}}, {"k", "9:251", []string{"s3cret{client.name}"}}, {"k", "9:252", []string{"{client.name}"}},
			{"k", "Filter-Id", []string{"shown"}},
		},
		Default: assign("Cisco-AVPair", "psk=s3cret"),
		Add:     assign("200", "0x733363726574"),
	}
	got := strings.Join(compiled(t, r).Lines(), "\n")
	if strings.Contains(got, "s3cret") || strings.Contains(got, "733363726574") {
		t.Errorf("expected no secret, got\n%s", got)
	}
	for _, want := range []string{
		`reject Configuration-Token ~ [hidden] (requests)`, `replace 9:250 ~ [hidden] by [hidden]`, `set Tunnel-Password:1 = [[hidden]]`,
		`set 9:252 = ["{client.name}"]`, `set Filter-Id = ["shown"]`, `add 200 = [[hidden]]`,
	} {
		if !strings.Contains(got+"\n", want+"\n") {
			t.Errorf("expected %s, got\n%s", want, got)
		}
	}
}

// A mistake in a value that may be a secret does not quote it.
//
// Rules: AR2
func TestMistakesHideSecrets(t *testing.T) {
	for _, r := range []*Rule{
		{Set: assign("Tunnel-Password:1", "a{s3cret")}, {Set: assign("9:250", "0xs3cret")}, {Set: assign("9:250", "{s3cret}")},
		{Replace: []Replacement{{"k", "9:250", "x", "$s3cret"}}}, {Replace: []Replacement{{"k", "9:250", "(s3cret", "x"}}},
	} {
		_, mistakes := Compile(r)
		if len(mistakes) != 1 || strings.Contains(mistakes[0].Text, "s3") || strings.Contains(mistakes[0].Text, "'s'") {
			t.Errorf("expected one mistake without the value, got %q", mistakes)
		}
	}
	if _, mistakes := Compile(&Rule{Set: assign("Filter-Id", "a{name")}); len(mistakes) != 1 || !strings.Contains(mistakes[0].Text, `"{name"`) {
		t.Errorf("expected the value of an attribute that may be shown, got %q", mistakes)
	}
}
