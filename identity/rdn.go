package identity

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// RDN is one attribute of a certificate's subject.
type RDN struct {
	Type  asn1.ObjectIdentifier
	Value string // compared byte by byte
}

// rdnTypes are the attribute types that have a name: those of RFC 4514 §3, and others
// that are used in certificates.
var rdnTypes = []struct {
	name string
	oid  asn1.ObjectIdentifier
}{
	{"CN", asn1.ObjectIdentifier{2, 5, 4, 3}},
	{"SN", asn1.ObjectIdentifier{2, 5, 4, 4}},
	{"serialNumber", asn1.ObjectIdentifier{2, 5, 4, 5}},
	{"C", asn1.ObjectIdentifier{2, 5, 4, 6}},
	{"L", asn1.ObjectIdentifier{2, 5, 4, 7}},
	{"ST", asn1.ObjectIdentifier{2, 5, 4, 8}},
	{"STREET", asn1.ObjectIdentifier{2, 5, 4, 9}},
	{"O", asn1.ObjectIdentifier{2, 5, 4, 10}},
	{"OU", asn1.ObjectIdentifier{2, 5, 4, 11}},
	{"title", asn1.ObjectIdentifier{2, 5, 4, 12}},
	{"GN", asn1.ObjectIdentifier{2, 5, 4, 42}},
	{"organizationIdentifier", asn1.ObjectIdentifier{2, 5, 4, 97}},
	{"UID", asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}},
	{"DC", asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 25}},
	{"emailAddress", asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}},
}

// ParseRDN parses an attribute such as "UID=EXAMPLE.ORG" or
// "0.9.2342.19200300.100.1.1=EXAMPLE.ORG". The value is all that follows the "=": there
// is no escaping.
func ParseRDN(s string) (RDN, error) {
	name, value, found := strings.Cut(s, "=")
	if !found || value == "" {
		return RDN{}, fmt.Errorf(`expected one attribute of the subject such as "UID=EXAMPLE.ORG", got %q`, s)
	}
	for _, t := range rdnTypes {
		if strings.EqualFold(name, t.name) {
			return RDN{t.oid, value}, nil
		}
	}
	oid, ok := parseOID(name)
	if !ok {
		var names []string
		for _, t := range rdnTypes {
			names = append(names, t.name)
		}
		return RDN{}, fmt.Errorf(`expected an attribute type of %s, or an object identifier such as 0.9.2342.19200300.100.1.1, got %q`, strings.Join(names, ", "), name)
	}
	return RDN{oid, value}, nil
}

func parseOID(s string) (oid asn1.ObjectIdentifier, ok bool) {
	if _, err := x509.ParseOID(s); err != nil {
		return nil, false
	}
	for part := range strings.SplitSeq(s, ".") {
		n, err := strconv.ParseInt(part, 10, 32) // what crypto/x509 reads in a name
		if err != nil {
			return nil, false
		}
		oid = append(oid, int(n))
	}
	return oid, true
}

func (r RDN) String() string {
	for _, t := range rdnTypes {
		if t.oid.Equal(r.Type) {
			return t.name + "=" + r.Value
		}
	}
	return r.Type.String() + "=" + r.Value
}

// in reports whether the certificate's subject has the attribute, alone or with others
// in one relative distinguished name. It compares attributes, not the text of the name,
// in which "CN=x,UID=a" may be one attribute.
func (r RDN) in(leaf *x509.Certificate) bool {
	for _, a := range leaf.Subject.Names {
		if value, ok := a.Value.(string); ok && value == r.Value && a.Type.Equal(r.Type) {
			return true
		}
	}
	return false
}

// anyRDN reports whether the certificate's subject has one of the attributes.
func anyRDN(leaf *x509.Certificate, wanted []RDN) bool {
	return slices.ContainsFunc(wanted, func(r RDN) bool { return r.in(leaf) })
}
