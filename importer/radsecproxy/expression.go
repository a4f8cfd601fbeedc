package radsecproxy

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// radsecproxy looks for an extended regular expression of POSIX, ignoring case, and gives
// the whole value the new text. A [[rule]] has a pattern of RE2, and changes the part that
// matches. replacementOf translates one into the other where both have the same result.

// replacementOf translates EXPRESSION/TEXT/, which follows the first slash in an option of
// radsecproxy, into the pattern and the text of a replacement. The error says why that is
// not possible; it quotes nothing.
func replacementOf(option string) (pattern, with string, err error) {
	expr, text, ok := cutAtSlash(strings.TrimSuffix(option, "/"))
	if !ok {
		return "", "", errors.New("expected /EXPRESSION/TEXT/")
	}
	if expr, err = toRE2(expr); err != nil {
		return "", "", err
	}
	tree, err := syntax.Parse(expr, syntax.FoldCase|syntax.DotNL|syntax.OneLine|syntax.ClassNL|syntax.PerlX)
	if err != nil {
		return "", "", errors.New("its regular expression has no counterpart in RE2 syntax")
	}
	with, groups := templateOf(text, tree.MaxCap())
	if with == "" {
		return "", "", errors.New("the gateway never sends an attribute without a value")
	}
	if err := sameGroups(tree, groups); err != nil {
		return "", "", err
	}
	parts := sequence(tree)
	if n := len(parts); n > 1 && parts[0].Op == syntax.OpBeginText && parts[n-1].Op == syntax.OpEndText {
		return "(?is)" + expr, with, nil
	}
	return "(?is)^.*?(?:" + expr + ").*$", with, nil
}

// cutAtSlash cuts at the first slash without a backslash before it.
func cutAtSlash(s string) (before, after string, found bool) {
	for i := range len(s) {
		if s[i] == '/' && (i == 0 || s[i-1] != '\\') {
			return s[:i], s[i+1:], true
		}
	}
	return "", "", false
}

// templateOf translates the new text, in which \1 to \9 are groups of the expression, and
// lists those that it uses. A group that the expression does not have stands for itself.
func templateOf(text string, maxGroup int) (with string, used []int) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\\' && i+1 < len(text) && '1' <= text[i+1] && text[i+1] <= '9' {
			if group := int(text[i+1] - '0'); group <= maxGroup {
				b.WriteString("${" + strconv.Itoa(group) + "}")
				used = append(used, group)
				i++
				continue
			}
		}
		if strings.IndexByte("${}", c) >= 0 {
			b.WriteByte(c)
		}
		b.WriteByte(c)
	}
	return b.String(), used
}

// interval is a number of repetitions.
var interval = regexp.MustCompile(`^\{[0-9]+(,[0-9]*)?\}`)

// toRE2 writes an expression of POSIX in RE2 syntax.
func toRE2(expr string) (string, error) {
	if !utf8.ValidString(expr) {
		return "", errors.New("its regular expression is not UTF-8")
	}
	var b strings.Builder
	repeatable := false // what precedes can be repeated
	for rest := expr; rest != ""; {
		n := 1
		part := rest[:1]
		switch c := rest[0]; c {
		case '\\':
			text, err := escapeOf(rest)
			if err != nil {
				return "", err
			}
			part, n, repeatable = text, 2, true
		case '[':
			text, length, err := bracketOf(rest)
			if err != nil {
				return "", err
			}
			part, n, repeatable = text, length, true
		case '*', '+', '?', '{':
			if !repeatable {
				return "", fmt.Errorf("its regular expression has %c where there is nothing to repeat", c)
			}
			if c == '{' {
				if part = interval.FindString(rest); part == "" {
					return "", errors.New("its regular expression has a { that begins no number of repetitions")
				}
			}
			n, repeatable = len(part), false
		case '(', '|', '^':
			repeatable = false
		default:
			repeatable = true
		}
		b.WriteString(part)
		rest = rest[n:]
	}
	return b.String(), nil
}

// escapeOf translates a backslash and the character after it.
func escapeOf(s string) (string, error) {
	if len(s) < 2 {
		return "", errors.New("its regular expression ends with a backslash")
	}
	switch c := s[1]; {
	case c == 's':
		return "[[:space:]]", nil
	case c == 'S':
		return "[^[:space:]]", nil
	case strings.IndexByte("wWbB", c) >= 0:
		return s[:2], nil
	case c >= utf8.RuneSelf, '0' <= c && c <= '9', 'a' <= c|0x20 && c|0x20 <= 'z', strings.IndexByte("<>`'", c) >= 0:
		return "", fmt.Errorf("its regular expression has \\%c, which means something else in RE2 syntax", c)
	}
	return s[:2], nil
}

// bracketOf translates the bracket expression at the beginning of s, in which a backslash is
// a character like any other, and returns how long it was.
func bracketOf(s string) (text string, n int, err error) {
	var b strings.Builder
	b.WriteByte('[')
	n = 1
	if strings.HasPrefix(s[n:], "^") {
		b.WriteByte('^')
		n++
	}
	for first := true; n < len(s); first = false {
		c := s[n]
		switch {
		case c == ']' && !first:
			b.WriteByte(']')
			return b.String(), n + 1, nil
		case strings.HasPrefix(s[n:], "[:"):
			end := strings.Index(s[n+2:], ":]")
			if end < 0 {
				return "", 0, errors.New("its regular expression has [: without :]")
			}
			b.WriteString(s[n : n+end+4])
			n += end + 4
			continue
		case strings.HasPrefix(s[n:], "[."), strings.HasPrefix(s[n:], "[="):
			return "", 0, errors.New("its regular expression has a collating element")
		case c == '\\' || c == '[' || c == ']':
			b.WriteByte('\\')
		}
		b.WriteByte(c)
		n++
	}
	return "", 0, errors.New("its regular expression has [ without ]")
}

// sameGroups reports whether the groups that are used get the same text in RE2, which takes
// the first way that matches, as in POSIX, which takes the longest. They do where there is
// one way at each alternative, and where no repetition can take more at the expense of
// another.
func sameGroups(tree *syntax.Regexp, used []int) error {
	if len(used) == 0 {
		return nil
	}
	parts := sequence(tree)
	toTheEnd := parts[len(parts)-1].Op == syntax.OpEndText
	return walkGroups(tree, used, toTheEnd, true)
}

// walkGroups is sameGroups for a part; always says that the part matches whenever the whole
// does.
func walkGroups(re *syntax.Regexp, used []int, toTheEnd, always bool) error {
	switch re.Op {
	case syntax.OpCapture:
		if !always && slices.Contains(used, re.Cap) {
			return errors.New(`its regular expression may match without a group that the new text has, where radsecproxy writes \1 and the like as they are`)
		}
	case syntax.OpAlternate:
		if !differAtOnce(re.Sub) {
			return errors.New("its regular expression has alternatives of which several may match, and radsecproxy takes the longest")
		}
		always = false
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		if !isCharacter(re.Sub[0]) && (re.Op != syntax.OpQuest || !toTheEnd) {
			return errors.New("its regular expression repeats more than one character, and radsecproxy takes the longest match")
		}
		always = always && (re.Op == syntax.OpPlus || re.Op == syntax.OpRepeat && re.Min > 0)
	}
	for _, sub := range re.Sub {
		if err := walkGroups(sub, used, toTheEnd, always); err != nil {
			return err
		}
	}
	return nil
}

// isCharacter reports whether an expression matches exactly one character.
func isCharacter(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpCapture:
		return isCharacter(re.Sub[0])
	case syntax.OpLiteral:
		return len(re.Rune) == 1
	}
	return re.Op == syntax.OpCharClass || re.Op == syntax.OpAnyChar
}

// differAtOnce reports whether alternatives begin with different characters, ignoring case.
func differAtOnce(alternatives []*syntax.Regexp) bool {
	var seen []rune
	for _, re := range alternatives {
		for re.Op == syntax.OpConcat || re.Op == syntax.OpCapture {
			re = re.Sub[0]
		}
		if re.Op != syntax.OpLiteral || slices.Contains(seen, unicode.ToLower(re.Rune[0])) {
			return false
		}
		seen = append(seen, unicode.ToLower(re.Rune[0]))
	}
	return true
}
