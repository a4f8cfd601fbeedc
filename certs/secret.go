package certs

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ParseSecret returns the secret in the text of a file or an environment variable: all
// of it except one trailing end of line (LF or CRLF), which editors and shells add.
// A secret may consist of any octets (RFC 2865 §3), but a likely mistake is an error
// if it cannot be intended, and a warning if it may be. Neither shows the secret. name
// is that of the file or the variable.
func ParseSecret(name, text string) (secret string, warnings []string, err error) {
	secret = strings.TrimSuffix(text, "\n")
	if len(secret) < len(text) {
		secret = strings.TrimSuffix(secret, "\r")
	}
	wrong := func(line int, format string, args ...any) (string, []string, error) {
		return "", nil, errorIn(name, line, "expected a secret, got "+format, args...)
	}
	mark, lineEnd := byteOrderMark([]byte(secret)), strings.IndexAny(secret, "\r\n")
	switch {
	case secret == "":
		return wrong(0, "an empty one (RFC 2865 §3)")
	case mark != "":
		return wrong(1, "one that begins with a byte order mark (%s): save it without one", mark)
	case strings.TrimFunc(secret, isBlank) == "":
		return wrong(0, "only blanks and empty lines")
	case strings.IndexByte(secret, 0) >= 0:
		return wrong(1+strings.Count(secret[:strings.IndexByte(secret, 0)], "\n"), "one with a NUL byte: the file is damaged, or is not text")
	case lineEnd >= 0 && strings.Trim(secret[lineEnd:], "\r") == "":
		return wrong(1, "one with a carriage return at its end: expected LF or CRLF there")
	case lineEnd >= 0 && strings.Trim(secret[lineEnd:], "\r\n") == "":
		return wrong(lineOfSecond(secret, lineEnd), "more than one end of line after it: expected at most one")
	case lineEnd >= 0 && secret[lineEnd] == '\r' && !strings.HasPrefix(secret[lineEnd:], "\r\n"):
		return wrong(1, "a carriage return within it")
	case lineEnd >= 0:
		return wrong(lineOfSecond(secret, lineEnd), "a second line: expected one")
	}
	return secret, WarnSecret(secret), nil
}

// lineOfSecond returns the number of the line that follows the line end at i.
func lineOfSecond(secret string, i int) int {
	return 2 + strings.Count(secret[:i], "\n")
}

// WarnSecret lists what is allowed in a secret, and is likely a mistake. It does not
// show the secret.
func WarnSecret(secret string) (list []string) {
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if mark := byteOrderMark([]byte(secret)); mark != "" {
		add("the secret begins with a byte order mark (%s), which is part of it", mark)
		return list
	}
	head := secret[:len(secret)-len(strings.TrimLeftFunc(secret, isBlank))]
	tail := secret[len(strings.TrimRightFunc(secret, isBlank)):]
	switch inner := strings.TrimFunc(secret, isBlank); {
	case secret == "":
		return nil
	case inner == "":
		add("the secret consists of blanks")
		return list
	case len(inner) >= 2 && inner[0] == inner[len(inner)-1] && strings.ContainsAny(inner[:1], `"'`):
		add("the secret is in quotes, which are part of it")
	case strings.HasPrefix(inner, "\u201c") || strings.HasPrefix(inner, "\u2018"):
		add("the secret begins with a typographic quotation mark, which is part of it")
	}
	if head != "" {
		add("the secret begins with %s, which are part of it", blanks(head))
	}
	if tail != "" {
		add("the secret ends with %s, which are part of it", blanks(tail))
	}
	if strings.ContainsFunc(strings.TrimFunc(secret, isBlank), func(c rune) bool { return c < ' ' || c == 0x7f }) {
		add("the secret has control characters, which are part of it")
	}
	return list
}

// isBlank reports whether the character is invisible at the end of a line.
func isBlank(c rune) bool {
	return unicode.IsSpace(c) || c == '\u200b' || c == '\ufeff'
}

func blanks(s string) string {
	if strings.ContainsAny(s, "\r\n") {
		return fmt.Sprintf("blanks or ends of line (%d)", utf8.RuneCountInString(s))
	}
	return fmt.Sprintf("blanks (%d)", utf8.RuneCountInString(s))
}
