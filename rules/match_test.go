package rules

import (
	"regexp"
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
