package routing

import (
	"testing"

	"radsec-gw/wire"
)

var (
	access   = []wire.Kind{wire.KindAccess}
	both     = []wire.Kind{wire.KindAccess, wire.KindAccounting}
	dynamic  = []wire.Kind{wire.KindCoA, wire.KindDisconnect}
	anything = []wire.Kind{wire.KindAccess, wire.KindAccounting, wire.KindCoA, wire.KindDisconnect}
)

// mustNew builds a table that has to be right.
func mustNew(t testing.TB, o Options, rules ...Rule) *Table {
	t.Helper()
	table, err := New(rules, o)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// request makes a request of type-value pairs: User-Name is 1, Operator-Name 126.
func request(t testing.TB, code wire.Code, attributes ...string) *wire.View {
	t.Helper()
	b := make([]byte, 20)
	b[0] = byte(code)
	for _, a := range attributes {
		b = append(b, a[0], byte(len(a)+1))
		b = append(b, a[1:]...)
	}
	b[2], b[3] = byte(len(b)>>8), byte(len(b))
	v := new(wire.View)
	if err := v.Parse(b); err != nil {
		t.Fatal(err)
	}
	return v
}
