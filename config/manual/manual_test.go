package manual

import (
	"regexp"
	"strings"
	"testing"
)

// Every key of the example is there once, in its table, with a text that gives its default
// or says that it is required; a key without a text of its own shares that of the one before
// it, as secret_file.
func TestTables(t *testing.T) {
	found := map[string]Key{}
	for _, table := range Tables() {
		for _, key := range table.Keys {
			name := table.Header + key.Name
			if _, twice := found[name]; twice {
				t.Errorf("%s is there twice", name)
			}
			found[name] = key
			if key.Text == "" && !regexp.MustCompile(`_(file|env)$`).MatchString(key.Name) {
				t.Errorf("%s has no text", name)
			}
			if key.Text != "" && !strings.Contains(key.Text, "Default: ") && !strings.Contains(key.Text, "Required") {
				t.Errorf("%s: expected a default or \"Required\" in %q", name, key.Text)
			}
		}
	}
	for name, want := range map[string]Key{
		"[listen]min_tls":        {"min_tls", `min_tls = "1.2"`, "The oldest TLS version: \"1.2\" or \"1.3\".\n\nDefault: \"1.2\""},
		"[[server]]acct_port":    {"acct_port", "acct_port = 1813", "Default: 1813"},
		"[[server]]secret_file":  {"secret_file", `secret_file = "freeradius-a.secret"`, ""},
		"[listen]private_key":    {"private_key", `private_key = "certs/dev/server.key"`, "Required."},
		"[[route]]move_on_after": {Name: "move_on_after", Example: "move_on_after = 2"},
	} {
		got := found[name]
		if want.Text == "" {
			want.Text = got.Text
		}
		if got != want {
			t.Errorf("%s: expected %q, got %q", name, want, got)
		}
	}
	if text := Tables()[0].Text; !strings.HasPrefix(text, "The configuration of radsec-gw.") || strings.Contains(text, "[listen]") {
		t.Errorf("expected the text before the first table, got %q", text)
	}
	keys := regexp.MustCompile(`(?m)^(?:# )?[a-z_]+ = .*\n`).FindAllString(example, -1)
	if len(found) < 100 || len(found) > len(keys) {
		t.Errorf("expected about as many keys as the example has lines with one (%d), got %d", len(keys), len(found))
	}
}
