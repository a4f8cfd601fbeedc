package routing

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"radsec-gw/wire"
)

// RuleError describes what is wrong with one entry of one rule.
type RuleError struct {
	Rule  int    // index, from 0
	List  string // "realms" or "operators"
	Entry int    // index in the list, from 0
	Err   error
}

// Key names the entry as the configuration does.
func (e *RuleError) Key() string { return fmt.Sprintf("route[%d].%s[%d]", e.Rule, e.List, e.Entry) }

// Error names the entry as the configuration does.
func (e *RuleError) Error() string { return fmt.Sprintf("%s: %v", e.Key(), e.Err) }

// Unwrap returns the reason alone.
func (e *RuleError) Unwrap() error { return e.Err }

// New builds the table. It refuses a realm that two rules have for the same kind of
// packet, suffixes of one label (RFC 7542 §3) and patterns that are not regular
// expressions; the error joins a *RuleError for each.
func New(rules []Rule, o Options) (*Table, error) {
	return build(rules, o, func(rule int) string { return fmt.Sprintf("route[%d] matches", rule) })
}

// build is New. earlier begins the error about an entry that an earlier rule has.
func build(rules []Rule, o Options, earlier func(rule int) string) (*Table, error) {
	b := builder{table: &Table{coaByUserName: o.CoAByUserName}, claims: map[claim]int{}, earlier: earlier}
	if !slices.Equal(o.Formats, []Format{Suffix}) { // realmOf has a shorter path for Suffix alone
		b.table.formats = o.Formats
	}
	for k := range b.table.kinds {
		b.table.kinds[k] = realms{exact: map[string]int{}, suffixes: map[string]int{}}
	}
	for i, rule := range rules {
		for j, realm := range rule.Realms {
			if err := b.add(i, rule, realm); err != nil {
				b.errs = append(b.errs, &RuleError{Rule: i, List: "realms", Entry: j, Err: err})
			}
		}
		for j, operator := range rule.Operators {
			if err := b.addOperator(i, rule, operator); err != nil {
				b.errs = append(b.errs, &RuleError{Rule: i, List: "operators", Entry: j, Err: err})
			}
		}
	}
	if len(b.errs) > 0 {
		return nil, errors.Join(b.errs...)
	}
	return b.table, nil
}

// builder builds a table.
type builder struct {
	table   *Table
	claims  map[claim]int // index of the rule that has it
	earlier func(rule int) string
	errs    []error
}

// claim is what only one rule may have.
type claim struct {
	kind     wire.Kind
	operator bool
	realm    string // its Key, or an operator's namespace octet and folded name
}

// claim records that rule i has an entry for a kind. The error names an earlier rule
// that has it.
func (b *builder) claim(i int, c claim, what, entry string) error {
	if rule, ok := b.claims[c]; ok {
		return fmt.Errorf("%s %s packets of %s %q already: expected each %s once for a kind of packet", b.earlier(rule), c.kind, what, entry, what)
	}
	b.claims[c] = i
	return nil
}

// addOperator adds one operator of rule i for those of its kinds that are routed by
// operator.
func (b *builder) addOperator(i int, rule Rule, entry string) error {
	space, name, err := parseOperator(entry)
	if err != nil {
		return err
	}
	folded := string(fold(nil, []byte(name)))
	octet := string(operatorSpaces[space].octet)
	for _, kind := range rule.Kinds {
		if kind != wire.KindCoA && kind != wire.KindDisconnect {
			continue
		}
		if err := b.claim(i, claim{kind, true, octet + folded}, "operator", entry); err != nil {
			return err
		}
		o := &b.table.kinds[kind].operator
		if o.exact == nil {
			o.exact = map[string]int{}
		}
		if name == "*" {
			o.spaces[space] = target{rule.Group, true}
		} else {
			o.exact[octet+folded] = rule.Group
		}
	}
	return nil
}

// add adds one realm of rule i for all its kinds.
func (b *builder) add(i int, rule Rule, realm string) error {
	if err := CheckRealm(realm); err != nil {
		return err
	}
	expr, isPattern := strings.CutPrefix(realm, "~")
	name := Key(realm)
	suffix, isSuffix := strings.CutPrefix(name, "*.")
	var compiled *regexp.Regexp
	if isPattern {
		// Realms are compared ignoring case, so patterns match ignoring case. CheckRealm
		// has compiled it.
		compiled = regexp.MustCompile("(?i)" + expr)
	}

	for _, kind := range rule.Kinds {
		if kind >= wire.NumKinds {
			return fmt.Errorf("expected a kind below %d, got %d", wire.NumKinds, kind)
		}
		if err := b.claim(i, claim{kind, false, name}, "realm", realm); err != nil {
			return err
		}
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
