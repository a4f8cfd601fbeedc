package radsecproxy

import (
	"fmt"
	"strings"
	"testing"

	"radsec-gw/importer/importertest"
)

// Which rules a client and a server get: those that they name; defaultClient, defaultServer
// or default for what comes from one that names none for it.
func TestRulesApplied(t *testing.T) {
	const blocks = "rewrite a {\nremoveAttribute 11\n}\nrewrite b {\nremoveAttribute 18\n}\n"
	for _, c := range []struct{ rewrites, client, server, ofClient, ofServer string }{
		{"", "", "", "<nil> <nil>", "<nil> <nil>"},
		{"", "rewriteIn a\nrewriteOut b", "rewriteIn a\nrewriteOut b", "[a] [b]", "[b] [a]"},
		{"", "rewrite a", "rewrite a", "[a] <nil>", "<nil> [a]"},
		{"", "rewrite a\nrewriteIn b", "rewrite a\nrewriteIn b", "[b] <nil>", "<nil> [b]"},
		{"default", "", "", "[default] <nil>", "<nil> [default]"},
		{"default", "rewriteOut a", "rewriteIn a", "[default] [a]", "<nil> [a]"},
		{"default defaultClient", "", "", "[defaultClient] <nil>", "<nil> [default]"},
		{"default defaultServer", "rewriteIn b", "", "[b] <nil>", "<nil> [defaultServer]"},
		{"Default", "", "", "<nil> <nil>", "<nil> <nil>"},
		{"", "rewriteIn A", "", "<nil> <nil>", "<nil> <nil>"},
		{"default", "rewriteAttribute User-Name:/^a$/b/", "", "[default c User-Name] <nil>", "<nil> [default]"},
	} {
		text := "tls default {\nCACertificateFile /ca.pem\n}\n" + blocks
		for _, name := range strings.Fields(c.rewrites) {
			text += "rewrite " + name + " {\nremoveAttribute 32\n}\n"
		}
		text += "client c {\ntype tls\nhost c.example\n" + c.client + "\n}\nserver s {\ntype udp\nhost 192.0.2.1\nsecret 0123456789abcdef\n" + c.server + "\n}\n"
		d, err := importText(text, nil)
		if err != nil {
			t.Fatal(err)
		}
		checkRules(t, d)
		values := importertest.Decode(t, d)
		for kind, want := range map[string]string{"client": c.ofClient, "server": c.ofServer} {
			table := tablesOf(values, kind)[0]
			if got := fmt.Sprint(table["rules_request"], " ", table["rules_reply"]); got != want {
				t.Errorf("%+v: expected the rules %s of the %s, got %s", c, want, kind, got)
			}
		}
		if c.client == "rewriteIn A" && !strings.Contains(noteTexts(d), "rewriteIn A: expected the name of a rewrite block") {
			t.Errorf("expected a note that there is no rewrite block A, got%s", noteTexts(d))
		}
	}
}

// A rewrite block without options stands aside for the next default, as in radsecproxy, and
// one that nothing uses is noted.
func TestRulesNotApplied(t *testing.T) {
	d, err := importText("tls default {\nCACertificateFile /ca.pem\n}\nrewrite default {\naddAttribute 11:x\n}\nrewrite defaultClient {\nwhitelistMode on\n}\nrewrite z {\naddAttribute 11:Hidden\n}\n"+
		"client c {\ntype tls\nhost c.example\n}\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	text := importertest.Text(t, d)
	if !strings.Contains(text, `rules_request = ["default"]`) || strings.Contains(text, "Hidden") ||
		!strings.Contains(noteTexts(d), "rewrite z: no client and no server that is carried over uses it (addAttribute 11:…)") {
		t.Errorf("expected the rule default for the client, and a note about z, got\n%s", text)
	}
}
