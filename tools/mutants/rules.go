package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// broken is one entry of the folder rules: a rule, and how to break it.
type broken struct {
	rule, words string
	file        string
	line        int
	changes     []change
	tests       []string // "folder.TestName"; those of CONFORMANCE.md when there are none
}

// change replaces lines of one file.
type change struct {
	file     string
	old, new []string
}

var ruleLine = regexp.MustCompile(`^([A-Z]+\d+): (.+)$`)

// parseRules reads entries as doc.go describes them.
func parseRules(name, text string) (all []*broken, err error) {
	fail := func(n int, format string, args ...any) error {
		return fmt.Errorf("%s:%d: %s", name, n+1, fmt.Sprintf(format, args...))
	}
	var b *broken
	for n, line := range strings.Split(text, "\n") {
		m := ruleLine.FindStringSubmatch(line)
		switch {
		case strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "":
		case strings.HasPrefix(line, "tests: ") && b != nil:
			b.tests = strings.Fields(strings.TrimPrefix(line, "tests: "))
		case m != nil:
			b = &broken{rule: m[1], words: m[2], file: name, line: n + 1}
			all = append(all, b)
		case b == nil:
			return nil, fail(n, "expected a rule and how it is broken, as in \"P2: padding is refused\"")
		case line[0] == '-' || line[0] == '+':
			if len(b.changes) == 0 {
				return nil, fail(n, "expected the name of a file before the lines that change in it")
			}
			c := &b.changes[len(b.changes)-1]
			if line[0] == '+' {
				c.new = append(c.new, line[1:])
				continue
			}
			if len(c.new) > 0 { // a second place of the same file
				b.changes = append(b.changes, change{file: c.file})
				c = &b.changes[len(b.changes)-1]
			}
			c.old = append(c.old, line[1:])
		case strings.HasSuffix(line, ".go"):
			b.changes = append(b.changes, change{file: line})
		default:
			return nil, fail(n, "expected a rule, a file, a line with - or +, or tests, got %q", line)
		}
	}
	for _, b := range all {
		if len(b.changes) == 0 {
			return nil, fail(b.line-1, "%s: expected a file and what changes in it", b.rule)
		}
		for _, c := range b.changes {
			if len(c.old) == 0 {
				return nil, fail(b.line-1, "%s: expected lines with - below %s", b.rule, c.file)
			}
		}
	}
	return all, nil
}

// readRules reads all files of a folder.
func readRules(dir string) (all []*broken, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			return nil, err
		}
		more, err := parseRules(file.Name(), string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

var tableRow = regexp.MustCompile(`(?m)^\| ([A-Z]+\d+) \|[^|]*\|[^|]*\|([^|]*)\|$`)
var testName = regexp.MustCompile("`([^`]+)`")

// conformance returns the tests that CONFORMANCE.md names, by rule.
func conformance(text string) map[string][]string {
	tests := map[string][]string{}
	for _, row := range tableRow.FindAllStringSubmatch(text, -1) {
		for _, name := range testName.FindAllStringSubmatch(row[2], -1) {
			tests[row[1]] = append(tests[row[1]], name[1])
		}
	}
	return tests
}

// slow are the folders whose tests run only when an entry names them.
var slow = regexp.MustCompile(`^(cmd|interop|bench|docker|packaging)/|^interop\.`)

// breakRules breaks each rule and sees its tests fail.
func breakRules(o *options, dir string) error {
	all, err := readRules(filepath.Join(o.root, "tools", "mutants", "rules"))
	if err != nil {
		return err
	}
	table, err := os.ReadFile(filepath.Join(o.root, "CONFORMANCE.md"))
	if err != nil {
		return err
	}
	tests := conformance(string(table))
	pattern, err := regexp.Compile(o.run)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	all = slices.DeleteFunc(all, func(b *broken) bool { return !pattern.MatchString(b.rule + ": " + b.words) })
	errs := make([]error, len(all))
	each(o.jobs, len(all), func(i int) {
		b := all[i]
		by, err := "", b.choose(tests[b.rule])
		if err == nil {
			by, err = b.try(o, filepath.Join(dir, fmt.Sprint(i)))
		}
		if err != nil {
			errs[i] = fmt.Errorf("%s:%d: %s: %s: %w", b.file, b.line, b.rule, b.words, err)
			fmt.Println(errs[i])
			return
		}
		fmt.Printf("%s: %s: found by %s\n", b.rule, b.words, by)
	})
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) > 0 {
		return fmt.Errorf("%d of %d were not found:\n%w", len(errs), len(all), errors.Join(errs...))
	}
	covered := map[string]bool{}
	for _, b := range all {
		covered[b.rule] = true
	}
	fmt.Printf("%d rules broken in %d ways, each found\n", len(covered), len(all))
	if o.run == "" {
		missing := slices.DeleteFunc(slices.Sorted(maps.Keys(tests)), func(rule string) bool { return covered[rule] || len(tests[rule]) == 0 })
		fmt.Printf("not broken yet: %s\n", strings.Join(missing, " "))
	}
	return nil
}

// choose sets the tests to run: those that the entry names, which the rule's row
// must name, too, or all of the row that are not slow.
func (b *broken) choose(row []string) error {
	for _, t := range b.tests {
		if !slices.Contains(row, t) {
			return fmt.Errorf("its row of CONFORMANCE.md does not name the test %s", t)
		}
	}
	if len(b.tests) == 0 {
		b.tests = slices.DeleteFunc(slices.Clone(row), slow.MatchString)
	}
	if len(b.tests) == 0 {
		return errors.New("CONFORMANCE.md names no test that runs here; name one in a line \"tests: \"")
	}
	return nil
}

// try breaks a rule and returns the test that fails.
func (b *broken) try(o *options, dir string) (by string, err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	name, err := b.overlay(o.root, dir)
	if err != nil {
		return "", err
	}
	folders := map[string][]string{}
	for _, t := range b.tests {
		folder, test, ok := strings.Cut(t, ".")
		if !ok {
			return "", fmt.Errorf("test %q: expected folder.TestName", t)
		}
		folders[folder] = append(folders[folder], test)
	}
	for _, folder := range b.order(folders) {
		cmd := exec.Command("go", "test", "-count=1", "-vet=off", "-failfast", "-timeout=60s", "-overlay="+name,
			"-run=^("+strings.Join(folders[folder], "|")+")$", "./"+folder)
		cmd.Dir = o.root
		out, err := cmd.CombinedOutput()
		text := string(out)
		switch {
		case strings.Contains(text, "[build failed]") || strings.Contains(text, "[setup failed]"):
			return "", fmt.Errorf("the changed code does not compile:\n%s", text)
		case strings.Contains(text, "no tests to run"):
			return "", fmt.Errorf("there are no tests %s in %s", strings.Join(folders[folder], ", "), folder)
		case err == nil:
			continue
		}
		if m := failedLine.FindStringSubmatch(text); m != nil {
			return folder + "." + m[1], nil
		}
		return folder, nil
	}
	return "", fmt.Errorf("the rule is broken and no test fails; run: %s", strings.Join(b.tests, ", "))
}

// order returns the folders of the tests, those first whose code changes: they
// need the least compiling.
func (b *broken) order(folders map[string][]string) []string {
	own := func(folder string) int {
		if slices.ContainsFunc(b.changes, func(c change) bool { return filepath.Dir(c.file) == folder }) {
			return 0
		}
		return 1
	}
	sorted := slices.Sorted(maps.Keys(folders))
	slices.SortStableFunc(sorted, func(x, y string) int { return own(x) - own(y) })
	return sorted
}

// overlay writes the changed files.
func (b *broken) overlay(root, dir string) (name string, err error) {
	var over overlay
	changed := map[string]string{}
	for _, c := range b.changes {
		if changed[c.file] == "" {
			text, err := os.ReadFile(filepath.Join(root, c.file))
			if err != nil {
				return "", err
			}
			changed[c.file] = string(text)
		}
		old := "\n" + strings.Join(c.old, "\n") + "\n"
		if n := strings.Count(changed[c.file], old); n != 1 {
			return "", fmt.Errorf("%s: expected these lines once, found them %d times:%s", c.file, n, old)
		}
		with := "\n"
		if len(c.new) > 0 {
			with = "\n" + strings.Join(c.new, "\n") + "\n"
		}
		changed[c.file] = strings.Replace(changed[c.file], old, with, 1)
	}
	for file, text := range changed {
		if err := over.put(dir, filepath.Join(root, file), []byte(text)); err != nil {
			return "", err
		}
	}
	return over.write(dir)
}
