package identity

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net/netip"
	"testing"

	"radsec-gw/certs"
)

// sanOf makes a subjectAltName of the URIs, as they are given.
func sanOf(uris ...string) pkix.Extension {
	names := []asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: 2, Bytes: []byte("ap1.campus.example")}}
	for _, u := range uris {
		names = append(names, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tagURI, Bytes: []byte(u)})
	}
	return pkix.Extension{Id: oidSubjectAltName, Value: must(asn1.Marshal(names))}
}

// A URI is compared octet by octet with what stands in the certificate, however
// Go would print it.
//
// Rules: P105
func TestURIsAreComparedByOctets(t *testing.T) {
	ca := must(certs.NewCA("CA"))
	for _, c := range []struct {
		in, wanted string
		match      bool
	}{
		{"URN:Example:ap1", "URN:Example:ap1", true},
		{"URN:Example:ap1", "urn:Example:ap1", false},
		{"urn:Example:ap1", "URN:Example:ap1", false},
		{"https://ap1.example/a%2fb", "https://ap1.example/a%2fb", true},
		{"https://ap1.example/a%2fb", "https://ap1.example/a%2Fb", false},
		{"https://ap1.example/a?#", "https://ap1.example/a?#", true},
		{"https://AP1.example", "https://ap1.example", false},
	} {
		pair := must(ca.Client("ap1", func(t *x509.Certificate) {
			t.DNSNames = nil
			t.ExtraExtensions = []pkix.Extension{sanOf("urn:x", c.in)}
		}))
		p := NewPeer(netip.MustParseAddr("192.0.2.7"), []*x509.Certificate{pair.Certificate})
		p.paths = ofClientCA
		client := &Client{Name: "x", SANURI: []string{c.wanted}}
		if got := client.unmet(p) == allMet; got != c.match {
			t.Errorf("a certificate with %q should match %q: %v, but it is %v", c.in, c.wanted, c.match, got)
		}
	}
}

// Whatever stands in the extension, the URIs are parts of it.
func FuzzURIsIn(f *testing.F) {
	uri := func(s string) []byte { return append([]byte{0x86, byte(len(s))}, s...) }
	for _, names := range [][]byte{nil, uri("URN:Example:ap1"), append(uri("http://exa mple/"), 0x82, 1, 'a'), {0x86, 0xff}, {0x86, 0x80}} {
		f.Add(append([]byte{0x30, byte(len(names))}, names...))
	}
	f.Add([]byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, value []byte) {
		leaf := &x509.Certificate{Extensions: []pkix.Extension{{Id: oidSubjectAltName, Value: value}}}
		for _, u := range urisIn(leaf) {
			if !bytes.Contains(value, []byte(u)) {
				t.Fatalf("the URI %q is not in %x", u, value)
			}
		}
	})
}
