package routing

import (
	"bytes"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

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
		{`EXAMPLE\bob@`, all, "EXAMPLE"}, // an "@" at the end finds none
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

// RFC 7542 §2.2, §2.4, §2.6.1, §3.3.1 (P138, P139, P142)
// Rules: P138, P139, P142
func TestRealm(t *testing.T) {
	for user, want := range map[string]string{
		"":                   "",
		"alice":              "",
		"alice@example.org":  "example.org",
		"@example.org":       "example.org",
		"a@b@example.org":    "example.org",
		"home!alice@other":   "other",
		"alice@":             "",
		"DOMAIN\\alice":      "",
		"host/pc.example":    "",
		"alice@EXAMPLE.org":  "EXAMPLE.org",
		"alice@\xff\x00 \"@": "",
	} {
		if got := string(Realm([]byte(user))); got != want {
			t.Errorf("the realm of %q is %q, expected %q", user, got, want)
		}
	}
}

// realmBy is realmOf in another way: by regular expressions.
func realmBy(user string, formats []Format) string {
	for _, f := range formats {
		expr := [...]string{Suffix: `@([^@]*)$`, Prefix: `^([^\\]*)\\`, Machine: `(?i)^host/[^.]*\.(.*)$`}[f]
		if m := regexp.MustCompile("(?s)" + expr).FindStringSubmatch(user); m != nil && m[1] != "" {
			return m[1]
		}
	}
	return ""
}

// The formats find what regular expressions find, on random names of few characters.
// Rules: P137, P139
func TestFormatsAgainstTwin(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 2))
	parts := []string{"host/", "HOST/", "a", ".", "@", `\`, "\n", "/", "é"}
	found := 0
	for range 20000 {
		user := ""
		for range random.IntN(7) {
			user += parts[random.IntN(len(parts))]
		}
		formats := []Format{Suffix, Prefix, Machine}
		random.Shuffle(3, func(i, j int) { formats[i], formats[j] = formats[j], formats[i] })
		formats = formats[:1+random.IntN(3)]
		want := realmBy(user, formats)
		if got := string(realmOf([]byte(user), formats)); got != want {
			t.Fatalf("seed %d: the realm of %q in formats %v is %q; the expressions say %q", seed, user, formats, got, want)
		}
		if want != "" {
			found++
		}
	}
	if found < 3000 {
		t.Errorf("%d of 20000 names have a realm: such random input proves little", found)
	}
}

// A realm is the end of its User-Name, has no "@", and looking it up alters nothing.
// Rules: P137, P139
func FuzzRealm(f *testing.F) {
	for _, s := range []string{"", "@", "bob", "bob@example.org", "a@b@C.Example.org", "@m\u00fcnchen.example", "\xff@\xff."} {
		f.Add([]byte(s))
	}
	table := mustNew(f, Options{}, Rule{Realms: []string{"example.org", "*.example.org", "~^x", "", "*"}, Kinds: access, Group: 1})
	f.Fuzz(func(t *testing.T, user []byte) {
		before := bytes.Clone(user)
		realm := Realm(user)
		if !bytes.HasSuffix(user, realm) || bytes.IndexByte(realm, '@') >= 0 {
			t.Fatalf("the realm of %q is %q", user, realm)
		}
		if bytes.IndexByte(user, '@') >= 0 != (len(realm) < len(user) && user[len(user)-len(realm)-1] == '@') {
			t.Fatalf("the realm of %q is %q, which does not follow an @", user, realm)
		}
		if _, ok := table.Lookup(wire.KindAccess, realm); !ok {
			t.Fatalf("%q is not routed, although there is a default", realm)
		}
		if !bytes.Equal(user, before) {
			t.Fatalf("%q was altered to %q", before, user)
		}
	})
}
