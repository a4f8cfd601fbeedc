package config

import (
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
		b.WriteString(m.Key)
		b.WriteString(": ")
	}
	b.WriteString(m.Text)
	return b.String()
}

// MistakeAt returns a mistake that is found outside this package, such as a certificate
// that does not parse, with the line of the key.
func (c *Config) MistakeAt(key, text string) Mistake {
	return Mistake{File: c.Path, Line: c.places.line(key), Key: key, Text: text}
}

// Mistakes are all the mistakes of a file, sorted by line. It is the error
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

// Sort sorts by line; mistakes of one line stay in order.
func (ms Mistakes) Sort() {
	slices.SortStableFunc(ms, func(a, b Mistake) int { return a.Line - b.Line })
}
