package detail

import (
	"errors"
	"unicode"
	"unicode/utf8"
)

// appendQuoted appends a text in double quotes, as FreeRADIUS reads it: what is not printable
// UTF-8 as a backslash and three octal digits. So are two signs that FreeRADIUS itself writes as
// they are, and then misunderstands: "%{" would begin an expression, and a colon at the beginning of
// a text a second tag, for which it drops the file.
func appendQuoted[T string | []byte](dst []byte, text T) []byte {
	dst = append(dst, '"')
	for rest := []byte(text); len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, '\\', 'n')
		case r == '\r':
			dst = append(dst, '\\', 'r')
		case r == '\t':
			dst = append(dst, '\\', 't')
		case r == '%' || r == ':' && len(rest) == len(text) || r == utf8.RuneError && n == 1 || !unicode.IsPrint(r):
			for _, c := range rest[:n] {
				dst = append(dst, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
			}
		default:
			dst = append(dst, rest[:n]...)
		}
		rest = rest[n:]
	}
	return append(dst, '"')
}

// Errors of unquote.
var (
	errUnquoted = errors.New("expected a text in double quotes")
	errNoEnd    = errors.New("expected a double quote at the end of the line, and none before it without a backslash")
)

// isQuoted reports whether a value begins with a quote.
func isQuoted(text string) bool { return text != "" && text[0] == '"' }

// unquote returns the octets that a text in double quotes stands for. A backslash before
// anything but r, n, t, a quote, a backslash and three octal digits is itself, as in FreeRADIUS.
func unquote(text string) ([]byte, error) {
	if !isQuoted(text) {
		return nil, errUnquoted
	}
	out := make([]byte, 0, len(text))
	for i := 1; i < len(text); i++ {
		c := text[i]
		if c == '"' {
			if i != len(text)-1 {
				return nil, errNoEnd
			}
			return out, nil
		}
		if c == '\\' {
			n := 0
			c, n = escaped(text[i+1:])
			i += n
		}
		out = append(out, c)
	}
	return nil, errNoEnd
}

// escaped returns the octet that a backslash and the n bytes after it stand for.
func escaped(rest string) (c byte, n int) {
	if rest == "" {
		return '\\', 0
	}
	switch rest[0] {
	case 'r':
		return '\r', 1
	case 'n':
		return '\n', 1
	case 't':
		return '\t', 1
	case '"', '\\':
		return rest[0], 1
	}
	if len(rest) >= 3 && rest[0] >= '0' && rest[0] <= '3' && isOctal(rest[1]) && isOctal(rest[2]) {
		return rest[0]&3<<6 | rest[1]&7<<3 | rest[2]&7, 3
	}
	return '\\', 0
}

func isOctal(c byte) bool { return c >= '0' && c <= '7' }
