package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of a configuration, far above what any has. The TOML library calls itself for each
// level, and a stack that overflows ends the process; its time grows with the square of the
// parts of a key, and each part and each table takes a kilobyte.
const (
	maxNesting = 32      // arrays and inline tables inside each other
	maxDots    = 64      // outside of strings in one line
	maxAllDots = 10_000  // likewise in all files
	maxTables  = 100_000 // in all files
)

// bounds counts what files have, before they are parsed.
type bounds struct{ dots, tables int }

// check returns the line, from 1, where a file exceeds the bounds, and how; 0 if it
// does not. It reads what is TOML as TOML; after a mistake, where the library stops, its
// result means nothing.
func (b *bounds) check(src string) (line int, text string) {
	depth, dots := 0, 0
	begins := true // nothing but blanks precedes in the line
	l := locator{src: src, line: 1}
	for l.pos < len(l.src) {
		c := l.peek()
		switch c {
		case '"', '\'':
			l.str(c)
			begins = false
			continue
		case '#':
			l.skipLine()
			continue
		case '\n':
			dots = 0
		case '.':
			dots++
			b.dots++
		case '[', '{':
			if c == '{' || depth == 0 && begins {
				b.tables++
			}
			depth++
		case ']', '}':
			depth = max(depth-1, 0)
		}
		begins = c == '\n' || begins && (c == ' ' || c == '\t')
		if text := b.exceeded(depth, dots); text != "" {
			return l.line, text
		}
		l.advance(1)
	}
	return 0, ""
}

// exceeded says which bound is exceeded where there are so many levels, and so many dots in the
// line.
func (b *bounds) exceeded(depth, dots int) string {
	switch {
	case depth > maxNesting:
		return fmt.Sprintf("expected at most %d arrays and tables inside each other", maxNesting)
	case dots > maxDots:
		return fmt.Sprintf("expected at most %d dots outside of quotes in one line", maxDots)
	case b.dots > maxAllDots:
		return fmt.Sprintf("expected at most %d dots outside of quotes in all files", maxAllDots)
	case b.tables > maxTables:
		return fmt.Sprintf("expected at most %d tables in all files", maxTables)
	}
	return ""
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
