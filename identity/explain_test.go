package identity

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
)

// The explanation has a bounded length, however many clients are configured and however
// long their lists are.
func TestExplanationIsBounded(t *testing.T) {
	var cs []*Client
	for i := range 1000 {
		c := &Client{Name: fmt.Sprint("client", i)}
		for j := range 20 {
			c.SANDNS = append(c.SANDNS, fmt.Sprintf("%s%d.example", strings.Repeat("x", 300), j))
		}
		cs = append(cs, c)
	}
	text := Clients(cs).explain(&Peer{Leaf: &x509.Certificate{}, paths: ofClientCA})
	if len(text) > 8<<10 {
		t.Errorf("the explanation has %d bytes, want at most 8192", len(text))
	}
	if !strings.HasPrefix(text, "client0: no SAN dNSName matches xxx") || !strings.HasSuffix(text, "; and 992 more clients") {
		t.Errorf("the explanation reads %.80q … %q", text, text[len(text)-40:])
	}
}

// A fingerprint in a log line can be copied into the configuration.
func TestFingerprintHasTheFormOfTheConfiguration(t *testing.T) {
	p := newPKI(t)
	if got, want := Fingerprint(p.client.Certificate), certs.FormatFingerprint(sha256.Sum256(p.client.Certificate.Raw)); got != want {
		t.Errorf("expected %s, as the certs command prints it, got %s", want, got)
	}
}

// Very long names of a peer are not formatted.
func TestLongNamesAreNotFormatted(t *testing.T) {
	f := newForger()
	c := must(x509.ParseCertificate(f.certificate(pkix.Name{OrganizationalUnit: many(500)}, pkix.Name{CommonName: "x"}, nil)))
	if got := subjectOf(c); !strings.HasPrefix(got, "(a name of ") || len(got) > 100 {
		t.Errorf("a subject of %d bytes is written as %q", len(c.RawSubject), got)
	}
	if got := subjectOf(must(certs.NewCA("short")).Certificate); !strings.Contains(got, "CN=short") {
		t.Errorf("a short subject is written as %q", got)
	}
	if got := plain(errors.New(strings.Repeat("x", 5000))); len(got) > 1100 {
		t.Errorf("an error of 5000 bytes is written as %d", len(got))
	}
}

// Texts are cut exactly at their bounds, and lists say how many items are omitted.
func TestTextsAreCutAtTheirBounds(t *testing.T) {
	n := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct{ what, got, want string }{
		{"a text of 200 bytes", Clip(n(200), longestText), n(200)},
		{"a text of 201", Clip(n(201), longestText), n(200) + "…"},
		{"an error of 1000 bytes", plain(errors.New(n(1000))), n(1000)},
		{"an error of 1001", plain(errors.New(n(1001))), n(1000) + "…"},
		{"an error of crypto/x509", plain(errors.New("x509: a, x509: b")), "a, b"},
		{"no item", Few([]int{}), ""},
		{"three items", Few([]int{1, 2, 3}), "1, 2, 3"},
		{"four items", Few([]int{1, 2, 3, 4}), "1, 2, 3, 1 more"},
		{"long items", Few([]string{n(201), "y"}), n(200) + "…, y"},
		{"a name of 2048 bytes", nameOf(make([]byte, 2048), func() string { return "text" }), "text"},
		{"a name of 2049", nameOf(make([]byte, 2049), func() string { return "text" }), "(a name of 2049 bytes)"},
	} {
		if c.got != c.want {
			t.Errorf("%s: expected %q, got %q", c.what, c.want, c.got)
		}
	}
}

// For each condition the text says what the peer should have presented.
//
// Rules: P105, P107
func TestExplanationNamesTheConditionThatFails(t *testing.T) {
	source := netip.MustParseAddr("192.0.2.7")
	cas := func(n int) (list []*x509.Certificate) {
		var none *authority
		for i := range n {
			list = append(list, none.issue(fmt.Sprint("CA", i), nil, true).cert)
		}
		return list
	}
	ip := []netip.Addr{netip.MustParseAddr("192.0.2.8")}
	for _, c := range []struct {
		client Client
		want   string
	}{
		{Client{Networks: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}}, "source 192.0.2.7 is not in 198.51.100.0/24"},
		{Client{CA: cas(1)}, "the certificate was not issued below its ca, CN=CA0"},
		{Client{CA: cas(3)}, "the certificate was not issued below its ca, CN=CA0, CN=CA1, CN=CA2"},
		{Client{CA: cas(7)}, "the certificate was not issued below its ca, CN=CA0, CN=CA1, CN=CA2, 4 more"},
		{Client{Fingerprints: [][32]byte{{1}, {2}}}, "fingerprint is not among its 2"},
		{Client{SANDNS: []string{"ap1.example"}}, "no SAN dNSName matches ap1.example"},
		{Client{SANIP: ip}, "no SAN iPAddress is 192.0.2.8"},
		{Client{SANIPSource: true}, "no SAN iPAddress is the source"},
		{Client{SANIPSource: true, SANIP: ip}, "no SAN iPAddress is the source or 192.0.2.8"},
		{Client{SANURI: []string{"urn:x"}}, "no SAN URI is urn:x"},
		{Client{NAIRealms: []string{"example.org"}}, "no SAN NAIRealm matches example.org"},
		{Client{SubjectRDNs: []RDN{must(ParseRDN("UID=x"))}}, "the subject does not have UID=x"},
		{Client{Subjects: []string{"CN=x"}}, "the subject is not CN=x"},
		{Client{Issuers: []string{"CN=x"}}, "the issuer is not CN=x"},
		{Client{CommonNames: []string{"x"}}, "the common name does not match x"},
		{Client{PolicyOIDs: []x509.OID{must(x509.ParseOID("1.2.3"))}}, "no certificate policy is 1.2.3"},
	} {
		c.client.Name = strings.Repeat("n", 201)
		want := strings.Repeat("n", 200) + "…: " + c.want
		if got := (Clients{&c.client}).explain(&Peer{Source: source, Leaf: &x509.Certificate{}, paths: ofClientCA}); got != want {
			t.Errorf("expected %q, got %q", want, got)
		}
	}
	if got := (Clients{{Name: "x"}}).explain(&Peer{Source: source, Leaf: &x509.Certificate{}}); got != "x: the certificate was issued by the ca of another client, not by client_ca" {
		t.Errorf("a certificate of another client's CA is explained with %q", got)
	}
	if got := (Clients{{Name: "x", SANURI: []string{"urn:x"}}}).explain(&Peer{Source: source}); got != "x: no certificate" {
		t.Errorf("a peer without certificate is explained with %q", got)
	}
	if got := (&Verifier{}).Unlisted(source); got != "this listener accepts no client: see clients of the listener, and transports of each [[client]]" {
		t.Errorf("without clients a source is refused with %q", got)
	}
	if (Clients{}).Lists(source) || (Clients{{Networks: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}}}).Lists(source) || !(Clients{{Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}}).Lists(source) || !(Clients{{}}).Lists(source) {
		t.Error("a source is listed if a client has it in its networks, or has no networks")
	}
	for n, want := range map[int]string{8: "", 9: "; and 1 more clients", 10: "; and 2 more clients"} {
		var all Clients
		for range n {
			all = append(all, &Client{Name: "x", SANURI: []string{"urn:x"}})
		}
		if got := all.explain(&Peer{Source: source}); got != "x: no certificate"+strings.Repeat("; x: no certificate", 7)+want {
			t.Errorf("%d clients: got %q", n, got)
		}
	}
}

// The text of a refusal names the first client that would match and is not let in here, and why.
// Rules: P108, TR5
func TestClientThatIsNotLetInHere(t *testing.T) {
	near, far := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("198.51.100.7")
	v := &Verifier{auth: NoCertificate, clients: Clients{{Name: "here", Networks: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}}, others: []Other{
		{&Client{Name: "named", Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, SANDNS: []string{"x"}}, "it has another name"},
		{&Client{Name: "there", Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, "it may not use DTLS"},
	}}
	for source, want := range map[netip.Addr]string{
		near: "no client matches: here: source 192.0.2.7 is not in 203.0.113.0/24; client there matches, but it may not use DTLS",
		far:  "no client matches: here: source 198.51.100.7 is not in 203.0.113.0/24",
	} {
		if _, _, r := v.Assess(NewPeer(source, nil), nil, time.Now()); r == nil || r.Text != want {
			t.Errorf("%v: the refusal is %v, expected %q", source, r, want)
		}
	}
	for source, want := range map[netip.Addr]string{
		near: "no client lists this source address: here: source 192.0.2.7 is not in 203.0.113.0/24; client named may connect from there, but it has another name",
		far:  "no client lists this source address: here: source 198.51.100.7 is not in 203.0.113.0/24",
	} {
		if got := v.Unlisted(source); got != want {
			t.Errorf("%v: the refusal is %q, expected %q", source, got, want)
		}
	}
}

// Describe returns a certificate's names and its fingerprint.
func TestDescribe(t *testing.T) {
	if got := fmt.Sprint(Describe(nil)...); got != fmt.Sprint("certificate", "none") {
		t.Errorf("no certificate is described as %q", got)
	}
	ca := must(certs.NewCA("CA"))
	plain := must(ca.Client("ap1")).Certificate
	if got, want := fmt.Sprintf("%q", Describe(plain)), fmt.Sprintf("%q", []any{"subject", "CN=ap1,O=radsec-gw development", "issuer", "CN=CA,O=radsec-gw development", "san_dns", "ap1", "fingerprint", Fingerprint(plain)}); got != want {
		t.Errorf("expected %s, got %s", want, got)
	}
	full := must(ca.Client("ap1", func(t *x509.Certificate) {
		t.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 7)}
		t.ExtraExtensions = []pkix.Extension{{Id: oidSubjectAltName, Value: san([]byte{0x87, 4, 192, 0, 2, 7}, []byte{0x86, 5, 'u', 'r', 'n', ':', 'x'}, otherName(oidNAIRealm, utf8String("example.org")))}}
	})).Certificate
	if got, want := fmt.Sprintf("%q", Describe(full)[6:]), fmt.Sprintf("%q", []any{"san_ip", "192.0.2.7", "san_uri", "urn:x", "san_nairealm", "example.org", "fingerprint", Fingerprint(full)}); got != want {
		t.Errorf("expected %s, got %s", want, got)
	}
}
