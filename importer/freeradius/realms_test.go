package freeradius

import (
	"fmt"
	"strings"
	"testing"

	"radsec-gw/importer/importertest"
)

// Accounting is balanced as its own pool says, and Access as its own, also between servers
// of the same names: those of each type.
func TestPoolsOfEachKind(t *testing.T) {
	text := "security {\nstatus_server = yes\n}\n" + radsecListen
	for _, kind := range []string{"auth", "acct"} {
		for i := range 2 {
			text += fmt.Sprintf("home_server h%d {\ntype = %s\nipaddr = 198.51.100.%d\nsecret = 0123456789abcdef\n}\n", i, kind, i)
		}
	}
	text += `
home_server_pool in-order {
	home_server = h0
	home_server = h1
}
home_server_pool balanced {
	type = load-balance
	home_server = h0
	home_server = h1
}
realm example.org {
	auth_pool = in-order
	acct_pool = balanced
	nostrip
}
client radsec {
	ipaddr = 192.0.2.4
	proto = tls
}
`
	d, err := importText(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	const want = `
[[route]]
realms = ["example.org"]
packets = ["access"]
servers = ["h0", "h1"]

[[route]]
realms = ["example.org"]
packets = ["accounting"]
servers = ["h0-2", "h1-2"]
balance = "least-outstanding"
`
	written := importertest.Text(t, d)
	if !strings.Contains(written, want) {
		t.Errorf("expected%sgot\n%s", want, written)
	}
	importertest.CheckLoads(t, written)
}

// The servers of a pool that a route has no place for are noted.
func TestPoolIsTooLarge(t *testing.T) {
	text, pool := radsecListen, ""
	for i := range 65 {
		text += fmt.Sprintf("home_server h%d {\nipaddr = 198.51.100.%d\nsecret = 0123456789abcdef\n}\n", i, i)
		pool += fmt.Sprintf("home_server = h%d\n", i)
	}
	d, err := importText(text+"home_server_pool all {\n"+pool+"}\nrealm example.org {\nauth_pool = all\nnostrip\n}\n", nil)
	if err != nil || !strings.Contains(fmt.Sprint(d.Notes()), "home_server_pool all: expected at most 64 servers, got 65; the rest is omitted") {
		t.Errorf("expected a note about 65 servers, got %v, %v", d.Notes(), err)
	}
}
