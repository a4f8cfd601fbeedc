package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// sample writes a module like this one, with one package and its tests.
func sample(t *testing.T, files map[string]string) (root string) {
	t.Helper()
	root = t.TempDir()
	files["go.mod"] = "module radsec-gw\n\ngo 1.26\n"
	for name, text := range files {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

const sampleCode = `package wire

import "errors"

type size uint8

const most = 7

var errBig = errors.New("big")

// All has one place for every operator.
func All(b []byte, s size, ok bool) (n int, err error) {
	if len(b) < most || !ok && s&3 == 1 {
		return 0, errBig
	}
	copy(b[0:1], b)
	for _, c := range b[1:] {
		if c == 0 {
			continue
		}
		n += int(c)
		n++
	}
	switch s {
	case 2:
		n = n - 1
		n <<= 2
	default:
	}
	return n, nil
}

func loop(next func() bool) int {
	for i := 0; ; i++ {
		if next() {
			return i
		}
	}
}

func (s size) String() string { return "size" + string(rune('0'+s%10)) }
`

// Each operator finds its places, and nothing else is touched.
func TestKeys(t *testing.T) {
	root := sample(t, map[string]string{"wire/all.go": sampleCode, "wire/all_test.go": "package wire"})
	mutants, _, text := scanSample(t, root)
	var keys []string
	for _, m := range mutants {
		keys = append(keys, strings.TrimPrefix(m.key, "wire/all.go "))
	}
	want := []string{
		"All [logic] len(b) < most || !ok && s&3 == 1 -> len(b) < most && !ok && s&3 == 1",
		"All [boundary] len(b) < most || !ok && s&3 == 1 -> len(b) <= most || !ok && s&3 == 1",
		"All [negate] len(b) < most || !ok && s&3 == 1 -> len(b) >= most || !ok && s&3 == 1",
		"All [logic] len(b) < most || !ok && s&3 == 1 -> len(b) < most || !ok || s&3 == 1",
		"All [negate] len(b) < most || !ok && s&3 == 1 -> len(b) < most || ok && s&3 == 1",
		"All [negate] len(b) < most || !ok && s&3 == 1 -> len(b) < most || !ok && s&3 != 1",
		"All [bits] len(b) < most || !ok && s&3 == 1 -> len(b) < most || !ok && s|3 == 1",
		"All [constant] len(b) < most || !ok && s&3 == 1 -> len(b) < most || !ok && s&4 == 1",
		"All [constant] len(b) < most || !ok && s&3 == 1 -> len(b) < most || !ok && s&3 == 0",
		"All [return] return 0, errBig -> return 0, nil",
		"All [constant] b[1:] -> b[0:]",
		"All [constant] copy(b[0:1], b) -> copy(b[1:1], b)",
		"All [constant] copy(b[0:1], b) -> copy(b[0:0], b)",
		"All [negate] c == 0 -> c != 0",
		"All [loop] continue -> break",
		"All [remove] n += int(c) -> nothing",
		"All [arithmetic] n += int(c) -> n -= int(c)",
		"All [remove] n++ -> nothing",
		"All [arithmetic] n++ -> n--",
		"All [case] case 2: -> case 2: nothing",
		"All [remove] n = n - 1 -> nothing",
		"All [arithmetic] n = n - 1 -> n = n + 1",
		"All [bits] n <<= 2 -> n >>= 2",
		"All [return] return n, nil -> return 0, nil",
		"loop [negate] next() -> !next()",
		"loop [return] return i -> return 0",
	}
	for _, key := range want {
		if !slices.Contains(keys, key) {
			t.Errorf("expected a mutant %q", key)
		}
	}
	for _, key := range keys {
		if strings.Contains(key, "String") || strings.Contains(key, "most = ") || strings.Contains(key, "errors.New") || strings.Contains(key, "return 1, errBig") || strings.Contains(key, "copy(b[0:2]") {
			t.Errorf("expected nothing changed there: %q", key)
		}
	}
	if a, b := strings.Count(sampleCode, "\n"), strings.Count(text, "\n"); a != b {
		t.Errorf("the changed file has %d lines, expected %d: lines of panics would be wrong", b, a)
	}
}

func scanSample(t *testing.T, root string) (mutants []*mutant, p *project, text string) {
	t.Helper()
	p, err := load(root, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	mutants, _, _, err = p.scanAll(dir)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := os.ReadFile(filepath.Join(dir, "f0.go"))
	if err != nil {
		t.Fatal(err)
	}
	return mutants, p, string(changed)
}

// A whole run: what the test holds is killed, what it does not hold survives, and
// a test that fails with nothing changed is left out.
func TestRun(t *testing.T) {
	root := sample(t, map[string]string{
		"wire/all.go": sampleCode,
		"wire/all_test.go": `package wire

import "testing"

func TestSum(t *testing.T) {
	if n, err := All([]byte{9, 1, 2, 3, 0, 4, 5}, 0, true); n != 20 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
}

func TestAlwaysFails(t *testing.T) { t.Error("fails") }
`,
		"tools/mutants/accepted": "# a comment\nwire/all.go loop [return] return i -> return 0\n\tNo test reaches it.\n" +
			"wire/all.go gone [return] return i -> return 0\n\tThere is no such function.\n",
	})
	out := filepath.Join(t.TempDir(), "survivors")
	o := &options{root: root, least: 20 * time.Second, slow: time.Minute, jobs: 2, cache: t.TempDir(), out: out}
	err := mutate(o, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "accepted:4: there is no such mutant (any more): wire/all.go gone") {
		t.Errorf("expected an error for the entry of line 4, got %v", err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	survivors := string(text)
	for key, survives := range map[string]bool{
		"All [negate] c == 0 -> c != 0":         false,
		"All [remove] n++ -> nothing":           false,
		"All [constant] b[1:] -> b[0:]":         false,
		"All [case] case 2: -> case 2: nothing": true,
		"All [boundary] len(b) < most || !ok && s&3 == 1 -> len(b) <= most || !ok && s&3 == 1": false,
		"loop [negate] next() -> !next()":    true,
		"loop [return] return i -> return 0": false, // accepted
	} {
		if got := strings.Contains(survivors, "wire/all.go "+key+"\n"); got != survives {
			t.Errorf("%s: expected survivor %t, got %t", key, survives, got)
		}
	}
	// The second run knows all of it.
	again := &options{root: root, least: 20 * time.Second, slow: time.Minute, jobs: 2, cache: o.cache, out: out + "2"}
	began := time.Now()
	mutate(again, t.TempDir())
	t.Logf("the second run took %v", time.Since(began))
	if text, _ := os.ReadFile(out + "2"); string(text) != survivors {
		t.Errorf("expected the survivors of the first run\n%s, got\n%s", survivors, text)
	}
}

// Where a group has a bound, so many survivors need no entry in the list.
func TestBound(t *testing.T) {
	for _, row := range []struct {
		group          string
		size, survives int
		fails          bool
	}{
		{"wire", 100, 0, false}, {"wire", 100, 1, true}, {"udpback", 100, 2, false}, {"udpback", 100, 3, true}, {"udpback", 9, 1, true},
	} {
		var all []*mutant
		for range row.size {
			all = append(all, &mutant{src: &source{pkg: &pkg{group: row.group}}})
		}
		r := newReport(nil, all)
		for i, m := range all {
			r.outcomes[m] = outcome{Killed: i >= row.survives}
		}
		if err := r.err(); (err != nil) != row.fails {
			t.Errorf("%s: %d of %d survive: expected an error %t, got %v", row.group, row.survives, row.size, row.fails, err)
		}
	}
}

func TestAcceptedMistakes(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"key\n", "accepted:1: expected the reason"},
		{"\treason\n", "accepted:1: expected a mutant's key"},
		{"key\n\treason\nkey\n\treason\n", "accepted:3: this mutant is already on line 1"},
	} {
		file := filepath.Join(t.TempDir(), "accepted")
		if err := os.WriteFile(file, []byte(row.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readAccepted(file); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%q: expected an error with %q, got %v", row.text, row.want, err)
		}
	}
}

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

// Each way to break a rule has its lines in the code as it is now, and its tests in the
// rule's row, so that an edit of the code or of a test takes its entry along.
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
