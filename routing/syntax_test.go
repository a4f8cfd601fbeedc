package routing

import (
	"strings"
	"testing"
)

// Rules: P140
func TestCheckRealm(t *testing.T) {
	long := strings.Repeat("x", 253)
	for entry, want := range map[string]string{ // want: what the error begins with; empty: none
		"": "", "*": "", "example.org": "", "com": "", "*.example.org": "", "~^(nas|ap)[0-9]": "", "EXAMPLE": "", "münchen.example": "", long: "",
		"x" + long:        "expected a realm of at most 253 octets (RFC 7542 §2.3), got 254",
		"bob@x.org":       `expected a realm, which is what follows the last "@" of a User-Name, got "bob@x.org"`,
		"a b.org":         "expected a realm without blanks",
		"a\x7f.org":       "expected a realm without blanks",
		"a.*":             `expected "*" alone (the default), "*." before a suffix, or "~" before a regular expression, got "a.*"`,
		"*.*.example.org": `expected "*" alone`,
		"**":              `expected "*" alone`,
		"*example.org":    `expected "*" alone`,
		"a..org":          "expected a realm without empty labels",
		".org":            "expected a realm without empty labels",
		"example.org.":    "expected a realm without empty labels",
		"*.":              "expected a realm without empty labels",
		"*.com":           `expected a suffix of two labels or more such as "*.example.org" (RFC 7542 §3), got "*.com"`,
		"~":               `expected a regular expression after "~", got none`,
		"~(":              `expected a regular expression after "~" (syntax: https://pkg.go.dev/regexp/syntax), got "("`,
	} {
		err := CheckRealm(entry)
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%.40q: got %v, expected %q", entry, err, want)
		}
	}
}
