package rules

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// FuzzMatch compares the matcher with package regexp: the same match, the same groups.
func FuzzMatch(f *testing.F) {
	for _, s := range [][2]string{
		{`^(.*)@old\.example$`, "bob@old.example"}, {`(a|ab)(c|bcd)(d*)`, "xabcd"}, {`(a*)*b`, "aaab"}, {`(a*)+`, "b"}, {`(?i)ÄB|é`, "\xc3\xa4b"},
		{`.`, "\xff\xfe"}, {`[^a]\b`, "a b\xc3"}, {`(?m)^x$`, "a\nx\nb"}, {`\z`, "abc"}, {`(x)?(y)?z`, "yz"}, {`(|a)+?c`, "aac"}, {`\x{fffd}`, "a\xff"}, {`x*?`, "xx"},
		{`\.\.|^\.|\.$|@$|\s`, "bob@a..b"}, {`(a)|(b)|()`, "cb"}, {`(?s).+(b+)`, "a\nbb"},
	} {
		f.Add(s[0], []byte(s[1]))
	}
	f.Fuzz(func(t *testing.T, text string, b []byte) {
		if len(b) > 255 {
			return
		}
		p, err := compilePattern(text)
		if err != nil {
			return
		}
		want := regexp.MustCompile(text).FindSubmatchIndex(b)
		m := new(matcher)
		if got := m.match(p, b); got != (want != nil) {
			t.Fatalf("%q on %q: expected a match %v, got %v", text, b, want != nil, got)
		}
		for i, at := range want {
			if m.groups[i] != at {
				t.Fatalf("%q on %q: expected groups %v, got %v", text, b, want, m.groups[:len(want)])
			}
		}
	})
}

// A pattern with a list of ten realms is short enough, and one with far more is not.
//
// Rules: AR7
func TestPatternLength(t *testing.T) {
	for count, fits := range map[int]bool{10: true, 20: false} {
		var realms []string
		for i := range count {
			realms = append(realms, fmt.Sprintf(`%c-camp\.example\.org`, 'a'+i))
		}
		if _, err := compilePattern("(?i)@(" + strings.Join(realms, "|") + ")$"); (err == nil) != fits {
			t.Errorf("expected that a pattern with %d realms compiles %v, got %v", count, fits, err)
		}
	}
}

// The longest patterns on values for which each instruction is tried at each octet.
func BenchmarkWorstMatch(b *testing.B) {
	for _, part := range []string{`a*`, `\pL*`, `\PN*`, `(?s:.*)`, `(?:\B|a)*`, `\B*a*`, `(?:\b|a)*`, `(?i:a*)`} {
		var p *pattern
		for text := part; ; text += part {
			longer, err := compilePattern(text + "1")
			if err != nil {
				break
			}
			p = longer
		}
		for _, value := range []string{"a", "\xff", "é"} {
			b.Run(fmt.Sprintf("%s/%q", part, value), func(b *testing.B) {
				m, text := new(matcher), bytes.Repeat([]byte(value), 253/len(value))
				for b.Loop() {
					m.match(p, text)
				}
			})
		}
	}
}
