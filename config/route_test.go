package config

import (
	"fmt"
	"strings"
	"testing"
)

// Rules: P140
func TestMistakesOfRoute(t *testing.T) {
	wantMistakes(t, []mistaken{
		{"route alone", inRoute("[[route]]\n"), []string{"11: route[0].realms: missing", "11: route[0].servers: missing"}},
		{"empty route", inRoute("[[route]]\nrealms=[]\nservers=[]\n"), []string{"12: route[0].realms: expected at least one realm"}},
		{"dangling server", inRoute("[[route]]\nrealms=['*']\nservers=['s','t']\n"), []string{`13: route[0].servers[1]: expected the name of a [[server]], got "t"`}},
		{"patience without unit", goodListen + goodClient + goodServer + goodRoute + "patience='10'\n", []string{`14: route[0].patience: expected a duration such as "500ms", "10s", "5m" or "7d"`}},
		{"negative patience", goodListen + goodClient + goodServer + goodRoute + "patience='-1s'\n", []string{`14: route[0].patience: expected a duration that is not negative`}},
		{"server twice", inRoute("[[route]]\nrealms=['*']\nservers=['s','s']\n"), []string{`13: route[0].servers[1]: "s" is listed twice`}},
		{"server without the port", inServer("coa_port=0\n" + "[[route]]\nrealms=['x']\npackets=['coa']\nservers=['s']\n"), []string{`18: route[1].servers[0]: server "s" has coa_port = 0, but this route sends it "coa" packets`}},
		{"realm with user", inRoute("[[route]]\nrealms=['@x.org']\nservers=['s']\n"), []string{`12: route[0].realms[0]: expected a realm, which is what follows the last "@"`}},
		{"realm with blank", inRoute("[[route]]\nrealms=['x org']\nservers=['s']\n"), []string{`12: route[0].realms[0]: expected a realm without blanks`}},
		{"star inside", inRoute("[[route]]\nrealms=['x.*']\nservers=['s']\n"), []string{`12: route[0].realms[0]: expected "*" alone`}},
		{"long realm", inRoute("[[route]]\nrealms=['" + strings.Repeat("x", 254) + "']\nservers=['s']\n"), []string{`12: route[0].realms[0]: expected a realm of at most 253 octets (RFC 7542 §2.3), got 254`}},
		{"empty label", inRoute("[[route]]\nrealms=['x..org']\nservers=['s']\n"), []string{`12: route[0].realms[0]: expected a realm without empty labels`}},
		{"suffix of one label", inRoute("[[route]]\nrealms=['*.com']\nservers=['s']\n"), []string{`12: route[0].realms[0]: expected a suffix of two labels or more`}},
		{"bad pattern", inRoute("[[route]]\nrealms=['~(']\nservers=['s']\n"), []string{`12: route[0].realms[0]: expected a regular expression after "~"`}},
		{"empty pattern", inRoute("[[route]]\nrealms=['~']\nservers=['s']\n"), []string{`12: route[0].realms[0]: expected a regular expression after "~", got none`}},
		{"realm twice", inRoute("[[route]]\nrealms=['X.org']\nservers=['s']\n[[route]]\nrealms=[\n'x.ORG']\npackets=['coa','accounting']\nservers=['s']\n"), []string{`16: route[1].realms[0]: "x.ORG" is already routed by line 12 for "accounting" packets`}},
		{"balance", inRoute("[[route]]\nrealms=['*']\nservers=['s']\nbalance='any'\n"), []string{`14: route[0].balance: expected "failover", `}},
		{"acknowledged accounting of a route without it", inRoute("[[route]]\nrealms=['*']\nservers=['s']\npackets=['access']\naccounting='answer'\n"), []string{`15: route[0].accounting: expected "accounting" in packets`}},
		{"accounting", inRoute("[[route]]\nrealms=['*']\nservers=['s']\naccounting='drop'\n"), []string{`14: route[0].accounting: expected "relay" or "answer", got "drop"`}},
		{"rejects of a route without access", inRoute("[[route]]\nrealms=['*']\nservers=['s']\npackets=['accounting']\non_reject='next'\n"), []string{`15: route[0].on_reject: expected "access" in packets`}},
		{"on_reject", inRoute("[[route]]\nrealms=['*']\nservers=['s']\non_reject='first'\n"), []string{`14: route[0].on_reject: expected "answer" or "next", got "first"`}},
		{"on_unreachable", inRoute("[[route]]\nrealms=['*']\nservers=['s']\non_unreachable='nak'\n"), []string{`14: route[0].on_unreachable: expected "silent", "reject" or "protocol-error", got "nak"`}},
		{"on_unroutable", inListen("[routing]\non_unroutable='x'\n"), []string{`15: routing.on_unroutable: expected "silent", "reject" or "protocol-error", got "x"`}},
	})
}

// A route whose accounting is answered here needs no acct_port of its servers, and no
// servers.
// Rules: AR12
func TestAnsweredAccountingNeedsNoPort(t *testing.T) {
	wantMistakes(t, []mistaken{
		{"no acct_port", inServer("acct_port=0\n" + "[[route]]\nrealms=['x']\nservers=['s']\naccounting='answer'\n[[route]]\nrealms=['y']\nservers=[]\naccounting='answer'\n[[route]]\nrealms=['z']\nservers=['s']\n"),
			[]string{`9: route[0].servers[0]: server "s" has acct_port = 0`, `25: route[3].servers[0]: server "s" has acct_port = 0, but this route sends it "accounting" packets`}},
	})
}

// A route cannot have more servers than udpback chooses among.
func TestTooManyServers(t *testing.T) {
	text, names := goodListen+goodClient, []string{}
	for i := range maxRouteServers + 1 {
		names = append(names, fmt.Sprintf("'s%d'", i))
		text += fmt.Sprintf("[[server]]\nname='s%d'\naddress='127.0.0.1'\nsecret='0123456789abcdef'\n", i)
	}
	_, err := load(t, text+"[[route]]\nrealms=['*']\nservers=["+strings.Join(names, ",")+"]\n")
	if err == nil || !strings.Contains(err.Error(), "route[0].servers: expected at most 64 servers, got 65") {
		t.Errorf("expected a mistake about 65 servers, got %v", err)
	}
}

// Rules: P31, P137
func TestRoutingKeys(t *testing.T) {
	const all = "[routing]\nrealm_formats=['machine','suffix']\nloop_marker=false\nloop_marker_secret_file='a.secret'\n"
	c, err := load(t, goodListen+goodClient+goodServer+goodRoute+all)
	if err != nil {
		t.Fatal(err)
	}
	if r := c.Routing; fmt.Sprint(r.RealmFormats) != "[machine suffix]" || r.LoopMarker || r.LoopMarkerSecret.Len() == 0 {
		t.Errorf("[routing] reads %+v", r)
	}
	if c, err = load(t, goodListen+goodClient+goodServer+goodRoute); err != nil {
		t.Fatal(err)
	}
	if r := c.Routing; fmt.Sprint(r.RealmFormats) != "[suffix]" || !r.LoopMarker || r.LoopMarkerSecret.Len() != 0 {
		t.Errorf("the defaults of [routing] are %+v", r)
	}
}
