package routing

import (
	"errors"
	"fmt"
	"strings"
)

// Operator-Name begins with an octet for the namespace of the name that follows (RFC 5580
// §4.1; "4" is IANA's). A realm is looked up as one; a name in any other namespace is
// written "namespace:name" in a rule, as in "wbaid:EXAMPLE:US".
const (
	spaceTADIG = '0' // of GSM networks
	spaceRealm = '1'
	spaceE212  = '2' // mobile country code and network code
	spaceICC   = '3' // of ITU-T M.1400
	spaceWBAID = '4' // of the Wireless Broadband Alliance, used in OpenRoaming
)

// operatorSpaces are the namespaces that Rule.Operators may name.
var operatorSpaces = [...]struct {
	octet byte
	name  string
}{{spaceTADIG, "tadig"}, {spaceE212, "e212"}, {spaceICC, "icc"}, {spaceWBAID, "wbaid"}}

// Operator returns an Operator-Name as a rule would have it, for a person who has to
// write that rule: an entry of Realms when isRealm is true, otherwise one of Operators.
// The entry is empty when the name is, or when rules have no name for its namespace.
func Operator(name []byte) (entry string, isRealm bool) {
	if len(name) < 2 {
		return "", false
	}
	if name[0] == spaceRealm {
		return string(name[1:]), true
	}
	for _, s := range operatorSpaces {
		if name[0] == s.octet {
			return s.name + ":" + string(name[1:]), false
		}
	}
	return "", false
}

// CheckOperatorName checks the syntax of an entry that an Operator-Name of any namespace is
// compared with: a realm, "*." before the labels that one ends with, or an entry of
// Rule.Operators. No realm has a colon, and so the entry says which of them it is.
func CheckOperatorName(entry string) error {
	isOperator := strings.Contains(entry, ":")
	_, _, err := parseOperator(entry)
	if isOperator && err != nil || entry == "" || entry == "*" || entry[0] == '~' {
		return fmt.Errorf(`expected a realm such as "example.org" or "*.example.org", or "tadig:", "e212:", "icc:" or "wbaid:" followed by a name or by "*", got %q`, entry)
	}
	if isOperator {
		return nil
	}
	return CheckRealm(entry)
}

// operators are the rules for Operator-Names that are not realms.
type operators struct {
	exact  map[string]int // namespace octet and folded name → group
	spaces [len(operatorSpaces)]target
}

// lookup finds the group for an Operator-Name, which is not empty. Names are compared
// as realms are, and nothing is allocated for one of at most 253 octets.
func (o *operators) lookup(name []byte) (group int, ok bool) {
	var buf [256]byte
	if group, ok := o.exact[string(fold(buf[:0], name))]; ok {
		return group, true
	}
	for i, s := range operatorSpaces {
		if name[0] == s.octet {
			return o.spaces[i].group, o.spaces[i].ok
		}
	}
	return 0, false
}

// errOperator is the error of an entry of Rule.Operators.
var errOperator = errors.New(`expected "tadig:", "e212:", "icc:" or "wbaid:" followed by a name, or by "*" for every name, such as "wbaid:EXAMPLE:US" or "e212:*"`)

// parseOperator parses an entry of Rule.Operators: it returns the index of the namespace
// in operatorSpaces, and the name, "*" for all.
func parseOperator(entry string) (space int, name string, err error) {
	prefix, name, _ := strings.Cut(entry, ":")
	for i, s := range operatorSpaces {
		if prefix == s.name && name != "" && len(name) <= 252 {
			return i, name, nil
		}
	}
	if prefix == "realm" {
		return 0, "", fmt.Errorf("%w; an operator's realm belongs in realms, got %q", errOperator, entry)
	}
	return 0, "", fmt.Errorf("%w, got %q", errOperator, entry)
}
