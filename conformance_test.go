// Package conformance_test holds CONFORMANCE.md to the tests, and the tests to
// CONFORMANCE.md.
//
// A test names the rules that it holds in a line of its comment:
//
//	// Rules: P35, P36
//
// After a change, this writes the tests into the table:
//
//	CONFORMANCE=write go test -run TestConformance .
package conformance_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// entry is a row of the table.
type entry struct {
	rule          string // "P35": its letter and its number
	letter        string
	number        int
	source, words string
	tests         []string // "folder.TestName"
	reason        string   // why there is no test, or what the tests leave out
}

// found is what the tests' comments say.
type found struct {
	exists map[string]bool     // every test, by "folder.TestName"
	tests  map[string][]string // by rule
	wrong  []string            // comments that cannot be understood
}

// Every rule has an entry, every entry its tests or a reason, every test its entries.
func TestConformance(t *testing.T) {
	text, err := os.ReadFile("CONFORMANCE.md")
	if err != nil {
		t.Fatal(err)
	}
	have, err := readTests(".")
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("CONFORMANCE") == "write" {
		text = []byte(rewrite(string(text), have))
		if err := os.WriteFile("CONFORMANCE.md", text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, mistake := range append(have.wrong, check(string(text), have)...) {
		t.Error(mistake)
	}
}

// check compares the table with the tests and returns what is wrong.
func check(text string, have *found) (mistakes []string) {
	say := func(format string, args ...any) { mistakes = append(mistakes, fmt.Sprintf(format, args...)) }
	all, mistakes := readTable(text)
	byRule := map[string]entry{}
	for _, e := range all {
		rule := e.rule
		byRule[rule] = e
		if e.source == "" || e.words == "" {
			say("%s: expected a source and a wording", rule)
		}
		if len(e.tests) == 0 && !excused(e.reason) {
			say("%s binds, and its entry names no test; name one, or say \"not ours: …\" or \"later: …\"", rule)
		}
		for _, test := range e.tests {
			if !have.exists[test] {
				say("%s: there is no test %s", rule, test)
			}
		}
	}
	for rule, tests := range have.tests {
		e, ok := byRule[rule]
		if !ok {
			say("%s: %v name this rule, and there is none", rule, tests)
			continue
		}
		for _, test := range tests {
			if !slices.Contains(e.tests, test) {
				say("%s: its entry does not name %s, whose comment names the rule; CONFORMANCE=write go test -run TestConformance . adds it", rule, test)
			}
		}
	}
	return mistakes
}

// readTable returns the entries of all sections. The numbers of a letter are 1 to the
// highest, each once. In a section they ascend, and so a new rule may stand below others
// on its subject.
func readTable(text string) (all []entry, mistakes []string) {
	say := func(format string, args ...any) { mistakes = append(mistakes, fmt.Sprintf(format, args...)) }
	have, highest, above := map[string]bool{}, map[string]int{}, entry{}
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "## ") {
			above = entry{}
		}
		e, ok := parseEntry(line)
		if !ok {
			if strings.HasPrefix(line, "|") && line != "| rule | source | what it says | held by |" && line != "| --- | --- | --- | --- |" {
				say("expected a row | rule | source | what it says | held by |, got %q", line)
			}
			continue
		}
		if have[e.rule] {
			say("%s has two entries", e.rule)
		}
		if e.letter == above.letter && e.number < above.number {
			say("%s is below %s: expected the numbers of a section in ascending order", e.rule, above.rule)
		}
		all, have[e.rule], above = append(all, e), true, e
		highest[e.letter] = max(highest[e.letter], e.number)
	}
	for letter, n := range highest {
		for i := range n {
			if rule := fmt.Sprint(letter, i+1); !have[rule] {
				say("%s has no entry, and %s%d has one", rule, letter, n)
			}
		}
	}
	return all, mistakes
}

func excused(reason string) bool {
	return strings.HasPrefix(reason, "not ours: ") || strings.HasPrefix(reason, "later: ")
}

var (
	row      = regexp.MustCompile(`^\| (([A-Z]{1,2})([1-9]\d{0,3})) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$`)
	ruleName = regexp.MustCompile(`^[A-Z]{1,2}[1-9]\d{0,3}$`)
	testName = regexp.MustCompile("`([^`]+)`")
)

// parseEntry reads a row: | P1 | source | wording | `folder.Test`, …; reason |
func parseEntry(line string) (e entry, ok bool) {
	m := row.FindStringSubmatch(line)
	if m == nil {
		return e, false
	}
	e.rule, e.letter, e.source, e.words = m[1], m[2], strings.TrimSpace(m[4]), strings.TrimSpace(m[5])
	e.number, _ = strconv.Atoi(m[3])
	for _, n := range testName.FindAllStringSubmatch(m[6], -1) {
		e.tests = append(e.tests, n[1])
	}
	rest := strings.TrimSpace(m[6])
	if i := strings.LastIndex(rest, "`"); i >= 0 {
		rest = strings.TrimSpace(strings.TrimPrefix(rest[i+1:], ";"))
	}
	e.reason = rest
	return e, true
}

func (e *entry) String() string {
	cell := e.reason
	if len(e.tests) > 0 {
		cell = "`" + strings.Join(e.tests, "`, `") + "`"
		if e.reason != "" {
			cell += "; " + e.reason
		}
	}
	return fmt.Sprintf("| %s | %s | %s | %s |", e.rule, e.source, e.words, cell)
}

// rewrite adds the tests that the comments name, and drops those that are gone.
// An entry that gets its first test loses its excuse.
func rewrite(text string, have *found) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		e, ok := parseEntry(line)
		if !ok {
			continue
		}
		none := len(e.tests) == 0
		e.tests = append(e.tests, have.tests[e.rule]...)
		e.tests = slices.DeleteFunc(e.tests, func(test string) bool { return !have.exists[test] })
		slices.Sort(e.tests)
		e.tests = slices.Compact(e.tests)
		if none && len(e.tests) > 0 && excused(e.reason) {
			e.reason = ""
		}
		lines[i] = e.String()
	}
	return strings.Join(lines, "\n")
}

// readTests reads every test file below root.
func readTests(root string) (*found, error) {
	have := &found{exists: map[string]bool{}, tests: map[string][]string{}}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		return have.read(path)
	})
	return have, err
}

var rulesLine = regexp.MustCompile(`(?m)^// Rules:(.*)$`)

// read takes the tests of one file.
func (f *found) read(path string) error {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	ofTests := map[*ast.CommentGroup]bool{}
	for _, decl := range file.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Recv != nil || !isTest(fn.Name.Name) {
			continue
		}
		test := filepath.ToSlash(filepath.Dir(path)) + "." + fn.Name.Name
		f.exists[test] = true
		ofTests[fn.Doc] = true
		f.note(test, fn.Doc)
	}
	for _, group := range file.Comments {
		if !ofTests[group] && group.Pos() > file.Package && len(rulesOf(group)) > 0 {
			f.wrong = append(f.wrong, fmt.Sprintf("%s: these Rules belong to no test", set.Position(group.Pos())))
		}
	}
	return nil
}

func isTest(name string) bool {
	return strings.HasPrefix(name, "Test") && name != "TestMain" || strings.HasPrefix(name, "Fuzz") || strings.HasPrefix(name, "Benchmark")
}

// rulesOf returns what follows "Rules:" in a comment, a line each.
func rulesOf(doc *ast.CommentGroup) (lines []string) {
	if doc == nil {
		return nil
	}
	for _, c := range doc.List {
		if m := rulesLine.FindStringSubmatch(c.Text); m != nil {
			lines = append(lines, m[1])
		}
	}
	return lines
}

// note takes the rules that a test's comment names.
func (f *found) note(test string, doc *ast.CommentGroup) {
	for _, line := range rulesOf(doc) {
		for name := range strings.SplitSeq(line, ",") {
			rule := strings.TrimSpace(name)
			if !ruleName.MatchString(rule) {
				f.wrong = append(f.wrong, fmt.Sprintf("%s: %q is not a rule; expected a line such as \"// Rules: P35, C5\"", test, rule))
				continue
			}
			f.tests[rule] = append(f.tests[rule], test)
		}
	}
}

// The check finds each mistake that it is there for.
func TestConformanceFindsMistakes(t *testing.T) {
	have := &found{exists: map[string]bool{"a.TestA": true}, tests: map[string][]string{"P2": {"a.TestA"}}}
	var lines []string
	for _, rule := range []string{"P1", "P2", "P4", "\n## Another subject", "P3", "C1"} {
		if strings.HasPrefix(rule, "\n") {
			lines = append(lines, rule)
			continue
		}
		e := entry{rule: rule, source: "RFC 1", words: "words", reason: "later: a reason"}
		if rule == "P2" {
			e.tests, e.reason = []string{"a.TestA"}, ""
		}
		lines = append(lines, e.String())
	}
	good := strings.Join(lines, "\n")
	if mistakes := check(good, have); len(mistakes) != 0 {
		t.Errorf("a good table has mistakes: %v", mistakes)
	}
	for _, row := range []struct{ old, new, want string }{
		{"| P3 | RFC 1 | words | later: a reason |\n", "", "P3 has no entry, and P4 has one"},
		{"| P3 | RFC 1 | words | later: a reason |", "| P3 | RFC 1 | words |  |", "P3 binds"},
		{"| P3 | RFC 1 | words | later: a reason |", "| P3 | RFC 1 | words | because |", "P3 binds"},
		{"| P3 | RFC 1 | words | later: a reason |", "| P3 | RFC 1 | words | `a.TestB` |", "P3: there is no test a.TestB"},
		{"`a.TestA`", "later: a reason", "P2: its entry does not name a.TestA"},
		{"| P3 | RFC 1 |", "| P3 |  |", "P3: expected a source"},
		{"| P4 | RFC 1", "| P3 | RFC 1", "P3 has two entries"},
		{"\n## Another subject", "", "P3 is below P4"},
		{"| C1 |", "| C01 |", "expected a row"},
	} {
		mistakes := strings.Join(check(strings.Replace(good, row.old, row.new, 1), have), "\n")
		if !strings.Contains(mistakes, row.want) {
			t.Errorf("%q in place of %q: expected %q, got %q", row.new, row.old, row.want, mistakes)
		}
	}
	if again := rewrite(strings.Replace(good, "`a.TestA`", "later: a reason", 1), have); again != good {
		t.Error("writing the tests into the table does not mend it")
	}
}
