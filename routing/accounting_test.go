package routing

import (
	"testing"

	"radsec-gw/wire"
)

// A session's accounting goes where its authentication went: the realm of User-Name
// decides in both, by the same rules (RFC 2607 §5.2).
// Rules: P73
func TestAccountingTakesTheRouteOfItsRealm(t *testing.T) {
	table := mustNew(t, Options{},
		Rule{Realms: []string{"example.org"}, Kinds: both, Group: 1},
		Rule{Realms: []string{"*.example.org"}, Kinds: both, Group: 2},
		Rule{Realms: []string{"~^x.*y$"}, Kinds: both, Group: 3},
		Rule{Realms: []string{""}, Kinds: both, Group: 4},
		Rule{Realms: []string{"*"}, Kinds: both, Group: 5},
	)
	for user, want := range map[string]int{
		"alice@example.org": 1, "alice@EXAMPLE.ORG": 1, "alice@a.example.org": 2, "alice@xy": 3, "alice": 4, "alice@elsewhere.example": 5,
	} {
		for _, code := range []wire.Code{1, 4} {
			if got, _, ok := table.Route(request(t, code, "\x01"+user)); got != want || !ok {
				t.Errorf("%s of %q: expected group %d, got %d, %t", wire.KindOf(code), user, want, got, ok)
			}
		}
	}
}

// A request without User-Name, as the EAP-Start with which a NAS may begin, has no realm:
// it goes the way of those, or the default way (RFC 3579 §2.1).
// Rules: P9
func TestEAPStartWithoutUserName(t *testing.T) {
	start := request(t, 1, "\x4f") // an EAP-Message of no octets
	for _, c := range []struct {
		realms []string
		want   bool
	}{{[]string{"*"}, true}, {[]string{""}, true}, {[]string{"example.org"}, false}} {
		table := mustNew(t, Options{}, Rule{Realms: c.realms, Kinds: access, Group: 7})
		group, realm, ok := table.Route(start)
		if ok != c.want || len(realm) != 0 || ok && group != 7 {
			t.Errorf("routes for %q: got group %d, realm %q, %t; expected a route: %t", c.realms, group, realm, ok, c.want)
		}
	}
}
