package rules

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"radsec-gw/wire/dict"
)

const hidden = "[hidden]"

// isSecret reports whether values of the attribute must not be shown to people: the
// dictionary says so, or does not know it, and it may be a key.
func (a *attribute) isSecret() bool {
	known := dict.Lookup(a.vendor, a.number, a.sub)
	return known == nil || known.Secret
}

// shown returns a pattern or a value of a rule in quotes, or what stands for one that must
// not be shown.
func (a *attribute) shown(text string) string {
	if a.isSecret() {
		return hidden
	}
	return fmt.Sprintf("%q", text)
}

// shownValues is shown for a list. Facts may be shown.
func (a *attribute) shownValues(texts []string) string {
	var list []string
	for _, text := range texts {
		if isOnlyFacts(text) {
			list = append(list, fmt.Sprintf("%q", text))
		} else {
			list = append(list, a.shown(text))
		}
	}
	return "[" + strings.Join(list, " ") + "]"
}

// isOnlyFacts reports whether a template has facts and no text of its own.
func isOnlyFacts(text string) bool {
	parts, err := parseTemplate(text, nil)
	for i := range parts {
		if parts[i].kind != partFact {
			return false
		}
	}
	return err == nil && len(parts) > 0
}

// quoted is what mistakes write of texts, patterns and hexadecimal digits.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"` + "|`[^`]*`|U\\+[0-9A-F]+( '[^ ]+')?")

// withoutValues returns a mistake without what it quotes, if that may be a secret.
func (a *attribute) withoutValues(err error) error {
	if !a.isSecret() {
		return err
	}
	return errors.New(quoted.ReplaceAllString(err.Error(), hidden))
}
