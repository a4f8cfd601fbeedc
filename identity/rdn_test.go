package identity

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"strings"
	"testing"
)

// Attributes of the subject are compared one by one, also if there are several in one
// relative distinguished name, and never as a part of the name's text.
//
// Rules: TR8
func TestSubjectRDN(t *testing.T) {
	uid, cn, o := asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}, asn1.ObjectIdentifier{2, 5, 4, 3}, asn1.ObjectIdentifier{2, 5, 4, 10}
	one := func(oid asn1.ObjectIdentifier, value string) pkix.RelativeDistinguishedNameSET {
		return pkix.RelativeDistinguishedNameSET{{Type: oid, Value: value}}
	}
	var none *authority
	root := none.issue("root", nil, true)
	for _, c := range []struct {
		name    string
		subject pkix.RDNSequence
		wanted  string
		match   bool
	}{
		{"alone", pkix.RDNSequence{one(o, "Campus"), one(uid, "EXAMPLE.ORG"), one(cn, "ap1")}, "UID=EXAMPLE.ORG", true},
		{"by its number", pkix.RDNSequence{one(uid, "EXAMPLE.ORG")}, "0.9.2342.19200300.100.1.1=EXAMPLE.ORG", true},
		{"the type's name in lower case", pkix.RDNSequence{one(uid, "EXAMPLE.ORG")}, "uid=EXAMPLE.ORG", true},
		{"the value in lower case", pkix.RDNSequence{one(uid, "EXAMPLE.ORG")}, "UID=example.org", false},
		{"one of several in one RDN", pkix.RDNSequence{{{Type: uid, Value: "EXAMPLE.ORG"}, {Type: cn, Value: "ap1"}}}, "UID=EXAMPLE.ORG", true},
		{"text inside another attribute", pkix.RDNSequence{one(cn, "x,UID=EXAMPLE.ORG")}, "UID=EXAMPLE.ORG", false},
		{"text inside another attribute, as of one RDN", pkix.RDNSequence{one(cn, "x+UID=EXAMPLE.ORG")}, "UID=EXAMPLE.ORG", false},
		{"a longer value", pkix.RDNSequence{one(uid, "EXAMPLE.ORG.EVIL")}, "UID=EXAMPLE.ORG", false},
		{"the value of another type", pkix.RDNSequence{one(o, "EXAMPLE.ORG")}, "UID=EXAMPLE.ORG", false},
		{"a value with an equals sign and a comma", pkix.RDNSequence{one(o, "a=b, c+d")}, "O=a=b, c+d", true},
		{"no subject", nil, "UID=EXAMPLE.ORG", false},
	} {
		leaf := root.issueWith("", nil, false, func(x *x509.Certificate) { x.RawSubject = must(asn1.Marshal(c.subject)) }).cert
		client := &Client{Name: "x", SubjectRDNs: []RDN{must(ParseRDN(c.wanted))}}
		if got := client.unmet(&Peer{Leaf: leaf, paths: ofClientCA}) == allMet; got != c.match {
			t.Errorf("%s: the subject %v matches %q: %v, want %v", c.name, leaf.Subject, c.wanted, got, c.match)
		}
	}
	for text, want := range map[string]string{
		"":            "expected one attribute",
		"UID":         "expected one attribute",
		"UID=":        "expected one attribute",
		"=x":          "expected an attribute type of CN, ",
		"USER=x":      `or an object identifier such as 0.9.2342.19200300.100.1.1, got "USER"`,
		"1.2.x=x":     "expected an attribute type",
		"2.5.4.3,x=y": "expected an attribute type",
	} {
		if rdn, err := ParseRDN(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is read as %v, %v; want an error with %q", text, rdn, err, want)
		}
	}
	if got := must(ParseRDN("1.2.3=x")).String() + " " + must(ParseRDN("uid=x")).String(); got != "1.2.3=x UID=x" {
		t.Errorf("attributes are written as %q", got)
	}
}

// Every named type is parsed and formatted by name; an object identifier must be one that
// crypto/x509 supports in a name.
//
// Rules: TR8
func TestAttributeTypes(t *testing.T) {
	for _, one := range rdnTypes {
		r, err := ParseRDN(strings.ToUpper(one.name) + "=a=b")
		if err != nil || !r.Type.Equal(one.oid) || r.Value != "a=b" || r.String() != one.name+"=a=b" {
			t.Errorf("%s is read as %v with %v", one.name, r, err)
		}
	}
	for name, number := range map[string]string{ // RFC 4519 §2, RFC 4524 §2, RFC 2985 §5.2.1
		"CN": "2.5.4.3", "SN": "2.5.4.4", "serialNumber": "2.5.4.5", "C": "2.5.4.6", "L": "2.5.4.7", "ST": "2.5.4.8", "STREET": "2.5.4.9",
		"O": "2.5.4.10", "OU": "2.5.4.11", "title": "2.5.4.12", "GN": "2.5.4.42", "organizationIdentifier": "2.5.4.97",
		"UID": "0.9.2342.19200300.100.1.1", "DC": "0.9.2342.19200300.100.1.25", "emailAddress": "1.2.840.113549.1.9.1",
	} {
		if r := must(ParseRDN(name + "=x")); r.Type.String() != number {
			t.Errorf("%s is %v, expected %s", name, r.Type, number)
		}
	}
	for text, ok := range map[string]bool{"1.2.2147483647=x": true, "1.2.2147483648=x": false, "1.2.99999999999999999999=x": false, "1=x": false, "2.5.4.3=x": true, "3.1=x": false} {
		if r, err := ParseRDN(text); (err == nil) != ok || ok && r.Value != "x" {
			t.Errorf("%s is read as %v with %v", text, r, err)
		}
	}
	leaf := &x509.Certificate{Subject: pkix.Name{Names: []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: 7}, {Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "x"}, {Type: asn1.ObjectIdentifier{2, 5, 4, 10}, Value: "y"}}}}
	for text, want := range map[string]bool{"CN=x": true, "CN=y": false, "O=y": true, "O=x": false, "CN=7": false, "CN=": false} {
		name, value, _ := strings.Cut(text, "=")
		r := RDN{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: value}
		if name == "O" {
			r.Type = asn1.ObjectIdentifier{2, 5, 4, 10}
		}
		if got := r.in(leaf); got != want {
			t.Errorf("%s is in the subject: expected %v, got %v", text, want, got)
		}
	}
	if anyRDN(leaf, []RDN{must(ParseRDN("O=z")), must(ParseRDN("O=y"))}) != true || anyRDN(leaf, []RDN{must(ParseRDN("O=z"))}) {
		t.Error("one of several attributes is enough, and none is not")
	}
}
