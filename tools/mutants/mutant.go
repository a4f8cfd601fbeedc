package main

import (
	"fmt"
	"strings"
)

// mutant is one small change of the code.
type mutant struct {
	id   int
	site int // the id that is recorded when it is reached: that of the first mutant at its place
	src  *source
	line int
	key  string

	start, end int    // bytes of the source that are replaced
	with       string // by this

	from, to int // bytes of the source around them that are shown
}

// before and after are the source around the change.
func (m *mutant) before() string { return string(m.src.text[m.from:m.to]) }
func (m *mutant) after() string {
	return string(m.src.text[m.from:m.start]) + m.with + string(m.src.text[m.end:m.to])
}

// family is the key of all mutants of one operator at one place.
func (m *mutant) family() string {
	before, _, _ := strings.Cut(m.key, " -> ")
	return before + " -> *"
}

// diff shows the change.
func (m *mutant) diff() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d\n", m.src.path, m.line)
	write := func(sign, text string) {
		for line := range strings.SplitSeq(text, "\n") {
			fmt.Fprintf(&b, "%s %s\n", sign, line)
		}
	}
	write("-", m.before())
	if after := m.after(); strings.TrimSpace(after) != "" {
		write("+", after)
	}
	return b.String()
}
