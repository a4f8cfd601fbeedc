package config

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
)

func inRule(lines string) string {
	return goodListen + goodClient + goodServer + goodRoute + "rules_request=['r']\n[[rule]]\nname='r'\n" + lines
}

// The mistakes of the tables of rules; what attributes, patterns and values mean is checked
// by package rules.
func TestMistakesOfRule(t *testing.T) {
	line := strings.Count(inRule(""), "\n") + 1
	at := func(text string) string { return strings.Replace(text, "N", strconv.Itoa(line), 1) }
	wantMistakes(t, []mistaken{
		{"an unknown key", inRule("delete=['x']\n"), []string{at("N: rule[0].delete: unknown key; expected in [rule]: name, packets, use, reject, remove, keep, replace, set, default, add")}},
		{"a text instead of a list", inRule("remove='Class'\n"), []string{at(`N: rule[0].remove: expected an array of strings, got "Class": write ["Class"]`)}},
		{"packets", inRule("packets=['acces']\n"), []string{at(`N: rule[0].packets[0]: expected "access", "accounting", "coa" or "disconnect", got "acces"`)}},
		{"half a replacement", inRule("replace=[{attribute='User-Name'}]\n"), []string{at("N: rule[0].replace[0].pattern: missing: expected a regular expression (RE2)"), at("N: rule[0].replace[0].with: missing: expected what the part that matches becomes")}},
		{"a replacement with more", inRule("replace=[{attribute='a',pattern='b',with='c',flags='i'}]\n"), []string{at("N: rule[0].replace[0].flags: unknown key")}},
		{"half a pattern", inRule("reject=[{pattern='x'}]\n"), []string{at("N: rule[0].reject[0].attribute: missing: expected the attribute")}},
		{"a list instead of a table", inRule("set=['a']\n"), []string{at("N: rule[0].set: expected a table such as { NAS-Identifier = \"campus\" }, got an array")}},
		{"a value that is none", inRule("set={A=true}\nadd={\"Cisco-AVPair\"=['a',1.5]}\ndefault={B=[]}\n"), []string{
			at("N: rule[0].set.A: expected a string, a number or an array of these, got true"),
			strings.Replace("N: rule[0].add.Cisco-AVPair: expected a string, a number or an array of these, got ", "N", strconv.Itoa(line+1), 1),
			strings.Replace("N: rule[0].default.B: expected at least one value, got an empty array", "N", strconv.Itoa(line+2), 1)}},
		{"a rule that is not there", strings.Replace(inRule(""), "rules_request=['r']", "rules_request=['q','r','r']", 1), []string{
			`14: route[0].rules_request[2]: "r" is listed twice: remove one`, `14: route[0].rules_request[0]: expected the name of a [[rule]], got "q"`}},
		{"a name twice", inRule("[[rule]]\nname='r'\n"), []string{strings.Replace(`N: rule[1].name: "r" is already used on line 16`, "N", strconv.Itoa(line+1), 1)}},
	})
}

// A rule is read as it is written; attributes with values are sorted by name.
func TestRuleIsRead(t *testing.T) {
	c, err := load(t, inRule(`
packets = ["access"]
use = ["eduroam-in"]
reject = [{ attribute = "User-Name", pattern = '\s' }]
remove = ["Operator-Name", "9:*"]
keep = ["User-Name"]
replace = [{ attribute = "User-Name", pattern = '^(.*)@old$', with = '$1@new' }]
set = { Service-Type = 2, NAS-Identifier = "{client.name}" }
default = { "Tunnel-Type:1" = "VLAN" }
add = { "Cisco-AVPair" = ["a=1", "b=2"] }
`))
	if err != nil {
		t.Fatal(err)
	}
	want := Rule{
		Name: "r", Packets: []string{"access"}, Use: []string{"eduroam-in"},
		Reject: []RulePattern{{"User-Name", `\s`}}, Remove: []string{"Operator-Name", "9:*"}, Keep: []string{"User-Name"},
		Replace: []RuleReplacement{{"User-Name", "^(.*)@old$", "$1@new"}},
		Set:     []RuleValue{{"rule[0].set.NAS-Identifier", "NAS-Identifier", []string{"{client.name}"}}, {"rule[0].set.Service-Type", "Service-Type", []string{"2"}}},
		Default: []RuleValue{{`rule[0].default."Tunnel-Type:1"`, "Tunnel-Type:1", []string{"VLAN"}}},
		Add:     []RuleValue{{"rule[0].add.Cisco-AVPair", "Cisco-AVPair", []string{"a=1", "b=2"}}},
	}
	if !reflect.DeepEqual(c.Rules, []Rule{want}) {
		t.Errorf("the rule is read as\n %+v\nexpected\n %+v", c.Rules, want)
	}
}

// check and serve warn of a rule that nothing uses, and of names in another order than the
// file, because the file's order is the one that counts (AR1).
func TestWarningsOfRules(t *testing.T) {
	text := strings.Replace(inRule("[[rule]]\nname='second'\n[[rule]]\nname='spare'\n"), "rules_request=['r']", "rules_request=['second','r']", 1)
	c, err := load(t, text)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(c.Warnings(), "\n")
	for _, want := range []string{
		`route[0].rules_request[1]: rule "r" is above rule "second" in the file, so it is applied first`,
		`rule[2]: rule "spare" has no effect: no client, route or server has it`,
	} {
		if !strings.Contains(all, want) {
			t.Errorf("expected a warning with %q, got:\n%s", want, all)
		}
	}
}
