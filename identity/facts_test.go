package identity

import (
	"bytes"
	"crypto/x509"
	"net"
	"net/netip"
	"net/url"
	"testing"

	"radsec-gw/certs"
)

// The facts of a certificate are its names, of several of a kind the first; a certificate
// without a name, and no certificate, lack the fact.
//
// Rules: ID1
func TestFactsOf(t *testing.T) {
	p := newPKI(t)
	uri := must(url.Parse("urn:example:ap1"))
	pair := must(p.ca.Client("ap1", func(c *x509.Certificate) {
		c.DNSNames = []string{"AP1.campus.example", "other.example"}
		c.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 7)}
		c.URIs, c.EmailAddresses = []*url.URL{uri}, []string{"ap1@campus.example"}
	}))
	got := FactsOf(pair.Certificate)
	want := Facts{
		Fingerprint: Fingerprint(pair.Certificate), Serial: pair.Certificate.SerialNumber.Text(16),
		Issuer: "CN=test CA", Subject: "CN=ap1", CommonName: "ap1", SANDNS: "AP1.campus.example", SANURI: "urn:example:ap1",
		SANIP: netip.MustParseAddr("192.0.2.7"), SANEmail: "ap1@campus.example",
	}
	got.issuer = nil
	got.Issuer, want.Issuer = pair.Certificate.Issuer.String(), pair.Certificate.Issuer.String()
	if got.Fingerprint != want.Fingerprint || got.Serial != want.Serial || got.CommonName != want.CommonName || got.SANDNS != want.SANDNS ||
		got.SANURI != want.SANURI || got.SANIP != want.SANIP || got.SANEmail != want.SANEmail || got.SANNAIRealm != "" {
		t.Errorf("the certificate has the facts\n %+v\nexpected\n %+v", got, want)
	}
	if none := FactsOf(nil); none.Fingerprint != "" || none.SANIP.IsValid() {
		t.Errorf("no certificate has the facts %+v, expected none", none)
	}
}

// The key of a source is that of the holder's first name, the same for its next
// certificate, ignoring case; or that of issuer and serial, different for each certificate,
// and for two CAs that have used the same serial.
//
// Rules: ID7
func TestSourceKeys(t *testing.T) {
	p, other := newPKI(t), newPKI(t)
	dns := func(name string) certs.Change {
		return func(c *x509.Certificate) { c.DNSNames = []string{name} }
	}
	one, next := must(p.ca.Client("ap1", dns("ap1.example"))), must(p.ca.Client("ap1", dns("AP1.example")))
	foreign := must(other.ca.Client("ap1", dns("ap2.example"), func(c *x509.Certificate) { c.SerialNumber = one.Certificate.SerialNumber }))
	bare := must(p.ca.Client("ap1", func(c *x509.Certificate) { c.DNSNames, c.IPAddresses, c.URIs, c.EmailAddresses = nil, nil, nil, nil }))
	a, b, c, d := FactsOf(one.Certificate), FactsOf(next.Certificate), FactsOf(foreign.Certificate), FactsOf(bare.Certificate)
	for _, row := range []struct {
		text string
		x, y []byte
		same bool
	}{
		{"the names of a certificate and the next of its holder", a.NameKey(), b.NameKey(), true},
		{"their serials", a.SerialKey(), b.SerialKey(), false},
		{"the names of two holders", a.NameKey(), c.NameKey(), false},
		{"one serial of two CAs", a.SerialKey(), c.SerialKey(), false},
		{"a certificate without a name by name and by serial", d.NameKey(), d.SerialKey(), true},
	} {
		if bytes.Equal(row.x, row.y) != row.same {
			t.Errorf("%s: %q and %q, expected them to be equal: %v", row.text, row.x, row.y, row.same)
		}
	}
}
