package identity

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
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
		name    string
		clients []*Client
		want    string // empty: none
	}{
		{"no condition", []*Client{{Name: "a"}}, "a"},
		{"the first of two that match", []*Client{{Name: "a", Networks: net1}, {Name: "b"}}, "a"},
		{"the same address, different certificates", []*Client{{Name: "a", Networks: net1, Fingerprints: other}, {Name: "b", Networks: net1, Fingerprints: mine}}, "b"},
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
			t.Errorf("%s: client %q, want %q", c.name, got, c.want)
		}
	}
	bare := &Peer{Source: p.Source}
	if (Clients{{Name: "a", SANDNS: []string{"*.campus.example"}}}).find(bare) >= 0 {
		t.Error("a peer without a certificate matches a client with conditions on it")
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
		IPAddresses: []net.IP{{1, 2, 3}, net.ParseIP("2001:db8::7"), net.ParseIP("192.0.2.7")},
		Policies:    []x509.OID{must(x509.ParseOID("1.3.6.1.4.1.25178.3.1.1"))},
	}
	oid := func(s string) []x509.OID { return []x509.OID{must(x509.ParseOID(s))} }
	ip := func(s string) []netip.Addr { return []netip.Addr{netip.MustParseAddr(s)} }
	for _, c := range []struct {
		name   string
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
		{"an address of three bytes", Client{SANIP: ip("0.0.0.0")}, "192.0.2.7", sanIPUnmet},
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
			t.Errorf("%s: condition %d is unmet, want %d", c.name, got, c.unmet)
		}
		c.client.Name = "x"
		if text := (Clients{&c.client}).explain(p); c.unmet != allMet && len(text) < len("x: no…") {
			t.Errorf("%s: the explanation is %q", c.name, text)
		}
		if c.unmet == allMet && c.client.unmet(&Peer{Source: p.Source}) != certificateMissing {
			t.Errorf("%s: a peer without a certificate matches", c.name)
		}
	}
}

// Each condition on the certificate refuses a peer without one; the others do not
// require one.
//
// Rules: P105, P107
func TestConditionsWithoutACertificate(t *testing.T) {
	here := netip.MustParseAddr("192.0.2.7")
	for _, c := range []struct {
		name   string
		client Client
		unmet  condition
	}{
		{"none", Client{}, allMet},
		{"a network", Client{Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, allMet},
		{"another network", Client{Networks: []netip.Prefix{netip.MustParsePrefix("192.0.3.0/24")}}, networkUnmet},
		{"a CA", Client{CA: []*x509.Certificate{{}}}, certificateMissing},
		{"a fingerprint", Client{Fingerprints: [][32]byte{{1}}}, certificateMissing},
		{"a SAN dNSName", Client{SANDNS: []string{"x.example"}}, certificateMissing},
		{"a SAN iPAddress", Client{SANIP: []netip.Addr{here}}, certificateMissing},
		{"the source as SAN iPAddress", Client{SANIPSource: true}, certificateMissing},
		{"a URI", Client{SANURI: []string{"urn:x"}}, certificateMissing},
		{"a realm", Client{NAIRealms: []string{"x.example"}}, certificateMissing},
		{"a subject", Client{Subjects: []string{"CN=x"}}, certificateMissing},
		{"an attribute of the subject", Client{SubjectRDNs: []RDN{must(ParseRDN("UID=x"))}}, certificateMissing},
		{"an issuer", Client{Issuers: []string{"CN=x"}}, certificateMissing},
		{"a common name", Client{CommonNames: []string{"x"}}, certificateMissing},
		{"a policy", Client{PolicyOIDs: []x509.OID{must(x509.ParseOID("1.2.3"))}}, certificateMissing},
	} {
		if got := c.client.unmet(&Peer{Source: here}); got != c.unmet {
			t.Errorf("%s: expected condition %d to be unmet, got %d", c.name, c.unmet, got)
		}
	}
}

// NewPeer reads the names in the certificate, and hashes it.
//
// Rules: P105, TR8
func TestNewPeerReadsTheCertificate(t *testing.T) {
	ca := must(certs.NewCA("CA"))
	pair := must(ca.Client("ap1", func(t *x509.Certificate) {
		t.DNSNames = nil
		t.ExtraExtensions = []pkix.Extension{{Id: oidSubjectAltName, Value: san(otherName(oidNAIRealm, utf8String("example.org")), []byte{0x86, 5, 'u', 'r', 'n', ':', 'x'})}}
	}))
	clients := Clients{{Name: "all", Fingerprints: [][32]byte{sha256.Sum256(pair.Certificate.Raw)}, NAIRealms: []string{"example.org"}, SANURI: []string{"urn:x"}}}
	v := must(NewVerifier(&Config{ClientCA: []*x509.Certificate{ca.Certificate}, Clients: clients}, nil))
	shown := []*x509.Certificate{pair.Certificate, ca.Certificate}
	p := NewPeer(netip.MustParseAddr("192.0.2.7"), shown)
	if i, _, r := v.Assess(p, shown, time.Now()); i != 0 || r != nil {
		t.Errorf("expected the client that the certificate identifies, got %d and %v", i, r)
	}
	if p.Leaf != pair.Certificate || p.Source != netip.MustParseAddr("192.0.2.7") {
		t.Errorf("expected the first certificate and the source, got %v from %v", p.Leaf.Subject, p.Source)
	}
	if bare := NewPeer(p.Source, nil); bare.Leaf != nil {
		t.Error("a peer without certificates has one")
	}
}

// Conditions that no peer could meet, or that would be misunderstood, are refused.
func TestInvalidClients(t *testing.T) {
	for _, c := range []struct {
		client Client
		want   string // "": it is valid
	}{
		{Client{Name: "x", SANDNS: []string{"*.campus.example", "ap1.example"}, CommonNames: []string{"*"}, Networks: []netip.Prefix{netip.MustParsePrefix("2001:db8::/32")}}, ""},
		{Client{}, "a client has no name"},
		{Client{Name: "x", SANDNS: []string{"good.example", ""}}, `client x: SAN dNSName "": expected a DNS name`},
		{Client{Name: "x", SANDNS: []string{"*."}}, `client x: SAN dNSName "*."`},
		{Client{Name: "x", SANDNS: []string{"*"}}, `client x: SAN dNSName "*"`},
		{Client{Name: "x", SANDNS: []string{"ap*.example"}}, `client x: SAN dNSName "ap*.example"`},
		{Client{Name: "x", SANDNS: []string{"*.*.example"}}, `client x: SAN dNSName "*.*.example"`},
		{Client{Name: "x", CommonNames: []string{"a", ""}}, "client x: an empty common name matches nothing"},
		{Client{Name: "x", Networks: []netip.Prefix{{}}}, "client x: network invalid Prefix: expected a prefix such as 192.0.2.0/24"},
		{Client{Name: "x", Networks: []netip.Prefix{netip.MustParsePrefix("::ffff:192.0.2.0/120")}}, "client x: network ::ffff:192.0.2.0/120: expected a prefix"},
	} {
		err := c.client.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%+v: expected the error %q, got %v", c.client, c.want, err)
		}
		if _, err := NewVerifier(&Config{Auth: NoCertificate, Clients: Clients{{Name: "good"}, &c.client}}, nil); (err == nil) != (c.want == "") {
			t.Errorf("%+v: a Verifier is made with the error %v", c.client, err)
		}
	}
}

// The first client's own CA follows those of the client CA in the list of anchors, and
// still counts for that client alone.
//
// Rules: TR1
func TestTheFirstClientsCAIsItsOwn(t *testing.T) {
	var none *authority
	common, own := none.issue("common", nil, true), none.issue("own", nil, true)
	v := must(NewVerifier(&Config{ClientCA: certsOf(common), Clients: Clients{
		{Name: "first", CA: certsOf(own), CommonNames: []string{"x"}},
		{Name: "rest"},
	}}, nil))
	for _, c := range []struct {
		leaf *authority
		want string
	}{
		{own.issue("x", nil, false), "first"},
		{own.issue("y", nil, false), ""},
		{common.issue("x", nil, false), "rest"},
	} {
		if name, _ := clientOf(v, c.leaf); name != c.want {
			t.Errorf("%s, issued by %s, is client %q, expected %q", c.leaf.cert.Subject, c.leaf.cert.Issuer, name, c.want)
		}
	}
}

// A fingerprint identifies one certificate, with its issuer and serial number: another
// one with the same key and the same names does not match (RFC 6614bis §3.4).
//
// Rules: P107
func TestFingerprintIdentifiesOneCertificate(t *testing.T) {
	var none *authority
	root := none.issue("root", nil, true)
	one := root.issue("x", nil, false)
	again := root.issue("x", one.key, false)
	listed := NewPeer(netip.Addr{}, certsOf(one)).fingerprint
	v := must(NewVerifier(&Config{ClientCA: certsOf(root), Clients: Clients{{Name: "listed", Fingerprints: [][32]byte{listed}}, {Name: "other"}}}, nil))
	for want, sent := range map[string]*authority{"listed": one, "other": again} {
		if got, r := clientOf(v, sent); got != want {
			t.Errorf("the certificate with serial number %v is client %q, expected %q (%v)", sent.cert.SerialNumber, got, want, r)
		}
	}
}

// A host name in the common name is not a SAN dNSName, whether there are others or not
// (RFC 6614bis §3.3.1).
//
// Rules: P105
func TestCommonNameIsNotADNSName(t *testing.T) {
	var none *authority
	root := none.issue("root", nil, true)
	v := must(NewVerifier(&Config{ClientCA: certsOf(root), Clients: Clients{{Name: "c", SANDNS: []string{"ap1.campus.example"}}}}, nil))
	for _, c := range []struct {
		names []string
		want  string
	}{{nil, ""}, {[]string{"ap2.campus.example"}, ""}, {[]string{"ap1.campus.example"}, "c"}} {
		sent := root.issueWith("ap1.campus.example", nil, false, func(x *x509.Certificate) { x.DNSNames = c.names })
		if got, r := clientOf(v, sent); got != c.want {
			t.Errorf("a certificate for the common name ap1.campus.example and the dNSNames %q is client %q, expected %q (%v)", c.names, got, c.want, r)
		}
	}
}

// A client with a CA of its own must have a path that contains a certificate of it,
// compared byte by byte; that CA does not count for other clients. So a sub-CA with the
// name of another CA, or another CA of the same name, is not accepted for it.
//
// Rules: TR1, P105
func TestClientsOwnCA(t *testing.T) {
	var none *authority
	common := none.issue("common", nil, true)
	a, b := none.issue("CA A", nil, true), none.issue("CA B", nil, true)
	twin := none.issue("CA A", nil, true)         // another CA of the same name
	subA := a.issue("sub A", nil, true)           // an intermediate of A
	falseA := b.issue("CA A", nil, true)          // an intermediate of B with A's name
	rekeyed := none.issue("CA A", a.key, true)    // A's key in another certificate
	bridge := common.issue("CA A", a.key, true)   // A, cross-certified by the common CA
	department := common.issue("dept", nil, true) // an intermediate of the common CA, a client's CA itself
	alone := none.issue("alone", nil, false)      // self-signed
	clients := Clients{
		{Name: "a", CA: certsOf(a)},
		{Name: "b", CA: certsOf(twin, b)},
		{Name: "alone", CA: certsOf(alone)},
		{Name: "dept", CA: certsOf(department)},
		{Name: "rest"},
	}
	v := must(NewVerifier(&Config{ClientCA: certsOf(common), Clients: clients}, nil))
	for _, c := range []struct {
		name string
		sent []*authority
		want string // "": none
	}{
		{"of A", []*authority{a.issue("x", nil, false)}, "a"},
		{"of A's intermediate", []*authority{subA.issue("x", nil, false), subA}, "a"},
		{"of the other CA of A's name", []*authority{twin.issue("x", nil, false)}, "b"},
		{"of B", []*authority{b.issue("x", nil, false)}, "b"},
		{"of B's intermediate with A's name", []*authority{falseA.issue("x", nil, false), falseA}, "b"},
		{"of B's intermediate with A's name, with A sent along", []*authority{falseA.issue("x", nil, false), falseA, a}, "b"},
		{"of A's key, with another certificate of it", []*authority{a.issue("x", nil, false), rekeyed}, "a"},
		{"of A, which the common CA cross-certified", []*authority{a.issue("x", nil, false), bridge}, "a"},
		{"of the common CA", []*authority{common.issue("x", nil, false)}, "rest"},
		{"of an intermediate that is a client's CA", []*authority{department.issue("x", nil, false), department}, "dept"},
		{"of an intermediate that is a client's CA and was not sent", []*authority{department.issue("x", nil, false)}, "dept"},
		{"self-signed", []*authority{alone}, "alone"},
	} {
		if got, r := clientOf(v, c.sent...); got != c.want {
			t.Errorf("a certificate %s is client %q, want %q (%v)", c.name, got, c.want, r)
		}
	}

}

// A certificate of the CA of one client is refused if that client does not match,
// although the CA is trusted for it.
//
// Rules: TR1, P105
func TestCAOfAnotherClient(t *testing.T) {
	var none *authority
	common, a, alone := none.issue("common", nil, true), none.issue("CA A", nil, true), none.issue("alone", nil, false)
	for _, c := range []struct {
		ca, sent *authority
	}{{a, a.issue("x", nil, false)}, {alone, alone}} {
		v := must(NewVerifier(&Config{ClientCA: certsOf(common), Clients: Clients{
			{Name: "b", CA: certsOf(none.issue("CA B", nil, true))},
			{Name: "rest"},
			{Name: "more", CA: certsOf(c.ca), SANDNS: []string{"nobody.example"}},
		}}, nil))
		got, r := clientOf(v, c.sent)
		if got != "" || r.Reason != ClientUnknown {
			t.Errorf("a certificate of %v is client %q, want none as unknown (%v)", c.ca.cert.Subject, got, r)
		}
		if r != nil && !strings.Contains(r.Text, "rest: the certificate was issued by the ca of another client, not by client_ca") {
			t.Errorf("the refusal reads %q", r.Text)
		}
	}
}

// An intermediate of client_ca that is also a client's CA is still part of a path to
// client_ca.
//
// Rules: TR1
func TestIntermediateThatIsAClientsCA(t *testing.T) {
	var none *authority
	common := none.issue("common", nil, true)
	department := common.issue("dept", nil, true)
	v := must(NewVerifier(&Config{ClientCA: certsOf(common), Clients: Clients{{Name: "dept", CA: certsOf(department), SANDNS: []string{"nobody.example"}}, {Name: "rest"}}}, nil))
	if got, r := clientOf(v, department.issue("x", nil, false), department); got != "rest" {
		t.Errorf("a certificate of a department of the common CA is client %q, want rest (%v)", got, r)
	}
}

// A certificate is valid until the last of the client's own paths expires.
//
// Rules: TR1, P109
func TestValidUntilTheClientsPathExpires(t *testing.T) {
	var none *authority
	soon := time.Now().Add(10 * time.Minute).Truncate(time.Second)
	old := none.issueWith("CA", nil, true, func(c *x509.Certificate) { c.NotAfter = soon })
	renewed := none.issue("CA", old.key, true) // valid longer
	leaf := old.issue("x", nil, false)
	for _, c := range []struct {
		ca   *authority
		want time.Time
	}{{old, soon}, {renewed, leaf.cert.NotAfter}} {
		v := must(NewVerifier(&Config{ClientCA: certsOf(old, renewed), Clients: Clients{{Name: "c", CA: certsOf(c.ca)}}}, nil))
		_, until, r := v.Assess(NewPeer(netip.Addr{}, certsOf(leaf)), certsOf(leaf), time.Now())
		if r != nil || !until.Equal(c.want) {
			t.Errorf("the certificate is valid until %v (%v), want %v", until, r, c.want)
		}
	}
}
