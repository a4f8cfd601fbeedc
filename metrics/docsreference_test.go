//go:build linux

package metrics

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
)

// reference is what docs/metrics.md is made of.
type reference struct {
	t        *testing.T
	families map[string]*dto.MetricFamily // by name without the namespace
	groups   []adviceGroup
	lists    []adviceList
	alerts   map[string][]string // that see a metric, by its whole name
}

// adviceGroup is a group of metrics, with what to do about each: name and text.
type adviceGroup struct {
	title string
	rows  [][2]string
}

// adviceList is a closed list of a label's values: value, meaning, what to do.
type adviceList struct {
	label, title string
	rows         [][3]string
}

func newReference(t *testing.T) *reference {
	t.Helper()
	r := &reference{t: t, families: everything(t), alerts: alerts(t)}
	text, err := os.ReadFile(adviceFile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		f := strings.Split(line, " | ")
		switch {
		case strings.HasPrefix(line, "## "):
			r.groups = append(r.groups, adviceGroup{title: line[3:]})
		case strings.HasPrefix(line, "#! "):
			label, title, _ := strings.Cut(line[3:], " ")
			r.lists = append(r.lists, adviceList{label: label, title: title})
		case line == "" || line[0] == '#':
		case len(r.lists) == 0 && len(f) == 2:
			g := &r.groups[len(r.groups)-1]
			g.rows = append(g.rows, [2]string(f))
		default:
			if f = strings.Split(line, "|"); len(f) != 3 {
				t.Fatalf("%s: expected three columns, got %q", adviceFile, line)
			}
			l := &r.lists[len(r.lists)-1]
			l.rows = append(l.rows, [3]string{strings.TrimSpace(f[0]), strings.TrimSpace(f[1]), strings.TrimSpace(f[2])})
		}
	}
	for file, title := range map[string]string{"fate.go": "Fates", "result.go": "Result of replies", "handshake.go": "Result of handshakes", "reason.go": "Reason of closed connections", "state.go": "State of servers", "fetch.go": "Result of fetches"} {
		r.addMeanings(file, title)
	}
	return r
}

// list returns the list with a title; nil: there is none.
func (r *reference) list(title string) *adviceList {
	for i := range r.lists {
		if r.lists[i].title == title {
			return &r.lists[i]
		}
	}
	return nil
}

// addMeanings gives the values of a list the comments of their constants in a file, which
// must be in the same order. Each must have advice.
func (r *reference) addMeanings(file, title string) {
	r.t.Helper()
	source, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		r.t.Fatal(err)
	}
	names := map[string]string{} // of label values, by constant
	var comments [][2]string     // constant and comment
	ast.Inspect(source, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok {
				if value, ok := n.Value.(*ast.BasicLit); ok {
					names[key.Name] = strings.Trim(value.Value, `"`)
				}
			}
		case *ast.ValueSpec:
			if n.Comment != nil {
				comments = append(comments, [2]string{n.Names[0].Name, strings.TrimSpace(n.Comment.Text())})
			}
		}
		return true
	})
	l := r.list(title)
	for _, c := range comments {
		value := names[c[0]]
		if strings.HasPrefix(c[0], "Num") {
			continue
		}
		i := slices.IndexFunc(l.rows, func(row [3]string) bool { return row[0] == value })
		if i < 0 || l.rows[i][2] == "" {
			r.t.Errorf("%s does not say what to do about %q (%s, %s)", adviceFile, value, title, c[0])
			continue
		}
		l.rows[i][1] = c[1]
	}
}

// write returns the generated part of the document, and fails the test for what the file
// of advice has too much or too little.
func (r *reference) write() string {
	var out strings.Builder
	described := map[string]bool{}
	for _, g := range r.groups {
		fmt.Fprintf(&out, "\n## %s\n", g.title)
		for _, row := range g.rows {
			f := r.families[row[0]]
			if f == nil && row[0] != "host_udp_no_ports_total" {
				r.t.Errorf("%s has %s, which is not a metric", adviceFile, row[0])
				continue
			}
			described[row[0]] = true
			r.writeMetric(&out, row[0], f, row[1])
		}
	}
	for name := range r.families {
		if !described[name] {
			r.t.Errorf("%s does not say what to do about %s", adviceFile, name)
		}
	}
	fmt.Fprintf(&out, "\n## Labels\n\nThose with values of yours:\n\n| label | value |\n| --- | --- |\n")
	for _, label := range []string{"client", "server", "route", "file", "issuer", "url", "key", "commit", "go_version"} {
		fmt.Fprintf(&out, "| `%s` | %s |\n", label, openLabels[label])
	}
	for _, l := range r.lists {
		fmt.Fprintf(&out, "\n### %s\n\n", heading(l.label, l.title))
		l.write(&out)
	}
	r.linksLead(out.String())
	return out.String() + "\n"
}

// write writes the list as a table, without columns that are empty.
func (l *adviceList) write(out *strings.Builder) {
	columns := 1
	for _, row := range l.rows {
		for i := range row {
			if row[i] != "" {
				columns = max(columns, i+1)
			}
		}
	}
	head := []string{"value", "what it means", "what to do"}
	fmt.Fprintf(out, "| %s |\n|%s\n", strings.Join(head[:columns], " | "), strings.Repeat(" --- |", columns))
	for _, row := range l.rows {
		row[0] = "`" + row[0] + "`"
		fmt.Fprintf(out, "| %s |\n", strings.Join(row[:columns], " | "))
	}
}

// linksLead checks that each link within the text leads to a heading of it.
func (r *reference) linksLead(text string) {
	headings := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		headings[anchor(m[1])] = true
	}
	for _, m := range regexp.MustCompile(`\]\(#([^)]*)\)`).FindAllStringSubmatch(text, -1) {
		if !headings[m[1]] {
			r.t.Errorf("the link to #%s leads nowhere", m[1])
		}
	}
}

// writeMetric writes the section of one metric.
func (r *reference) writeMetric(out *strings.Builder, name string, f *dto.MetricFamily, advice string) {
	fmt.Fprintf(out, "\n### `%s_%s`\n\n%s", namespace, name, typeAndUnit(f))
	labels, values := labelsOf(f)
	for i, label := range labels {
		separator := ", "
		if i == 0 {
			separator = "; labels "
		}
		title := listOf(name, label)
		if title == "" {
			fmt.Fprintf(out, "%s`%s`", separator, label)
			continue
		}
		fmt.Fprintf(out, "%s[`%s`](#%s)", separator, label, anchor(heading(label, title)))
		r.sameValues(name, label, title, values[label])
	}
	fmt.Fprintf(out, ". %s\n", f.GetHelp())
	if advice == "" {
		r.t.Errorf("%s has no text about %s", adviceFile, name)
	}
	fmt.Fprintf(out, "\n**To do:** %s\n", advice)
	if a := r.alerts[f.GetName()]; len(a) > 0 {
		fmt.Fprintf(out, "\nAlerts: %s.\n", strings.Join(a, ", "))
	}
}

// sameValues checks that a list has exactly the values that the series of a metric have.
func (r *reference) sameValues(metric, label, title string, got []string) {
	r.t.Helper()
	l := r.list(title)
	if l == nil {
		r.t.Errorf("%s: the values of %s, %q, have no list in %s", metric, label, got, adviceFile)
		return
	}
	var want []string
	for _, row := range l.rows {
		want = append(want, row[0])
	}
	slices.Sort(want)
	slices.Sort(got)
	// Not each queue has both units, the system says which families it has, and reverse CoA has
	// kinds, fates and codes of its own.
	if label == "queue" || label == "family" || strings.HasPrefix(metric, "reverse_") {
		want = slices.DeleteFunc(want, func(v string) bool { return !slices.Contains(got, v) })
	}
	if !slices.Equal(got, want) {
		r.t.Errorf("%s: %s has the values\n%q, and its list %q in %s\n%q", metric, label, got, title, adviceFile, want)
	}
}

// alerts returns which alerts see each metric, by themselves or by what is recorded of it.
func alerts(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`[a-z:]*\b` + namespace + `_[a-z0-9_:]+`)
	recorded, all := map[string][]string{}, map[string][]string{}
	rule := regexp.MustCompile(`(?m)^ +- (record|alert): (\S+)\n(?: +#.*\n)* +expr: (\|(?:\n {10,}.*)+|.*)$`)
	for _, m := range rule.FindAllStringSubmatch(string(text), -1) {
		var seen []string
		about, _, _ := strings.Cut(m[3], " unless ") // what it is not about
		for _, n := range name.FindAllString(about, -1) {
			if of := recorded[n]; of != nil {
				seen = append(seen, of...)
			} else {
				seen = append(seen, n)
			}
		}
		slices.Sort(seen)
		seen = slices.Compact(seen)
		if m[1] == "record" {
			recorded[m[2]] = seen
			continue
		}
		for _, n := range seen {
			all[n] = append(all[n], m[2])
		}
	}
	if len(all) < 20 {
		t.Errorf("only %d metrics were found in the alerts of %s", len(all), rulesFile)
	}
	return all
}
