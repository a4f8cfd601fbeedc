package routing

import (
	"encoding/binary"

	"radsec-gw/wire"
)

// Filter is the set of realms that a client may send (RFC 6614 §2.5;
// draft-dekok-radext-deprecating-radius §8.5.1). It is immutable.
type Filter struct{ table *Table }

// NewFilter returns a filter that allows the realms and the operators, written as in a
// Rule. o are the options of the Table that routes what is allowed, so that both use the
// same realm. The error joins a *RuleError for each invalid entry.
func NewFilter(realms, operators []string, o Options) (*Filter, error) {
	var kinds []wire.Kind
	for k := range wire.NumKinds {
		kinds = append(kinds, k)
	}
	rule := Rule{Realms: realms, Operators: operators, Kinds: kinds}
	table, err := build([]Rule{rule}, o, func(int) string { return "the client may send" })
	if err != nil {
		return nil, err
	}
	return &Filter{table}, nil
}

// Allows reports whether a request is allowed, and returns the realm that decided, which
// points into the packet. A nil Filter allows everything. It does not allocate.
//
// Accounting-On and Accounting-Off are about a NAS and not about a user, so most have no
// User-Name (RFC 2866 §5.1, RFC 2607 §5.2): these are allowed whatever the realms are.
// One with two values of Acct-Status-Type may be something else to the server, and is
// not.
func (f *Filter) Allows(v *wire.View) (realm []byte, ok bool) {
	if f == nil {
		return nil, true
	}
	if _, realm, ok = f.table.Route(v); ok {
		return realm, true
	}
	return realm, v.Kind() == wire.KindAccounting && ofNAS(v)
}

const (
	typeUserName       = 1  // RFC 2865 §5.1
	typeAcctStatusType = 40 // RFC 2866 §5.1
)

// ofNAS reports whether accounting is an Accounting-On or Accounting-Off without any
// User-Name.
func ofNAS(v *wire.View) bool {
	found := 0
	for t, value := range v.All() {
		switch {
		case t == typeUserName:
			return false
		case t == typeAcctStatusType:
			found++
			if len(value) != 4 || !isOnOrOff(binary.BigEndian.Uint32(value)) {
				return false
			}
		}
	}
	return found == 1
}

// isOnOrOff reports whether an Acct-Status-Type is Accounting-On or Accounting-Off.
func isOnOrOff(status uint32) bool { return status == 7 || status == 8 }
