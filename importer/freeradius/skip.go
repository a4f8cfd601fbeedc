package freeradius

import "strings"

// depth returns how many more braces a line opens than it closes, and where the first is
// that brings the depth below zero, -1 if there is none. It knows of quotes, comments,
// expansions and regular expressions, in which braces count for nothing.
func (l *line) depth(before int) (after, ends int) {
	s, start := l.rest, true // start: a token may begin here
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case start && c == '#':
			return before, -1
		case start && (c == '"' || c == '\'' || c == '`'):
			i = endOf(s, i, c)
		case start && c == '/' && isPattern(s[:i]):
			i = endOf(s, i, c)
		case (c == '$' || c == '%') && i+1 < len(s) && s[i+1] == '{':
			i = endOfExpansion(s, i+1)
			start = false
			continue
		case c == '{':
			before++
		case c == '}':
			if before--; before < 0 {
				return before, i
			}
		}
		start = strings.IndexByte(" \t=({},~!&|<>", s[min(i, len(s)-1)]) >= 0
	}
	return before, -1
}

// isPattern reports whether a regular expression may follow s.
func isPattern(s string) bool {
	s = strings.TrimRight(s, " \t")
	return strings.HasSuffix(s, "=~") || strings.HasSuffix(s, "!~")
}

// endOf returns where the quote closes that opens at i, the end of s if it does not.
func endOf(s string, i int, quote byte) int {
	for i++; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case quote:
			return i
		}
	}
	return len(s)
}

// endOfExpansion returns where the brace closes that opens at i.
func endOfExpansion(s string, i int) int {
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(s)
}
