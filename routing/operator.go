package routing

import (
	"errors"
	"fmt"
	"strings"
)

// Operator-Name begins with an octet for the namespace of the name behind it (RFC 5580
// §4.1; "4" is IANA's). A realm is looked up as one; a name of any other namespace is
// written "namespace:name" in a rule, as in "wbaid:EXAMPLE:US".
const (
	spaceTADIG = '0' // of GSM networks
	spaceRealm = '1'
	spaceE212  = '2' // mobile country code and network code
	spaceICC   = '3' // of ITU-T M.1400
	spaceWBAID = '4' // of the Wireless Broadband Alliance, as OpenRoaming has it
)

// operatorSpaces are the namespaces that Rule.Operators may name.
var operatorSpaces = [...]struct {
	octet byte
	name  string
}{{spaceTADIG, "tadig"}, {spaceE212, "e212"}, {spaceICC, "icc"}, {spaceWBAID, "wbaid"}}

// Operator says in words what an Operator-Name is, for a person who has to route it.
// entry is what a Rule would have for it: one of its Realms when isRealm is true, else
// one of its Operators. An empty entry means that the name has no namespace that there is a
// rule for, or nothing behind it.
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

// operators are the rules for Operator-Names that are not realms.
type operators struct {
	exact  map[string]int // namespace octet and folded name → group
	spaces [len(operatorSpaces)]target
}

// lookup finds the group for an Operator-Name, which is not empty. Like realms names are compared without
// the case of ASCII letters, and nothing is allocated for one of at most 253 octets.
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

// errOperator is what an entry of Rule.Operators has to be.
var errOperator = errors.New(`expected "tadig:", "e212:", "icc:" or "wbaid:" and a name behind it, or "*" for every name, such as "wbaid:EXAMPLE:US" or "e212:*"`)

// parseOperator reads an entry of Rule.Operators: the index of its namespace in
// operatorSpaces, and the name behind it, "*" for all.
func parseOperator(entry string) (space int, name string, err error) {
	prefix, name, _ := strings.Cut(entry, ":")
	for i, s := range operatorSpaces {
		if prefix == s.name && name != "" && len(name) <= 252 {
			return i, name, nil
		}
	}
	if prefix == "realm" {
		return 0, "", fmt.Errorf("%w; an operator's realm goes into realms, got %q", errOperator, entry)
	}
	return 0, "", fmt.Errorf("%w, got %q", errOperator, entry)
}
