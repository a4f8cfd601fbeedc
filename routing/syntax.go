package routing

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// CheckRealm checks the syntax of one entry of realms: a realm, "*." before the labels
// that it ends with, "~" before a regular expression, "" or "*".
func CheckRealm(s string) error {
	switch {
	case s == "" || s == "*":
		return nil
	case s[0] == '~':
		return checkPattern(s[1:])
	}
	name, suffix := strings.CutPrefix(s, "*.")
	switch {
	case strings.Contains(s, "@"):
		return fmt.Errorf(`expected a realm, which is what follows the last "@" of a User-Name, got %q`, s)
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return fmt.Errorf("expected a realm without blanks, got %q", s)
	case strings.Contains(name, "*"):
		return fmt.Errorf(`expected "*" alone (the default), "*." before a suffix, or "~" before a regular expression, got %q`, s)
	case len(s) > 253:
		return fmt.Errorf("expected a realm of at most 253 octets (RFC 7542 §2.3), got %d", len(s))
	case slices.Contains(strings.Split(name, "."), ""):
		return fmt.Errorf("expected a realm without empty labels, got %q", s)
	case suffix && !strings.Contains(name, "."):
		// RFC 7542 §3 (P140): never by a top level domain alone.
		return fmt.Errorf(`expected a suffix of two labels or more such as "*.example.org" (RFC 7542 §3), got %q`, s)
	}
	return nil
}

func checkPattern(expr string) error {
	if expr == "" {
		return errors.New(`expected a regular expression after "~", got none: the default is "*"`)
	}
	if _, err := regexp.Compile(expr); err != nil {
		return fmt.Errorf("expected a regular expression after \"~\" (syntax: https://pkg.go.dev/regexp/syntax), got %q: %w", expr, err)
	}
	return nil
}
