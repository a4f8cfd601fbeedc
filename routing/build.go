package routing

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"radsec-gw/wire"
)

// RuleError says what is wrong with one realm of one rule.
type RuleError struct {
	Rule, Realm int // indexes, from 0
	Err         error
}

// Error names the rule as the configuration does.
func (e *RuleError) Error() string {
	return fmt.Sprintf("route[%d].realms[%d]: %v", e.Rule, e.Realm, e.Err)
}

// Unwrap gives the reason alone.
func (e *RuleError) Unwrap() error { return e.Err }

// New builds the table. It refuses a realm that two rules claim for the same
// kind of packet, suffixes of one label (RFC 7542 §3) and patterns that are no
// regular expressions; the error joins a *RuleError for each.
func New(rules []Rule, o Options) (*Table, error) {
	b := builder{table: &Table{coaByUserName: o.CoAByUserName}, claims: map[claim]int{}}
	for k := range b.table.kinds {
		b.table.kinds[k] = realms{exact: map[string]int{}, suffixes: map[string]int{}}
	}
	for i, rule := range rules {
		for j, realm := range rule.Realms {
			if err := b.add(i, rule, realm); err != nil {
				b.errs = append(b.errs, &RuleError{Rule: i, Realm: j, Err: err})
			}
		}
	}
	if len(b.errs) > 0 {
		return nil, errors.Join(b.errs...)
	}
	return b.table, nil
}

// builder is a table in the making.
type builder struct {
	table  *Table
	claims map[claim]int // who claimed it: the index of the rule
	errs   []error
}

// claim is what only one rule may have. The realm is folded and keeps its
// "*." or "~", so the sorts of realms cannot collide.
type claim struct {
	kind  wire.Kind
	realm string
}

// add enters one realm of rule i for all its kinds.
func (b *builder) add(i int, rule Rule, realm string) error {
	expr, isPattern := strings.CutPrefix(realm, "~")
	name := realm
	if !isPattern {
		name = string(fold(nil, []byte(realm)))
	}
	suffix, isSuffix := strings.CutPrefix(name, "*.")
	var compiled *regexp.Regexp
	switch {
	case isPattern:
		var err error
		// Realms match without case, so patterns do too.
		if compiled, err = regexp.Compile("(?i)" + expr); err != nil {
			return fmt.Errorf("expected a regular expression after \"~\", came %q: %w", expr, err)
		}
	case isSuffix && !strings.Contains(strings.Trim(suffix, "."), "."):
		return fmt.Errorf(`expected a suffix of two labels or more such as "*.example.org" (RFC 7542 §3), came %q`, realm)
	case name != "*" && !isSuffix && strings.Contains(name, "*"):
		return fmt.Errorf(`expected "*" alone, or "*." before a suffix, came %q`, realm)
	}

	for _, kind := range rule.Kinds {
		if kind >= wire.NumKinds {
			return fmt.Errorf("expected a kind below %d, came %d", wire.NumKinds, kind)
		}
		if earlier, ok := b.claims[claim{kind, name}]; ok {
			return fmt.Errorf("route[%d] takes %s packets of realm %q already: expected each realm once for a kind of packet", earlier, kind, realm)
		}
		b.claims[claim{kind, name}] = i
		r := &b.table.kinds[kind]
		switch {
		case isPattern:
			r.patterns = append(r.patterns, pattern{compiled, rule.Group})
		case isSuffix:
			r.suffixes[suffix] = rule.Group
		case name == "":
			r.none = target{rule.Group, true}
		case name == "*":
			r.fallback = target{rule.Group, true}
		default:
			r.exact[name] = rule.Group
		}
	}
	return nil
}
