package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"radsec-gw/config/nearest"
)

// part is one part of a template: a text, a fact, or a group of the match.
type part struct {
	text  string
	kind  partKind
	fact  fact
	group int
}

type partKind uint8

const (
	partText partKind = iota
	partFact
	partGroup
)

// unknownFact is the error of a name in braces that is no fact, or has no second brace.
func unknownFact(text, name string) error {
	if near := nearest.Of(name, factNames[:]); near != "" {
		return fmt.Errorf("expected a fact in braces, or {{ for a brace, got %q; is {%s} meant?", text, near)
	}
	return fmt.Errorf("expected one of the facts in braces (%s), or {{ for a brace, got %q", strings.Join(factNames[:], ", "), text)
}

// parseTemplate reads text with facts in braces, "{{" and "}}" for braces themselves.
// With p also $1, ${name} and $$ as in regexp.Expand.
func parseTemplate(text string, p *pattern) ([]part, error) {
	var parts []part
	literal := ""
	flush := func(next part) {
		if literal != "" {
			parts = append(parts, part{text: literal})
			literal = ""
		}
		parts = append(parts, next)
	}
	for len(text) > 0 {
		switch c := text[0]; {
		case strings.HasPrefix(text, "{{"), strings.HasPrefix(text, "}}"):
			literal, text = literal+text[:1], text[2:]
		case c == '{':
			name, rest, ok := strings.Cut(text[1:], "}")
			which, known := factNamed(name)
			if !ok || !known {
				return nil, unknownFact(text[:len(text)-len(rest)], name)
			}
			flush(part{kind: partFact, fact: which})
			text = rest
		case c == '}':
			return nil, fmt.Errorf("expected }} for a brace, got a single one")
		case c == '$' && p != nil:
			if strings.HasPrefix(text, "$$") {
				literal, text = literal+"$", text[2:]
				continue
			}
			group, rest, err := parseGroup(text[1:], p)
			if err != nil {
				return nil, err
			}
			flush(part{kind: partGroup, group: group})
			text = rest
		default:
			literal, text = literal+text[:1], text[1:]
		}
	}
	if literal != "" {
		parts = append(parts, part{text: literal})
	}
	return parts, nil
}

// parseGroup reads the name or number of a group, after its dollar sign.
func parseGroup(text string, p *pattern) (group int, rest string, err error) {
	name, rest := text, ""
	if inner, ok := strings.CutPrefix(text, "{"); ok {
		if name, rest, ok = strings.Cut(inner, "}"); !ok {
			return 0, "", fmt.Errorf("expected } after ${, got %q", text)
		}
	} else if i := strings.IndexFunc(text, notOfName); i >= 0 {
		name, rest = text[:i], text[i:]
	}
	group, err = strconv.Atoi(name)
	if err != nil || strconv.Itoa(group) != name { // "01" and "+1" are names
		group = -1
		if name != "" {
			group = slices.Index(p.names, name)
		}
	}
	if group < 0 || group >= len(p.names) {
		return 0, "", fmt.Errorf("expected a group of the pattern, $$ for a dollar sign, or ${1} before a letter or digit, got %q", "$"+name)
	}
	return group, rest, nil
}

// notOfName reports whether a rune ends the name of a group.
func notOfName(r rune) bool {
	return r != '_' && !unicode.IsDigit(r) && !unicode.IsLetter(r)
}

// hasFact reports whether a template has a fact.
func hasFact(parts []part) bool {
	return slices.ContainsFunc(parts, func(p part) bool { return p.kind == partFact })
}

// isTextWithFact reports whether a text is a template with a fact.
func isTextWithFact(text string) bool {
	parts, err := parseTemplate(text, nil)
	return err == nil && hasFact(parts)
}

// expand appends what a template stands for; m has the match of value. False when a fact
// is absent.
func expand(b []byte, parts []part, f *Facts, m *matcher, value []byte) ([]byte, bool) {
	for i := range parts {
		switch p := &parts[i]; p.kind {
		case partText:
			b = append(b, p.text...)
		case partGroup:
			if from, to := m.groups[2*p.group], m.groups[2*p.group+1]; from >= 0 && to >= from {
				b = append(b, value[from:to]...)
			}
		case partFact:
			var ok bool
			if b, ok = f.appendText(b, p.fact); !ok {
				return b, false
			}
		}
	}
	return b, true
}
