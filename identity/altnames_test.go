package identity

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net/netip"
	"slices"
	"testing"
	"unicode/utf8"

	"radsec-gw/certs"
)

// sanOf returns a subjectAltName of a dNSName and the URIs.
func sanOf(uris ...string) pkix.Extension {
	names := []asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: 2, Bytes: []byte("ap1.campus.example")}}
	for _, u := range uris {
		names = append(names, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tagURI, Bytes: []byte(u)})
	}
	return pkix.Extension{Id: oidSubjectAltName, Value: must(asn1.Marshal(names))}
}

// A URI is compared byte by byte with the one in the certificate, not with Go's form of
// it.
//
// Rules: P105
func TestURIsAreComparedByBytes(t *testing.T) {
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

// The URIs are parts of the extension, whatever its content.
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

// otherName returns an otherName of an OID and a value in DER.
func otherName(oid asn1.ObjectIdentifier, value []byte) []byte {
	content := append(must(asn1.Marshal(oid)), must(asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: value}))...)
	return must(asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tagOther, IsCompound: true, Bytes: content}))
}

func utf8String(s string) []byte {
	return must(asn1.Marshal(asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte(s)}))
}

// san returns a subjectAltName of names in DER.
func san(names ...[]byte) []byte {
	return must(asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: bytes.Join(names, nil)}))
}

// RFC 7585 §2.2: a NAIRealm is an otherName with a UTF8String; in the certificate a
// wildcard is the whole leftmost label and stands for one.
//
// Rules: TR8
func TestNAIRealms(t *testing.T) {
	upn := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3}
	for _, c := range []struct {
		name string
		san  []byte
		want []string
	}{
		{"one", san(otherName(oidNAIRealm, utf8String("example.org"))), []string{"example.org"}},
		{"two among others", san(otherName(upn, utf8String("a@b.example")), otherName(oidNAIRealm, utf8String("a.example")), []byte{0x82, 1, 'x'}, otherName(oidNAIRealm, utf8String("*.b.example"))), []string{"a.example", "*.b.example"}},
		{"beyond ASCII", san(otherName(oidNAIRealm, utf8String("bücher.example"))), []string{"bücher.example"}},
		{"an IA5String", san(otherName(oidNAIRealm, []byte{0x16, 1, 'x'})), nil},
		{"an empty one", san(otherName(oidNAIRealm, utf8String(""))), nil},
		{"not UTF-8", san(otherName(oidNAIRealm, []byte{0x0c, 1, 0xff})), nil},
		{"a NUL inside", san(otherName(oidNAIRealm, utf8String("example.org\x00.evil"))), nil},
		{"a NUL at its beginning", san(otherName(oidNAIRealm, utf8String("\x00x"))), nil},
		{"a byte after it", san(otherName(oidNAIRealm, append(utf8String("x"), 5))), nil},
		{"with the numbers of RFC 7585", []byte("\x30\x11\xa0\x0f\x06\x08\x2b\x06\x01\x05\x05\x07\x08\x08\xa0\x03\x0c\x01x"), []string{"x"}},
		{"something after it", san(otherName(oidNAIRealm, append(utf8String("x"), 5, 0))), nil},
		{"no explicit tag", san(must(asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tagOther, IsCompound: true, Bytes: append(must(asn1.Marshal(oidNAIRealm)), utf8String("x")...)}))), nil},
		{"nothing", nil, nil},
	} {
		leaf := &x509.Certificate{Extensions: []pkix.Extension{{Id: oidSubjectAltName, Value: c.san}}}
		if got := realmsIn(leaf); !slices.Equal(got, c.want) {
			t.Errorf("%s: the realms are %q, want %q", c.name, got, c.want)
		}
	}
	for _, c := range []struct {
		wanted, realm string
		match         bool
	}{
		{"example.org", "example.org", true},
		{"Example.org", "EXAMPLE.ORG", true},
		{"example.org", "example.org.evil", false},
		{"a.example.org", "*.example.org", true},
		{"a.b.example.org", "*.example.org", false},
		{"example.org", "*.example.org", false},
		{".example.org", "*.example.org", false},
		{"example.org", "*.org", false},
		{"example.org", "*", false},
		{"a.example.org", "a*.example.org", false},
		{"a.example.org", "*.*.org", false},
		{"\u212Aelvin.example", "kelvin.example", false}, // KELVIN SIGN: only ASCII is folded
		{"", "", false},
	} {
		if got := matchRealm(c.wanted, c.realm); got != c.match {
			t.Errorf("the realm %q in a certificate matches %q: %v, want %v", c.realm, c.wanted, got, c.match)
		}
	}
}

// The classes of ASN.1.
const universal, context, application = asn1.ClassUniversal, asn1.ClassContextSpecific, asn1.ClassApplication

// derElement returns an element in DER.
func derElement(class, tag int, compound bool, content ...byte) []byte {
	return must(asn1.Marshal(asn1.RawValue{Class: class, Tag: tag, IsCompound: compound, Bytes: content}))
}

// Each part of an otherName must be as RFC 7585 §2.2 specifies.
//
// Rules: TR8
func TestOtherNamesThatAreNotRealms(t *testing.T) {
	oid := must(asn1.Marshal(oidNAIRealm))
	text := utf8String("x")
	for _, c := range []struct {
		name         string
		content      []byte
		compound, ok bool
	}{
		{"as it should be", slices.Concat(oid, derElement(context, 0, true, text...)), true, true},
		{"not compound", slices.Concat(oid, derElement(context, 0, true, text...)), false, false},
		{"empty", nil, true, false},
		{"the OID alone", oid, true, false},
		{"something after the value", slices.Concat(oid, derElement(context, 0, true, text...), text), true, false},
		{"a byte after the value", slices.Concat(oid, derElement(context, 0, true, text...), []byte{5}), true, false},
		{"another tag", slices.Concat(oid, derElement(context, 1, true, text...)), true, false},
		{"another class", slices.Concat(oid, derElement(application, 0, true, text...)), true, false},
		{"a tag that is not compound", slices.Concat(oid, derElement(context, 0, false, text...)), true, false},
		{"a tag around nothing", slices.Concat(oid, derElement(context, 0, true)), true, false},
		{"a string of another class", slices.Concat(oid, derElement(context, 0, true, derElement(context, asn1.TagUTF8String, false, 'x')...)), true, false},
		{"a compound string", slices.Concat(oid, derElement(context, 0, true, derElement(universal, asn1.TagUTF8String, true, text...)...)), true, false},
		{"a string of another type", slices.Concat(oid, derElement(context, 0, true, derElement(universal, asn1.TagIA5String, false, 'x')...)), true, false},
	} {
		realm, ok := realmOf(asn1.RawValue{Class: context, Tag: tagOther, IsCompound: c.compound, Bytes: c.content})
		if ok != c.ok || ok && realm != "x" {
			t.Errorf("%s: expected whether it is a realm to be %v, got %v and %q", c.name, c.ok, ok, realm)
		}
	}
}

// A URI in another extension, or of another class or tag, is not a SAN URI.
func TestURIsInOtherPlaces(t *testing.T) {
	uri := derElement(context, tagURI, false, []byte("urn:x")...)
	for _, c := range []struct {
		name string
		id   asn1.ObjectIdentifier
		san  []byte
		want int
	}{
		{"in subjectAltName", oidSubjectAltName, san(uri, uri), 2},
		{"in another extension", asn1.ObjectIdentifier{2, 5, 29, 18}, san(uri), 0},
		{"of another class", oidSubjectAltName, san(derElement(application, tagURI, false, []byte("urn:x")...)), 0},
		{"of another tag", oidSubjectAltName, san(derElement(context, 2, false, 'x')), 0},
	} {
		leaf := &x509.Certificate{Extensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Value: []byte{3, 1, 0}}, {Id: c.id, Value: c.san}}}
		if got := urisIn(leaf); len(got) != c.want {
			t.Errorf("a URI %s: expected %d, got %q", c.name, c.want, got)
		}
	}
}

// One of the realms in the certificate must be one of the configured ones.
func TestAnyRealm(t *testing.T) {
	for _, c := range []struct {
		wanted []string
		match  bool
	}{{nil, false}, {[]string{"y.example"}, false}, {[]string{"y.example", "b.example"}, true}, {[]string{"a.example"}, true}} {
		if got := anyRealm(c.wanted, []string{"a.example", "b.example"}); got != c.match {
			t.Errorf("one of %q matches the certificate: expected %v, got %v", c.wanted, c.match, got)
		}
	}
	if got := lowerASCII("@AZ[`az{Ä"); got != "@az[`az{Ä" {
		t.Errorf("the lower case is %q", got)
	}
}

// The realms are parts of the extension, whatever its content, and are text.
//
// Rules: TR8
func FuzzRealmsIn(f *testing.F) {
	f.Add(san(otherName(oidNAIRealm, utf8String("example.org"))))
	f.Add(san(otherName(oidNAIRealm, utf8String("*.example.org")), []byte{0x86, 1, 'x'}))
	f.Add(san(otherName(asn1.ObjectIdentifier{1, 2, 3}, []byte{5, 0})))
	f.Add(san([]byte{0xa0, 2, 6, 0}, []byte{0xa0, 0}, []byte{0x80, 1, 1}))
	f.Add([]byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, value []byte) {
		leaf := &x509.Certificate{Extensions: []pkix.Extension{{Id: oidSubjectAltName, Value: value}}}
		for _, realm := range realmsIn(leaf) {
			if realm == "" || !utf8.ValidString(realm) || !bytes.Contains(value, []byte(realm)) {
				t.Fatalf("the realm %q is not in %x", realm, value)
			}
		}
	})
}
