package freeradius

import (
	"fmt"
	"strings"

	"radsec-gw/importer"
)

// token is a word of a line: bare, quoted, an operator, a brace or a comma.
type token struct {
	text  string
	quote byte // the quote around it; 0: bare
	kind  byte // 'w' word, 'o' operator, '{', '}', ',', 0: the end of the line or a comment
}

// operators, the longest first.
var operators = []string{"+=", "-=", ":=", "=*", "!*", "==", "!=", "=~", "!~", ">=", "<=", "^=", "=", ">", "<"}

// line is a line of a file, with those that continue it.
type line struct {
	importer.Place
	rest    string
	escapes bool // correct_escapes: only an escaped quote is unescaped
}

func (l *line) skipBlanks() { l.rest = strings.TrimLeft(l.rest, " \t\r\v\f") }

// next returns the next token.
func (l *line) next() (token, error) {
	l.skipBlanks()
	if l.rest == "" || l.rest[0] == '#' {
		l.rest = ""
		return token{}, nil
	}
	switch c := l.rest[0]; c {
	case '{', '}', ',':
		l.rest = l.rest[1:]
		return token{text: string(c), kind: c}, nil
	case '"', '\'', '`':
		return l.quoted()
	}
	for _, o := range operators {
		if strings.HasPrefix(l.rest, o) {
			l.rest = l.rest[len(o):]
			return token{text: o, kind: 'o'}, nil
		}
	}
	end := 1 // the first character may be a hyphen, as in -sql
	for end < len(l.rest) && !endsName(l.rest[end:]) {
		end++
	}
	word := l.rest[:end]
	l.rest = l.rest[end:]
	return token{text: word, kind: 'w'}, nil
}

// endsName reports whether a bare word that is not a value ends here.
func endsName(s string) bool {
	if strings.ContainsRune(" \t\r\v\f{},#", rune(s[0])) {
		return true
	}
	for _, o := range operators {
		if strings.HasPrefix(s, o) {
			return true
		}
	}
	return false
}

// val returns the value after an operator: a bare one ends at a blank or a comma, and may
// contain what is an operator elsewhere.
func (l *line) val() (token, error) {
	l.skipBlanks()
	if l.rest == "" || l.rest[0] == '#' {
		l.rest = ""
		return token{}, nil
	}
	if c := l.rest[0]; c == '"' || c == '\'' || c == '`' {
		return l.quoted()
	}
	end, depth := 0, 0
	for ; end < len(l.rest); end++ {
		switch c := l.rest[end]; {
		case c == '{' && end > 0 && (l.rest[end-1] == '$' || l.rest[end-1] == '%'):
			depth++
			continue
		case c == '}' && depth > 0:
			depth--
			continue
		case depth == 0 && strings.IndexByte(" \t\r\v\f,", c) >= 0:
		default:
			continue
		}
		break
	}
	word := l.rest[:end]
	l.rest = l.rest[end:]
	return token{text: word, kind: 'w'}, nil
}

// quoted returns a quoted string.
func (l *line) quoted() (token, error) {
	quote := l.rest[0]
	var b strings.Builder
	for i := 1; i < len(l.rest); i++ {
		c := l.rest[i]
		switch {
		case c == quote:
			l.rest = l.rest[i+1:]
			return token{text: b.String(), quote: quote, kind: 'w'}, nil
		case c != '\\':
			b.WriteByte(c)
			continue
		case i+1 == len(l.rest):
			return token{}, wrong(l.Place, "expected another %c, got the end of the line", quote)
		}
		i++
		if l.escapes && l.rest[i] != quote {
			b.WriteByte('\\')
			b.WriteByte(l.rest[i])
			continue
		}
		var n int
		n, c = unescape(l.rest[i:])
		b.WriteByte(c)
		i += n - 1
	}
	return token{}, wrong(l.Place, "expected another %c, got the end of the line", quote)
}

// unescape returns the character that stands after a backslash at the beginning of s, and
// how many characters of s it took.
func unescape(s string) (n int, c byte) {
	switch s[0] {
	case 'r':
		return 1, '\r'
	case 'n':
		return 1, '\n'
	case 't':
		return 1, '\t'
	}
	if len(s) >= 3 && strings.Trim(s[:3], "01234567") == "" {
		return 3, s[0]&3<<6 | (s[1]-'0')<<3 | (s[2] - '0')
	}
	return 1, s[0]
}

func wrong(at importer.Place, format string, args ...any) error {
	return &importer.Error{Place: at, Text: fmt.Sprintf(format, args...)}
}
