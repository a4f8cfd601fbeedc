package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseRules(t *testing.T) {
	all, err := parseRules("rules", "# comment\n\nP1: broken\na.go\n-\told\n+\tnew\n-\tmore\nb.go\n-x\ntests: a.TestA b.TestB\n\nC2: too\na.go\n-y\n")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || all[0].rule != "P1" || len(all[0].changes) != 3 || all[0].changes[1].old[0] != "\tmore" ||
		all[0].changes[2].file != "b.go" || len(all[0].tests) != 2 || all[1].rule != "C2" {
		t.Errorf("got %+v", all)
	}
	for _, row := range []struct{ text, want string }{
		{"a.go\n", "rules:1: expected a rule"},
		{"P1: words\n", "rules:1: P1: expected a file"},
		{"P1: words\n-x\n", "rules:2: expected the name of a file"},
		{"P1: words\na.go\n+x\n", "rules:1: P1: expected lines with - below a.go"},
		{"P1: words\na.go\nx\n", "rules:3: expected a rule, a file"},
	} {
		if _, err := parseRules("rules", row.text); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%q: expected an error with %q, got %v", row.text, row.want, err)
		}
	}
}

// Each entry quotes the code as it is now, and names tests of the rule's row: whoever edits
// the code or a test has to edit the entry too.
func TestRulesAreWhereTheySay(t *testing.T) {
	root := filepath.Join("..", "..")
	all, err := readRules(filepath.Join(root, "tools", "mutants", "rules"))
	if err != nil || len(all) < 600 {
		t.Fatalf("%d ways to break rules: %v", len(all), err)
	}
	table, err := os.ReadFile(filepath.Join(root, "CONFORMANCE.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := conformance(string(table))
	for _, b := range all {
		_, err := b.overlay(root, t.TempDir())
		if err := errors.Join(err, b.choose(rows[b.rule])); err != nil {
			t.Errorf("%s:%d: %s: %v", b.file, b.line, b.rule, err)
		}
	}
}

// A rule is broken in the code, and its test finds it or does not.
func TestBreakRules(t *testing.T) {
	root := sample(t, map[string]string{
		"wire/all.go":      sampleCode,
		"wire/all_test.go": "package wire\n\nimport \"testing\"\n\nfunc TestShort(t *testing.T) {\n\tif _, err := All(nil, 0, true); err == nil {\n\t\tt.Error(\"got no error\")\n\t}\n}\n",
		"CONFORMANCE.md":   "| P1 | RFC 1 | words | `wire.TestShort` |\n| P2 | RFC 1 | words | `wire.TestShort`, `wire.TestNone` |\n",
	})
	for _, row := range []struct{ rule, want string }{
		{"P1: found\nwire/all.go\n-\t\treturn 0, errBig\n+\t\treturn 0, nil\n", ""},
		{"P2: not found\nwire/all.go\n-\t\tn++\n", "the rule is broken and no test fails"},
		{"P1: stale\nwire/all.go\n-\t\tnothing()\n", "expected these lines once, found them 0 times"},
		{"P1: wrong\nwire/all.go\n-\t\tn++\n+\t\tm++\n", "does not compile"},
		{"P3: no tests\nwire/all.go\n-\t\tn++\n", "names no test"},
		{"P1: not in the row\nwire/all.go\n-\t\tn++\ntests: wire.TestNone\n", "does not name the test wire.TestNone"},
		{"P2: none\nwire/all.go\n-\t\tn++\ntests: wire.TestNone\n", "there are no tests TestNone"},
	} {
		for name, text := range map[string]string{"framing": "# none here\n", "trust": row.rule} {
			file := filepath.Join(root, "tools", "mutants", "rules", name)
			os.MkdirAll(filepath.Dir(file), 0o700)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		err := breakRules(&options{root: root, jobs: 1}, t.TempDir())
		switch {
		case row.want == "" && err != nil:
			t.Errorf("%q: expected no error, got %v", row.rule, err)
		case row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)):
			t.Errorf("%q: expected an error with %q, got %v", row.rule, row.want, err)
		}
	}
}
