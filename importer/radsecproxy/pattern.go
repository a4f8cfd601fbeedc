package radsecproxy

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"

	"radsec-gw/routing"
)

// radsecproxy compares a realm block with the whole User-Name, as a regular expression of
// POSIX that ignores case. The gateway compares entries of realms with what follows the
// last "@". realmsOf translates one into the other where that is possible.

// userNames is which User-Names a realm block matches, in terms of their realms.
type userNames struct {
	entries []string // entries of realms of a [[route]]: exact, "*.suffix", "~pattern", "" or "*"
	remark  string   // what differs; empty: nothing that matters
}

// realmsOf translates the name of a realm block. The error says why that is not possible.
func realmsOf(name string) (userNames, error) {
	switch {
	case name == "*":
		return userNames{entries: []string{"*"}}, nil
	case strings.HasPrefix(name, "/"):
		return ofExpression(strings.TrimSuffix(name[1:], "/"))
	}
	u, err := ofExpression("@" + strings.ReplaceAll(name, ".", `\.`) + "$")
	if err == nil && !slices.Equal(u.entries, []string{strings.ToLower(name)}) {
		u.remark = "radsecproxy reads this name as a regular expression; " + u.remark
	}
	return u, err
}

// ofExpression translates a regular expression.
func ofExpression(expr string) (userNames, error) {
	tree, err := parseExpression(expr)
	if err != nil {
		return userNames{}, err
	}
	parts := sequence(tree)
	if before, after, found := cutAt(parts); found {
		if !matchesAnyUser(before) {
			return userNames{}, fmt.Errorf("it is about the user as well as the realm, and the gateway routes by realm alone")
		}
		return ofRealm(after, "")
	}
	return withoutAt(parts)
}

// parseExpression parses a regular expression of POSIX, with the escapes of the GNU
// library, into one without groups.
func parseExpression(expr string) (*syntax.Regexp, error) {
	tree, err := syntax.Parse(expr, syntax.OneLine)
	if err != nil {
		if tree, err = syntax.Parse(expr, syntax.OneLine|syntax.PerlX); err != nil {
			return nil, fmt.Errorf("expected a regular expression, got %q: %v", expr, err)
		}
	}
	return withoutGroups(tree), nil
}

// withoutGroups removes groups, whose content is not needed.
func withoutGroups(re *syntax.Regexp) *syntax.Regexp {
	for re.Op == syntax.OpCapture {
		re = re.Sub[0]
	}
	for i := range re.Sub {
		re.Sub[i] = withoutGroups(re.Sub[i])
	}
	return re
}

// sequence returns the parts of an expression that follow each other.
func sequence(re *syntax.Regexp) (parts []*syntax.Regexp) {
	switch re.Op {
	case syntax.OpEmptyMatch:
		return nil
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			parts = append(parts, sequence(sub)...)
		}
		return parts
	}
	return []*syntax.Regexp{re}
}

// cutAt cuts a sequence at the last "@" that it must match.
func cutAt(parts []*syntax.Regexp) (before, after []*syntax.Regexp, found bool) {
	for i := len(parts) - 1; i >= 0; i-- {
		if parts[i].Op != syntax.OpLiteral {
			continue
		}
		at := len(parts[i].Rune) - 1
		for at >= 0 && parts[i].Rune[at] != '@' {
			at--
		}
		if at < 0 {
			continue
		}
		before, after = slices.Clone(parts[:i]), slices.Clone(parts[i+1:])
		if at > 0 {
			before = append(before, literal(parts[i], parts[i].Rune[:at]))
		}
		if at+1 < len(parts[i].Rune) {
			after = slices.Insert(after, 0, literal(parts[i], parts[i].Rune[at+1:]))
		}
		return before, after, true
	}
	return nil, nil, false
}

func literal(like *syntax.Regexp, runes []rune) *syntax.Regexp {
	return &syntax.Regexp{Op: syntax.OpLiteral, Flags: like.Flags, Rune: runes}
}

// matchesAnyUser reports whether what precedes the "@" matches every user, or all but the
// empty one.
func matchesAnyUser(parts []*syntax.Regexp) bool {
	if len(parts) > 0 && parts[0].Op == syntax.OpBeginText {
		parts = parts[1:]
		if len(parts) == 0 { // ^@: the empty user
			return false
		}
	}
	return len(parts) == 0 || len(parts) == 1 && isAny(parts[0])
}

// isAny reports whether an expression matches every text without "@", or all but the empty one.
func isAny(re *syntax.Regexp) bool {
	return (re.Op == syntax.OpStar || re.Op == syntax.OpPlus) && isAnyCharacter(re.Sub[0])
}

func isAnyCharacter(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return true
	case syntax.OpCharClass:
		return slices.Equal(re.Rune, []rune{0, '@' - 1, '@' + 1, unicode.MaxRune}) ||
			slices.Equal(re.Rune, []rune{0, '\n' - 1, '\n' + 1, '@' - 1, '@' + 1, unicode.MaxRune})
	}
	return false
}

// ofRealm translates what follows the "@", or the end of a User-Name after start, which is
// the beginning of the pattern.
func ofRealm(parts []*syntax.Regexp, remark string) (userNames, error) {
	n := len(parts)
	if n == 0 {
		return userNames{[]string{"~."}, remark}, nil
	}
	if parts[n-1].Op == syntax.OpEndText {
		switch name, ok := literalText(parts[n-2+boolInt(n == 1) : n-1]); {
		case n == 1:
			return userNames{}, fmt.Errorf("it matches an empty realm after the @, and to the gateway such a User-Name has no realm")
		case n == 2 && ok && routing.CheckRealm(name) == nil:
			return userNames{[]string{name}, remark}, nil
		case n == 3 && ok && isOptionalLabels(parts[0]) && allValid(name, "*."+name):
			return userNames{[]string{name, "*." + name}, remark}, nil
		case n == 3 && ok && isAny(parts[0]) && strings.HasPrefix(name, ".") && allValid("*"+name):
			return userNames{[]string{"*" + name}, remark}, nil
		}
	}
	return patternOf("^", parts, remark)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func allValid(entries ...string) bool {
	return !slices.ContainsFunc(entries, func(s string) bool { return routing.CheckRealm(s) != nil })
}

// literalText returns a sequence that is a literal text, in lower case.
func literalText(parts []*syntax.Regexp) (string, bool) {
	if len(parts) != 1 || parts[0].Op != syntax.OpLiteral {
		return "", false
	}
	return strings.ToLower(string(parts[0].Rune)), true
}

// isOptionalLabels reports whether an expression is (.*\.)? or the like.
func isOptionalLabels(re *syntax.Regexp) bool {
	if re.Op != syntax.OpQuest && re.Op != syntax.OpStar {
		return false
	}
	parts := sequence(re.Sub[0])
	return len(parts) == 2 && isAny(parts[0]) && parts[1].Op == syntax.OpLiteral && string(parts[1].Rune) == "."
}

// patternOf returns the parts as a pattern.
func patternOf(start string, parts []*syntax.Regexp, remark string) (userNames, error) {
	if len(parts) > 0 && isAny(parts[0]) && parts[0].Op == syntax.OpStar && start == "^" {
		start, parts = "", parts[1:] // ^.* matches anything
	}
	text := plain(start, parts)
	if text == "" { // any realm
		text = "."
	}
	if err := routing.CheckRealm("~" + text); err != nil {
		return userNames{}, err
	}
	return userNames{[]string{"~" + text}, remark}, nil
}

// flags begin a group with flags.
var flags = regexp.MustCompile(`\(\?[a-z-]+:`)

// plain prints parts without flags: patterns of the gateway ignore case anyway, and a realm
// has no ends of lines.
func plain(start string, parts []*syntax.Regexp) string {
	var b strings.Builder
	b.WriteString(start)
	for _, re := range parts {
		switch {
		case re.Op == syntax.OpEndText:
			b.WriteByte('$')
		case re.Op == syntax.OpBeginText:
			b.WriteByte('^')
		case isAny(re) && re.Sub[0].Op != syntax.OpCharClass && re.Op == syntax.OpStar:
			b.WriteString(".*")
		case isAny(re) && re.Sub[0].Op != syntax.OpCharClass:
			b.WriteString(".+")
		case re.Op == syntax.OpLiteral:
			b.WriteString(regexp.QuoteMeta(strings.ToLower(string(re.Rune))))
		case re.Op == syntax.OpAlternate:
			b.WriteString("(?:" + flags.ReplaceAllString(re.String(), "(?:") + ")")
		default:
			b.WriteString(flags.ReplaceAllString(re.String(), "(?:"))
		}
	}
	return b.String()
}

// withoutAt translates an expression that does not demand an "@".
func withoutAt(parts []*syntax.Regexp) (userNames, error) {
	const remark = "radsecproxy also applies it to users without a realm"
	if len(parts) > 1 && (parts[0].Op == syntax.OpStar || parts[0].Op == syntax.OpQuest) {
		parts = parts[1:] // it may match nothing, wherever the rest matches
	}
	n := len(parts)
	switch {
	case n == 0 || n == 1 && isAny(parts[0]) && parts[0].Op == syntax.OpStar:
		return userNames{entries: []string{"*"}}, nil
	case n == 3 && parts[0].Op == syntax.OpBeginText && isAny(parts[1]) && parts[1].Sub[0].Op == syntax.OpCharClass && parts[2].Op == syntax.OpEndText:
		return userNames{entries: []string{""}}, nil // ^[^@]+$
	case parts[0].Op == syntax.OpBeginText && n > 1 && isAny(parts[1]):
		if parts = parts[2:]; len(parts) == 0 || parts[0].Op == syntax.OpEndText {
			return userNames{entries: []string{"*"}}, nil
		}
	case parts[0].Op == syntax.OpBeginText:
		return userNames{}, fmt.Errorf("it is about the beginning of the User-Name, and the gateway routes by realm alone")
	}
	if isDotOrAt(parts[0]) { // [@.]example\.org$
		if name, ok := literalText(parts[1:max(1, len(parts)-1)]); ok && len(parts) == 3 && parts[2].Op == syntax.OpEndText && allValid(name, "*."+name) {
			return userNames{entries: []string{name, "*." + name}}, nil
		}
		return patternOf(`(?:^|\.)`, parts[1:], "")
	}
	if name, ok := literalText(parts[:n-1]); ok && parts[n-1].Op == syntax.OpEndText && strings.HasPrefix(name, ".") && allValid("*"+name) {
		return userNames{[]string{"*" + name}, remark}, nil
	}
	if strings.Contains(plain("", parts), "@") {
		return userNames{}, fmt.Errorf("it may match an @ in several ways, and the gateway compares what follows the last one")
	}
	return patternOf("", parts, remark)
}

// isDotOrAt reports whether an expression is [@.] or (@|\.).
func isDotOrAt(re *syntax.Regexp) bool {
	return re.Op == syntax.OpCharClass && slices.Equal(re.Rune, []rune{'.', '.', '@', '@'})
}
