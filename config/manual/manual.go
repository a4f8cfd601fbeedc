// Package manual has what config.example.toml says about each table and key, for the manual
// page of the file.
package manual

import (
	_ "embed" // example.toml
	"regexp"
	"strings"
)

// example is config.example.toml: go test ./config compares them, and with EXAMPLE=write
// copies it.
//
//go:embed example.toml
var example string

// Table is one table of the file.
type Table struct {
	Header string // "[listen]", "[[client]]"; "" for what precedes the first table
	Text   string // what the table is for, "" where it says nothing
	Keys   []Key
}

// Key is one key of a table.
type Key struct {
	Name    string
	Example string // "name = value"
	Text    string // paragraphs, the last line of which gives the default; "" for a key that shares the text of the next
}

var (
	header = regexp.MustCompile(`^(?:# )?(\[+[a-z_.]+\]+)(?:\s+# (.*))?$`)
	pair   = regexp.MustCompile(`^(?:# )?([a-z_]+) = (.*)$`)
)

// Tables returns the tables, in the order of the example, each once, with its keys.
func Tables() []Table {
	tables := []Table{{}}
	seen := map[string]bool{}
	var comment, apart []string // lines; paragraphs, for the next table if one follows
	for line := range strings.Lines(example) {
		line = strings.TrimSuffix(line, "\n")
		at := &tables[len(tables)-1]
		if m := header.FindStringSubmatch(line); m != nil {
			text := strings.Join(append(apart, m[2]), "\n\n")
			tables, apart = append(tables, Table{Header: m[1], Text: strings.TrimSpace(text)}), nil
			continue
		}
		if m := pair.FindStringSubmatch(line); m != nil {
			at.Text += strings.Join(apart, "\n\n")
			apart = nil
			if key := at.Header + m[1]; !seen[key] {
				seen[key] = true
				at.Keys = append(at.Keys, Key{Name: m[1], Example: m[1] + " = " + m[2], Text: unwrap(comment)})
			}
			comment = nil
			continue
		}
		if line == "" && len(tables) == 1 {
			at.Text, comment = at.Text+unwrap(comment), nil
			continue
		}
		if line == "" {
			apart, comment = append(apart, unwrap(comment)), nil
			continue
		}
		comment = append(comment, strings.TrimPrefix(strings.TrimPrefix(line, "#"), " "))
	}
	return known(tables)
}

// known removes tables that only repeat keys of an earlier one.
func known(tables []Table) (list []Table) {
	for _, t := range tables {
		if len(t.Keys) > 0 || t.Header == "" {
			list = append(list, t)
		}
	}
	return list
}

// unwrap joins the lines of each paragraph. A line that begins with a blank, or that gives
// the default, stays a line of its own.
func unwrap(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		own := strings.HasPrefix(line, " ") || strings.HasPrefix(line, "Default: ") || strings.HasPrefix(line, "Required")
		switch {
		case line == "" || own:
			b.WriteString("\n\n")
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "\n"):
			b.WriteByte(' ')
		}
		b.WriteString(strings.TrimSpace(line))
	}
	return strings.TrimSpace(b.String())
}
