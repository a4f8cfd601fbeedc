package config

import (
	"fmt"
	"strings"
	"testing"
)

// Rules: RC1, RC8
func TestMistakesOfReverseCoA(t *testing.T) {
	long := strings.Repeat("x", 254)
	wantMistakes(t, []mistaken{
		{"no boolean", inClient("reverse_coa='on'\nnas_identifier=['ap']\n"), []string{`14: client[0].reverse_coa: expected true or false, got "on"`}},
		{"without reverse_coa", inClient("nas_identifier=['ap']\noperator_name=['example.org']\nrules_reverse_request=['r']\nrules_reverse_reply=['r']\n[[rule]]\nname='r'\n"), []string{
			`14: client[0].nas_identifier: goes with reverse_coa = true only`, `15: client[0].operator_name: goes with reverse_coa = true only`,
			`16: client[0].rules_reverse_request: goes with reverse_coa = true only`, `17: client[0].rules_reverse_reply: goes with reverse_coa = true only`}},
		{"with reverse_coa = false", inClient("reverse_coa=false\nnas_identifier=['ap']\n"), []string{`15: client[0].nas_identifier: goes with reverse_coa = true only`}},
		{"names of NASes", inClient("reverse_coa=true\nnas_identifier=['','" + long + "','ap','ap']\n"), []string{
			`15: client[0].nas_identifier[0]: expected 1 to 253 bytes, got 0`, `15: client[0].nas_identifier[1]: expected 1 to 253 bytes, got 254`, `15: client[0].nas_identifier[3]: "ap" is listed twice: remove one`}},
		{"names of operators", inClient("reverse_coa=true\noperator_name=['','*','~x','*.org','4X:Y','realm:x.example','x.example','X.example','wbaid:A','wbaid:a']\n"), []string{
			`15: client[0].operator_name[0]: expected a realm such as "example.org" or "*.example.org", or "tadig:", "e212:", "icc:" or "wbaid:" followed by a name or by "*", got ""`,
			`15: client[0].operator_name[1]: expected a realm such as`, `15: client[0].operator_name[2]: expected a realm such as`, `15: client[0].operator_name[3]: expected a suffix of two labels`,
			`15: client[0].operator_name[4]: expected a realm such as`, `15: client[0].operator_name[5]: expected a realm such as`,
			`15: client[0].operator_name[7]: "X.example" is listed twice`, `15: client[0].operator_name[9]: "wbaid:a" is listed twice`}},
		{"no rule", inClient("reverse_coa=true\nrules_reverse_request=['q','r']\nrules_reverse_reply=['r','r','s']\n[[rule]]\nname='r'\n"), []string{
			`15: client[0].rules_reverse_request[0]: expected the name of a [[rule]], got "q"`,
			`16: client[0].rules_reverse_reply[1]: "r" is listed twice`, `16: client[0].rules_reverse_reply[2]: expected the name of a [[rule]], got "s"`}},
	})
}

// A client is sent CoA only if the file says so, whatever its names are.
// Rules: RC1, RC8
func TestReverseCoA(t *testing.T) {
	text := inClient("[[client]]\nname='d'\nreverse_coa=true\nnas_identifier=['ap-7','AP-7']\noperator_name=['example.org','*.Example.org','wbaid:EXAMPLE:US','e212:*']\nrules_reverse_request=['down']\nrules_reverse_reply=['up','down']\n" +
		"[[client]]\nname='e'\nreverse_coa=false\nnas_identifier=[]\noperator_name=[]\nrules_reverse_request=[]\n[[client]]\nname='f'\nreverse_coa=true\noperator_name=['example.org']\n[[rule]]\nname='down'\n[[rule]]\nname='up'\n")
	c, err := load(t, text)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"false [] [] [] []", "true [ap-7 AP-7] [example.org *.Example.org wbaid:EXAMPLE:US e212:*] [down] [up down]", "false [] [] [] []", "true [] [example.org] [] []",
	} {
		cl := &c.Clients[i]
		if got := fmt.Sprint(cl.ReverseCoA, cl.NASIdentifier, cl.OperatorName, cl.RulesReverseRequest, cl.RulesReverseReply); got != want {
			t.Errorf("client %s: expected %s, got %s", cl.Name, want, got)
		}
	}
	uses := c.ReverseRuleUses()
	if got, want := fmt.Sprint(uses), "[{client[1].rules_reverse_request client 1 false [down]} {client[1].rules_reverse_reply client 1 true [up down]}]"; got != want {
		t.Errorf("expected the rules %s, got %s", want, got)
	}
	if uses := c.RuleUses(); len(uses) != 0 {
		t.Errorf("expected no rules of requests to servers, got %v", uses)
	}
	all := strings.Join(c.Warnings(), "\n")
	if strings.Contains(all, "has no effect: no client, route or server") || !strings.Contains(all, `client[1].rules_reverse_reply[1]: rule "down" is above rule "up" in the file`) {
		t.Errorf("expected a warning of the order of rules_reverse_reply, and none of rules that nothing uses, got\n%s", all)
	}
}
