package routing

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"radsec-gw/wire"
)

// The first format that finds a realm counts, and the User-Name stays as it is.
// Rules: P137, P138, P139
func TestRealmFormats(t *testing.T) {
	all, backwards := []Format{Suffix, Prefix, Machine}, []Format{Machine, Prefix, Suffix}
	for _, x := range []struct {
		user    string
		formats []Format
		want    string
	}{
		{`bob@example.org`, nil, "example.org"}, // suffix is the default
		{`EXAMPLE\bob`, nil, ""},
		{`host/pc.example.org`, nil, ""},

		{`EXAMPLE\bob`, all, "EXAMPLE"},
		{`EXAMPLE\sub\bob`, all, "EXAMPLE"}, // the first backslash
		{`\bob`, all, ""},
		{`EXAMPLE\`, all, "EXAMPLE"},
		{`bob`, all, ""},
		{``, all, ""},
		{`host/pc.example.org`, all, "example.org"},
		{`HOST/pc.Example.org`, all, "Example.org"},
		{`host/pc`, all, ""},
		{`host/pc.`, all, ""},
		{`host/`, all, ""},
		{`host/.example.org`, all, "example.org"},
		{`hosts/pc.example.org`, all, ""},

		{`EXAMPLE\bob@example.org`, all, "example.org"},
		{`EXAMPLE\bob@example.org`, backwards, "EXAMPLE"},
		{`EXAMPLE\bob@`, all, "EXAMPLE"}, // an "@" with nothing behind it finds none
		{`host/pc.example.org@example.net`, all, "example.net"},
		{`host/pc.example.org@example.net`, backwards, "example.org@example.net"},
		{`host/EXAMPLE\pc`, []Format{Prefix}, "host/EXAMPLE"},
		{`bob@example.org`, []Format{Machine}, ""},
	} {
		realm := x.want
		if strings.Contains(realm, "@") { // which only a pattern may have
			realm = "~^" + regexp.QuoteMeta(realm) + "$"
		}
		table := mustNew(t, Options{Formats: x.formats, CoAByUserName: true}, Rule{Realms: []string{realm}, Kinds: anything, Group: 1})
		user := []byte(x.user)
		if got := string(table.Realm(user)); got != x.want {
			t.Errorf("the realm of %q in formats %v is %q, expected %q", x.user, x.formats, got, x.want)
		}
		if string(user) != x.user {
			t.Errorf("the User-Name %q was altered to %q", x.user, user)
		}
		for _, code := range []wire.Code{1, 4, 43, 40} {
			v := request(t, code, "\x01"+x.user)
			before := bytes.Clone(v.Packet)
			if group, realm, ok := table.Route(v); group != 1 || string(realm) != x.want || !ok {
				t.Errorf("%v of %q in formats %v goes to %d, %v for realm %q; expected 1 for %q", code, x.user, x.formats, group, ok, realm, x.want)
			}
			if !bytes.Equal(before, v.Packet) {
				t.Errorf("the packet of %q was altered", x.user)
			}
		}
	}
}
