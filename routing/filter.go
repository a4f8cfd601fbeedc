package routing

import "radsec-gw/wire"

// Filter says which realms a client may send (RFC 6614 §2.5; draft-dekok-radext-
// deprecating-radius §8.5.1). It is immutable.
type Filter struct{ table *Table }

// NewFilter lets the realms pass, in the forms that a Rule has; o are the options of
// the Table that routes what has passed, so that both look at the same realm. The
// error joins a *RuleError for each realm that will not do.
func NewFilter(realms []string, o Options) (*Filter, error) {
	var kinds []wire.Kind
	for k := range wire.NumKinds {
		kinds = append(kinds, k)
	}
	table, err := New([]Rule{{Realms: realms, Kinds: kinds}}, o)
	if err != nil {
		return nil, err
	}
	return &Filter{table}, nil
}

// Allows reports whether a request may pass, and the realm that decided, which points
// into the packet. A nil Filter lets everything pass. It does not allocate.
func (f *Filter) Allows(v *wire.View) (realm []byte, ok bool) {
	if f == nil {
		return nil, true
	}
	_, realm, ok = f.table.Route(v)
	return realm, ok
}
