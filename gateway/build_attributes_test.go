package gateway

import (
	"os"
	"slices"
	"strings"
	"testing"

	"radsec-gw/gateway/gatewaytest"
	"radsec-gw/rules"
	"radsec-gw/wire"
)

// markingRules are three rules, each of which puts its name at the end of Filter-Id; "c" is
// not for accounting.
const markingRules = `
[[rule]]
name    = "a"
replace = [{ attribute = "Filter-Id", pattern = "$", with = "a" }]
[[rule]]
name    = "b"
replace = [{ attribute = "Filter-Id", pattern = "$", with = "b" }]
[[rule]]
name    = "c"
packets = ["access", "coa", "disconnect"]
replace = [{ attribute = "Filter-Id", pattern = "$", with = "c" }]
`

// planWith is the plan of a configuration with rules, and with lines in the client, the
// server and the route.
func planWith(t *testing.T, tables, client, server, route string) *Plan {
	t.Helper()
	text := gatewaytest.Config(1812)
	for table, lines := range map[string]string{"[[client]]\n": client, "[[server]]\n": server, "[[route]]\n": route} {
		text = strings.Replace(text, table, table+lines, 1)
	}
	_, file := gatewaytest.Dir(t, text+tables)
	return planOf(t, file)
}

// filterID returns a packet with a Filter-Id.
func filterID(t *testing.T, code byte) *wire.View {
	t.Helper()
	v := new(wire.View)
	if err := v.Parse(append([]byte{code, 1, 0, 20 + 3, 19: 0}, tlv(11, '-')...)); err != nil {
		t.Fatal(err)
	}
	return v
}

// Rules of a place are applied in the order of the file, whatever the order of their names. A
// request passes those of the client, then of the route, then of the server; a reply those of
// the server, then of the route, then of the client. A server without rules has the route's, and
// a rule is for its packets only.
//
// Rules: AR1, AR2
func TestRulesOfEachPlace(t *testing.T) {
	all := func(request, reply string) string {
		return "rules_request=[" + request + "]\nrules_reply=[" + reply + "]\n"
	}
	for _, x := range []struct {
		says                  string
		client, server, route string
		kind                  wire.Kind
		request, reply        string
	}{
		{"names in another order than the file", all(`"b","a"`, `"c","b"`), "", "", wire.KindAccess, "-ab", "-bc"},
		{"one rule for each place", all(`"a"`, `"a"`), all(`"c"`, `"c"`), all(`"b"`, `"b"`), wire.KindAccess, "-abc", "-cba"},
		{"the server's rule is above the route's in the file", "", all(`"a"`, `"b"`), all(`"b"`, `"a"`), wire.KindAccess, "-ba", "-ba"},
		{"a server without rules", "", "", all(`"a"`, `"b"`), wire.KindAccess, "-a", "-b"},
		{"a route without rules", "", all(`"a"`, `"b"`), "", wire.KindAccess, "-a", "-b"},
		{"a rule that is not for accounting", all(`"a","c"`, `"c","b"`), "", "", wire.KindAccounting, "-a", "-b"},
	} {
		p := planWith(t, markingRules, x.client, x.server, x.route)
		passage := need(p.Passage(&p.Config.Clients[0], 0, "udp", x.kind, nil))
		e, d := rules.NewEditor(), wire.NewDigests()
		request := need(passage.FromClient(e, d, filterID(t, 1)))
		request = need(passage.ToServer(rules.NewEditor(), d, request))
		if got := string(request.Get(11)); got != x.request {
			t.Errorf("%s: the server gets Filter-Id %q, expected %q", x.says, got, x.request)
		}
		own := filterID(t, 1)
		reply := need(passage.Reply(e, rules.NewEditor(), d, filterID(t, 2), own, own, own.Authenticator(), need(wire.NewServerSecret([]byte(gatewaytest.Secret)))))
		if got := string(reply.Get(11)); got != x.reply {
			t.Errorf("%s: the client gets Filter-Id %q, expected %q", x.says, got, x.reply)
		}
	}
}

// check warns of a User-Name that changes in logins, and of a preset that is named for one
// direction only; not of rules for replies or for accounting, and not of rules that nothing
// uses.
//
// Rules: AR5, AR11
func TestWarningsAboutRules(t *testing.T) {
	const name = "\n[[rule]]\nname='n'\nset={User-Name='x'}\n"
	const preset = "\n[[rule]]\nname='p'\nuse=['eduroam-in']\n"
	const userName, half = "changes the User-Name of Access-Requests", "name it in rules_request and in rules_reply"
	for _, x := range []struct {
		says, client, route, tables string
		want                        []string // what each warning about rules has, in any order
	}{
		{"a new User-Name for a client's requests", "rules_request=['n']\n", "", name, []string{"client[0].rules_request: " + userName}},
		{"and for a route's", "", "rules_request=['n']\n", name, []string{"route[0].rules_request: " + userName}},
		{"in replies", "rules_reply=['n']\n", "", name, nil},
		{"in accounting", "rules_request=['n']\n", "", strings.Replace(name, "set=", "packets=['accounting']\nset=", 1), nil},
		{"in logins only", "rules_request=['n']\n", "", strings.Replace(name, "set=", "packets=['access']\nset=", 1), []string{userName}},
		{"a preset for requests only", "rules_request=['p']\n", "", preset, []string{"client[0].rules_request: rule \"p\" uses a preset"}},
		{"for replies only", "", "rules_reply=['p']\n", preset, []string{"route[0].rules_reply: rule \"p\" uses a preset"}},
		{"for both, at two places", "rules_request=['p']\n", "rules_reply=['p']\n", preset, []string{"client[0].rules_request: rule", "route[0].rules_reply: rule"}},
		{"for both, of two clients", "rules_request=['p']\n", "", "\n[[client]]\nname='other'\nnetworks=['10.0.0.0/8']\nrules_reply=['p']\n" + preset, []string{"client[0].rules_request: rule", "client[1].rules_reply: rule"}},
		{"for both", "rules_request=['p']\nrules_reply=['p']\n", "", preset, nil},
		{"what a rule adds both ways", "rules_request=['n']\n", "rules_reply=['n']\n", "\n[[rule]]\nname='n'\nadd={Filter-Id='x'}\n", []string{`rule[0]: rule "n" is named for requests and for replies`}},
		{"a rule that is not used", "", "", "\n[[rule]]\nname='n'\nadd={Filter-Id='{client.name}'}\n", nil},
		{"and the same, used", "rules_request=['n']\n", "", "\n[[rule]]\nname='n'\nadd={Filter-Id='{client.name}'}\n", []string{"forge the fact"}},
	} {
		p := planWith(t, x.tables, x.client, "", x.route)
		got := p.rules.warnings(p.Config)
		ok := len(got) == len(x.want)
		for _, want := range x.want {
			ok = ok && slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, want) })
		}
		for _, line := range got {
			ok = ok && (!strings.Contains(line, "uses a preset") || strings.Contains(line, half))
		}
		if !ok {
			t.Errorf("%s: expected warnings with %q, got %q", x.says, x.want, got)
		}
	}
}

// What docs/attributes.md shows for eduroam gives the servers an Operator-Name, and clients
// none.
//
// Rules: AR2, AR11
func TestRulesOfTheDocumentation(t *testing.T) {
	_, presets, _ := strings.Cut(string(need(os.ReadFile("../docs/attributes.md"))), "## Presets")
	_, example, _ := strings.Cut(presets, "```toml\n[[route]]\n")
	example, _, _ = strings.Cut(example, "```")
	route, tables, found := strings.Cut(example, "\n\n")
	if !found || !strings.Contains(tables, `"eduroam-out"`) {
		t.Fatalf("expected a route, and a rule with eduroam-out, under Presets, got:\n%s", example)
	}
	text := strings.NewReplacer(`name = "udp"`, `name = "federation"`, `realms = ["example.org"]`, "", `servers = ["udp"]`, route).Replace(gatewaytest.Config(1812))
	_, file := gatewaytest.Dir(t, text+tables)
	p := planOf(t, file)
	passage := need(p.Passage(&p.Config.Clients[0], 0, "federation", wire.KindAccess, nil))
	e, d, own := rules.NewEditor(), wire.NewDigests(), new(wire.View)
	if err := own.Parse(rawRequest(1, 1, nameOf("bob@example.org"))); err != nil {
		t.Fatal(err)
	}
	request := need(passage.ToServer(e, d, own))
	if got := string(request.Get(126)); got != "1campus.example" {
		t.Errorf("the server gets Operator-Name %q, expected \"1campus.example\"", got)
	}
	reply := need(passage.Reply(e, rules.NewEditor(), d, filterID(t, 2), own, own, own.Authenticator(), need(wire.NewServerSecret([]byte(gatewaytest.Secret)))))
	if reply.Get(126) != nil || reply.Get(11) != nil {
		t.Errorf("the client gets Operator-Name %q and Filter-Id %q, expected neither", reply.Get(126), reply.Get(11))
	}
}
