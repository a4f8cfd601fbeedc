// Package routing decides from a packet's kind and realm which group of
// servers answers it. A Table is built once, never changes, and may be used by any
// number of goroutines; a reload builds another.
//
// A realm is looked up in this order, whatever the order of the rules:
//
//  1. as an exact name,
//  2. below a suffix, the longest suffix first,
//  3. with the patterns, in the order of the rules,
//  4. as the default "*".
//
// A packet without a realm is looked up as "" and then as the default.
//
// The files in the order in which to read them:
//
//	routing.go   rules, the table, and looking a request up
//	realm.go     the realm in a User-Name
//	operator.go  Operator-Name, which routes CoA and Disconnect
//	fold.go      how realms are compared
//	syntax.go    what a realm of a rule may look like
//	build.go     building the table, and what it refuses
//	filter.go    which realms a client may send
package routing

import (
	"bytes"
	"regexp"

	"radsec-gw/wire"
)

// Rule sends realms to a group of servers.
type Rule struct {
	// Realms as in the configuration: "example.org", "*.example.org" (what is
	// below it, not itself; two labels or more), "~regular expression" (RE2,
	// unanchored, ignoring case), "" (no realm) and "*" (default). ASCII letters are
	// compared ignoring case, other characters in Unicode Normalization Form C.
	Realms []string
	// Operators are Operator-Names in namespaces other than that of realms, such as
	// "wbaid:EXAMPLE:US" or, for a whole namespace, "wbaid:*". They are compared as
	// realms are; only CoA and Disconnect are routed by them.
	Operators []string
	Kinds     []wire.Kind // kinds of packets; without any the rule has no effect
	Group     int         // any number, returned by Lookup and Route
}

// Options apply to all rules.
type Options struct {
	// CoAByUserName routes CoA and Disconnect without Operator-Name by the realm
	// of User-Name. RFC 8559 §2.1 requires that they be refused, but most senders of CoA
	// inside one organisation add no Operator-Name.
	CoAByUserName bool
	// Formats are tried in order; the first that finds a realm counts. Nil: Suffix
	// only.
	Formats []Format
}

// Table is a set of rules, prepared for lookups.
type Table struct {
	// static after construction
	kinds         [wire.NumKinds]realms
	coaByUserName bool
	formats       []Format // as realmOf takes them
}

// realms are the rules for one kind of packet.
type realms struct {
	exact    map[string]int // folded name → group
	suffixes map[string]int // folded name without "*." → group
	patterns []pattern      // in the order of the rules
	operator operators
	none     target // ""
	fallback target // "*"
}

type pattern struct {
	expr  *regexp.Regexp
	group int
}

// target is a group that may be missing.
type target struct {
	group int
	ok    bool
}

// Lookup finds the group for a kind of packet and a realm, which is looked up as
// received (RFC 7542 §3) and not changed. An empty realm means that there is
// none. It allocates nothing while the realm is ASCII of at most 253 octets.
func (t *Table) Lookup(kind wire.Kind, realm []byte) (group int, ok bool) {
	if kind >= wire.NumKinds {
		return 0, false
	}
	r := &t.kinds[kind]
	if len(realm) == 0 {
		if r.none.ok {
			return r.none.group, true
		}
		return r.fallback.group, r.fallback.ok
	}

	var buf [256]byte
	name := fold(buf[:0], realm)
	if group, ok := r.exact[string(name)]; ok {
		return group, true
	}
	if group, ok := r.bySuffix(name); ok {
		return group, true
	}
	for i := range r.patterns {
		if r.patterns[i].expr.Match(realm) {
			return r.patterns[i].group, true
		}
	}
	return r.fallback.group, r.fallback.ok
}

// bySuffix removes labels from the left, so that whole labels are compared and the
// longest suffix is found first (RFC 7542 §3).
func (r *realms) bySuffix(name []byte) (group int, ok bool) {
	if len(r.suffixes) == 0 {
		return 0, false
	}
	for {
		dot := bytes.IndexByte(name, '.')
		if dot < 0 {
			return 0, false
		}
		name = name[dot+1:]
		if group, ok := r.suffixes[string(name)]; ok {
			return group, true
		}
	}
}

// Route finds the group for a request, and the realm that decided, which
// points into the packet and is empty when there was none. It neither changes
// the packet nor allocates (see Lookup).
func (t *Table) Route(v *wire.View) (group int, realm []byte, ok bool) {
	kind := v.Kind()
	switch kind {
	case wire.KindCoA, wire.KindDisconnect:
		return t.routeDynamic(v)
	default:
		// A User-Name that is not an NAI, or a missing one as in Accounting-On, is not
		// refused: it has no realm (RFC 7542 §2.6.1).
		realm = t.Realm(v.UserName())
	}
	group, ok = t.Lookup(kind, realm)
	return group, realm, ok
}

// NeedsOperator reports whether a request is a CoA or Disconnect that lacks an
// Operator-Name when the table routes these by Operator-Name only.
func (t *Table) NeedsOperator(v *wire.View) bool {
	dynamic := v.Kind() == wire.KindCoA || v.Kind() == wire.KindDisconnect
	return dynamic && !t.coaByUserName && v.OperatorName() == nil
}

// routeDynamic is Route for CoA and Disconnect: these go to the operator of the
// network, which Operator-Name names, not to the user's home (RFC 8559 §2.1). Its first
// octet is the namespace, '1' for a realm (RFC 5580 §4.1). A name in another namespace
// is routed by the rule that has it; an empty one, or one without a namespace, is not
// routed.
func (t *Table) routeDynamic(v *wire.View) (group int, realm []byte, ok bool) {
	kind, operator := v.Kind(), v.OperatorName()
	switch {
	case operator == nil && t.coaByUserName:
		realm = t.Realm(v.UserName())
	case operator == nil:
		return 0, t.Realm(v.UserName()), false
	case len(operator) < 2:
		return 0, nil, false
	case operator[0] != spaceRealm:
		group, ok = t.kinds[kind].operator.lookup(operator)
		return group, nil, ok
	default:
		realm = operator[1:]
	}
	group, ok = t.Lookup(kind, realm)
	return group, realm, ok
}

// Realm returns the realm of a User-Name, inside it, empty when it names none in any of
// the formats of the table.
func (t *Table) Realm(userName []byte) []byte { return realmOf(userName, t.formats) }
