package identity

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"net/netip"
	"testing"
)

// RFC 6614bis §3.3.1, §3.4: all conditions of a client must hold, the first
// client counts, and several may share an address.
//
// Rules: P105, P107
func TestFirstClientWhoseConditionsAllHold(t *testing.T) {
	leaf := &x509.Certificate{DNSNames: []string{"x.example", "ap1.campus.example"}}
	p := &Peer{Source: netip.MustParseAddr("192.0.2.7"), Leaf: leaf, fingerprint: [32]byte{9}, paths: ofClientCA}
	net1 := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	net2 := []netip.Prefix{netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("198.51.100.0/24")}
	mine, other := [][32]byte{{1}, {9}}, [][32]byte{{1}}
	for _, c := range []struct {
		says    string
		clients []*Client
		want    string // empty: none
	}{
		{"no condition", []*Client{{Name: "a"}}, "a"},
		{"the first of two that match", []*Client{{Name: "a", Networks: net1}, {Name: "b"}}, "a"},
		{"the same address, told apart by certificate", []*Client{{Name: "a", Networks: net1, Fingerprints: other}, {Name: "b", Networks: net1, Fingerprints: mine}}, "b"},
		{"all three conditions hold", []*Client{{Name: "a", Networks: net1, Fingerprints: mine, SANDNS: []string{"*.campus.example"}}}, "a"},
		{"only the network fails", []*Client{{Name: "a", Networks: net2, Fingerprints: mine, SANDNS: []string{"*.campus.example"}}}, ""},
		{"only the fingerprint fails", []*Client{{Name: "a", Networks: net1, Fingerprints: other, SANDNS: []string{"*.campus.example"}}}, ""},
		{"only the name fails", []*Client{{Name: "a", Networks: net1, Fingerprints: mine, SANDNS: []string{"*.x.example"}}}, ""},
		{"nobody is configured", nil, ""},
	} {
		got := ""
		if i := Clients(c.clients).find(p); i >= 0 {
			got = c.clients[i].Name
		}
		if got != c.want {
			t.Errorf("%s: client %q, want %q", c.says, got, c.want)
		}
	}
	bare := &Peer{Source: p.Source}
	if (Clients{{Name: "a", SANDNS: []string{"*.campus.example"}}}).find(bare) >= 0 {
		t.Error("a peer without certificate passes for a client that is named by it")
	}
}

// RFC 6614bis §3.3.1: an iPAddress that equals the source, a URI, or the names
// in the certificate, all given conditions together; without a name check, a
// certificate policy.
//
// Rules: P105, P106, P107, TR8
func TestConditionsOnNames(t *testing.T) {
	leaf := &x509.Certificate{
		Subject: pkix.Name{CommonName: "AP-7 of Campus", Organization: []string{"Campus"}, Names: []pkix.AttributeTypeAndValue{{Type: must(ParseRDN("UID=x")).Type, Value: "EXAMPLE.ORG"}}}, Issuer: pkix.Name{CommonName: "Campus CA"},
		IPAddresses: []net.IP{net.ParseIP("2001:db8::7"), net.ParseIP("192.0.2.7")},
		Policies:    []x509.OID{must(x509.ParseOID("1.3.6.1.4.1.25178.3.1.1"))},
	}
	oid := func(s string) []x509.OID { return []x509.OID{must(x509.ParseOID(s))} }
	ip := func(s string) []netip.Addr { return []netip.Addr{netip.MustParseAddr(s)} }
	for _, c := range []struct {
		says   string
		client Client
		source string
		unmet  condition
	}{
		{"a SAN iPAddress that is listed", Client{SANIP: ip("192.0.2.7")}, "198.51.100.1", allMet},
		{"none that is listed", Client{SANIP: ip("192.0.2.8")}, "192.0.2.7", sanIPUnmet},
		{"the source", Client{SANIPSource: true}, "192.0.2.7", allMet},
		{"the source, IPv6", Client{SANIPSource: true}, "2001:db8::7", allMet},
		{"another source", Client{SANIPSource: true}, "192.0.2.8", sanIPUnmet},
		{"the source or one that is listed", Client{SANIPSource: true, SANIP: ip("2001:db8::7")}, "192.0.2.8", allMet},
		{"a URI", Client{SANURI: []string{"urn:x", "urn:example:ap7"}}, "192.0.2.7", allMet},
		{"another URI", Client{SANURI: []string{"urn:example:ap"}}, "192.0.2.7", sanURIUnmet},
		{"a NAIRealm", Client{NAIRealms: []string{"x.example", "Example.ORG"}}, "192.0.2.7", allMet},
		{"a NAIRealm below a wildcard in the certificate", Client{NAIRealms: []string{"a.campus.example"}}, "192.0.2.7", allMet},
		{"another NAIRealm", Client{NAIRealms: []string{"a.b.campus.example"}}, "192.0.2.7", naiRealmUnmet},
		{"an attribute of the subject", Client{SubjectRDNs: []RDN{must(ParseRDN("UID=EXAMPLE.ORG"))}}, "192.0.2.7", allMet},
		{"another attribute", Client{SubjectRDNs: []RDN{must(ParseRDN("UID=EXAMPLE.COM"))}}, "192.0.2.7", rdnUnmet},
		{"the subject", Client{Subjects: []string{leaf.Subject.String()}}, "192.0.2.7", allMet},
		{"another subject", Client{Subjects: []string{"CN=AP-7 of Campus"}}, "192.0.2.7", subjectUnmet},
		{"the issuer", Client{Issuers: []string{"CN=Campus CA"}}, "192.0.2.7", allMet},
		{"another issuer", Client{Issuers: []string{"CN=Campus"}}, "192.0.2.7", issuerUnmet},
		{"the common name", Client{CommonNames: []string{"ap-* of *"}}, "192.0.2.7", allMet},
		{"another common name", Client{CommonNames: []string{"ap-8*"}}, "192.0.2.7", commonNameUnmet},
		{"a policy", Client{PolicyOIDs: oid("1.3.6.1.4.1.25178.3.1.1")}, "192.0.2.7", allMet},
		{"another policy", Client{PolicyOIDs: oid("1.3.6.1.4.1.25178.3.1.2")}, "192.0.2.7", policyUnmet},
		{"all but one", Client{SANIPSource: true, SANURI: []string{"urn:example:ap7"}, CommonNames: []string{"*"}, Issuers: []string{"CN=other"}}, "192.0.2.7", issuerUnmet},
		{"all of them", Client{SANIPSource: true, SANURI: []string{"urn:example:ap7"}, CommonNames: []string{"*"}, Issuers: []string{"CN=Campus CA"}}, "192.0.2.7", allMet},
	} {
		p := &Peer{Source: netip.MustParseAddr(c.source), Leaf: leaf, uris: []string{"urn:example:ap7"}, realms: []string{"example.org", "*.campus.example"}, paths: ofClientCA}
		if got := c.client.unmet(p); got != c.unmet {
			t.Errorf("%s: condition %d is unmet, want %d", c.says, got, c.unmet)
		}
		c.client.Name = "x"
		if text := (Clients{&c.client}).explain(p); c.unmet != allMet && len(text) < len("x: no…") {
			t.Errorf("%s: the explanation is %q", c.says, text)
		}
		if c.unmet == allMet && c.client.unmet(&Peer{Source: p.Source}) != certificateMissing {
			t.Errorf("%s: a peer without certificate passes", c.says)
		}
	}
}

// ofClientCA is a path to a certificate of the client CA.
var ofClientCA = []goodPath{{certPath: &certPath{ofClientCA: true}}}
