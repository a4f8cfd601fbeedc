package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of a file, far above what any configuration has. The TOML library calls itself for
// each level, and a stack that overflows ends the process; and its time grows with the
// square of the parts of a key.
const (
	maxNesting = 32 // arrays and inline tables inside each other
	maxDots    = 64 // outside of strings in one line
)

// checkBounds returns the line, from 1, where a file exceeds the bounds, and how; 0 if it
// does not. It reads what is TOML as TOML; after a mistake, where the library stops, its
// result means nothing.
func checkBounds(src string) (line int, text string) {
	depth, dots := 0, 0
	l := locator{src: src, line: 1}
	for l.pos < len(l.src) {
		c := l.peek()
		switch c {
		case '"', '\'':
			l.str(c)
			continue
		case '#':
			l.skipLine()
			continue
		case '\n':
			dots = 0
		case '.':
			dots++
		case '[', '{':
			depth++
		case ']', '}':
			depth = max(depth-1, 0)
		}
		if depth > maxNesting {
			return l.line, fmt.Sprintf("expected at most %d arrays and tables inside each other", maxNesting)
		}
		if dots > maxDots {
			return l.line, fmt.Sprintf("expected at most %d dots outside of quotes in one line", maxDots)
		}
		l.advance(1)
	}
	return 0, ""
}

var (
	quotedPart = regexp.MustCompile(`'[^']*'|"(?:[^"\\]|\\.)*"`)
	keyPart    = regexp.MustCompile(`^'[a-z_.]+'$`)
)

// structure are the characters that give TOML its structure, and the quotes that a word
// processor puts in the place of some.
const structure = "=.,:#[]{}\"' “”„‘’"

// signs are how the library quotes the ends of lines and other characters without a form of
// their own, and the escapes that digits follow.
var signs = []string{`'\n'`, `'\r'`, `'\t'`, `'\''`, `'\x'`, `'\u'`, `'\U'`}

// withoutValues returns a message of the TOML library without what it quotes of the file,
// which may be a secret, or a character of it. The characters of the structure and names of
// keys remain.
func withoutValues(message string) string {
	message = strings.ReplaceAll(message, `'\x00' instead`, "the end of the file") // the library's sign for it
	if strings.HasPrefix(message, "invalid escape") {
		return `invalid escape in a string: expected \\ for a backslash, or single quotes around the string`
	}
	aboutKey := strings.HasPrefix(message, "Key '")
	return quotedPart.ReplaceAllStringFunc(message, func(quoted string) string {
		c, size := utf8.DecodeRuneInString(quoted[1:])
		switch {
		case len(quoted) == size+2 && strings.ContainsRune(structure, c), aboutKey && keyPart.MatchString(quoted), slices.Contains(signs, quoted):
			return quoted
		case len(quoted) == size+2:
			return "another character"
		}
		return "something else"
	})
}

// isSecretKey reports whether the value of a key is a secret, or names one: the secret itself
// may stand there by mistake.
func isSecretKey(path string) bool {
	path = strings.TrimSuffix(strings.TrimSuffix(path, "_file"), "_env")
	for _, name := range []string{"secret", "token", "salt", "password"} {
		if strings.HasSuffix(path, name) {
			return true
		}
	}
	return false
}
