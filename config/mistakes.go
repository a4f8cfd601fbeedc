package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Mistake is one thing wrong with a file.
type Mistake struct {
	File string
	Line int    // from 1; 0 when the file as a whole is meant
	Key  string // such as "client[1].fingerprints[0]", indexes from 0; "" for syntax errors
	Text string // what was expected and what was got; never a secret

	order int    // of the file among those of the configuration
	shown string // the key as the file has it: indexes of tables count within the file; "": Key
}

// String returns "file:line: key: text", without the parts that are missing.
func (m Mistake) String() string {
	var b strings.Builder
	b.WriteString(m.File)
	if m.Line > 0 {
		fmt.Fprintf(&b, ":%d", m.Line)
	}
	b.WriteString(": ")
	if m.Key != "" {
		b.WriteString(cmp.Or(m.shown, m.Key))
		b.WriteString(": ")
	}
	b.WriteString(m.Text)
	return b.String()
}

// MistakeAt returns a mistake that is found outside this package, such as a certificate
// that does not parse, with the line of the key.
func (c *Config) MistakeAt(key, text string) Mistake {
	m := c.places.mistake(key, text)
	m.File = cmp.Or(m.File, c.Path) // of a Config built by hand
	return m
}

// Files lists the files that the configuration was read from: the first one, and those that
// were included, in the order in which they count.
func (c *Config) Files() []string {
	if c.places.files == nil { // built by hand
		return []string{c.Path}
	}
	return slices.Clone(c.places.files)
}

// Mistakes are all the mistakes of a configuration, sorted by file and line. It is the error
// that Load returns.
type Mistakes []Mistake

// Error returns the mistakes, one on each line.
func (ms Mistakes) Error() string {
	lines := make([]string, len(ms))
	for i, m := range ms {
		lines[i] = m.String()
	}
	return strings.Join(lines, "\n")
}

// Has reports whether there is a mistake at the key already.
func (ms Mistakes) Has(key string) bool {
	return slices.ContainsFunc(ms, func(m Mistake) bool { return m.Key == key })
}

// Sort sorts by file and line; mistakes of one line stay in order.
func (ms Mistakes) Sort() {
	slices.SortStableFunc(ms, func(a, b Mistake) int { return cmp.Or(a.order-b.order, a.Line-b.Line) })
}
