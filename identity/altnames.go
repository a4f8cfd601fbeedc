package identity

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"strings"
	"unicode/utf8"
)

var (
	oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidNAIRealm       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 8} // RFC 7585 §2.2
)

// Tags of GeneralNames (RFC 5280 §4.2.1.6).
const (
	tagOther = 0 // otherName
	tagURI   = 6 // uniformResourceIdentifier
)

// namesIn returns the GeneralNames with a tag in a certificate's subjectAltName.
func namesIn(leaf *x509.Certificate, tag int) (found []asn1.RawValue) {
	for _, e := range leaf.Extensions {
		if !e.Id.Equal(oidSubjectAltName) {
			continue
		}
		var names []asn1.RawValue
		if _, err := asn1.Unmarshal(e.Value, &names); err != nil {
			return nil // x509 would not have parsed it either
		}
		for _, n := range names {
			if n.Class == asn1.ClassContextSpecific && n.Tag == tag {
				found = append(found, n)
			}
		}
	}
	return found
}

// urisIn returns a certificate's SAN uniformResourceIdentifiers unchanged. x509 has them
// as net/url.URL, which prints "urn:x" for "URN:x" and escapes again, so they could not
// be compared byte by byte.
func urisIn(leaf *x509.Certificate) (uris []string) {
	for _, n := range namesIn(leaf, tagURI) {
		uris = append(uris, string(n.Bytes))
	}
	return uris
}

// realmsIn returns a certificate's NAIRealms (RFC 7585 §2.2). Malformed ones are
// ignored.
func realmsIn(leaf *x509.Certificate) (realms []string) {
	for _, n := range namesIn(leaf, tagOther) {
		if realm, ok := realmOf(n); ok {
			realms = append(realms, realm)
		}
	}
	return realms
}

// realmOf returns the NAIRealm in an otherName: a SEQUENCE of the OID and, with the
// explicit tag 0, a UTF8String.
func realmOf(n asn1.RawValue) (realm string, ok bool) {
	var oid asn1.ObjectIdentifier
	rest, err := asn1.Unmarshal(n.Bytes, &oid)
	if !n.IsCompound || err != nil || !oid.Equal(oidNAIRealm) {
		return "", false
	}
	var tagged, value asn1.RawValue
	rest, err = asn1.Unmarshal(rest, &tagged)
	if err != nil || len(rest) > 0 || tagged.Class != asn1.ClassContextSpecific || tagged.Tag != 0 || !tagged.IsCompound {
		return "", false
	}
	rest, err = asn1.Unmarshal(tagged.Bytes, &value)
	if err != nil || len(rest) > 0 || value.Class != asn1.ClassUniversal || value.Tag != asn1.TagUTF8String || value.IsCompound {
		return "", false
	}
	return string(value.Bytes), len(value.Bytes) > 0 && utf8.Valid(value.Bytes) && bytes.IndexByte(value.Bytes, 0) < 0
}

// matchRealm compares a NAIRealm with a configured realm, ignoring the case of ASCII
// letters (RFC 7542 §2.5). In the certificate "*" may be one whole label, the
// leftmost (RFC 7585 §2.2).
func matchRealm(wanted, realm string) bool {
	wanted, realm = lowerASCII(wanted), lowerASCII(realm)
	parent, wild := strings.CutPrefix(realm, "*.")
	if strings.Contains(parent, "*") || wanted == "" {
		return false
	}
	if !wild {
		return wanted == realm
	}
	label, rest, found := strings.Cut(wanted, ".")
	// A realm of one label belongs to a registry, as in a dNSName.
	return found && label != "" && rest == parent && strings.Contains(parent, ".")
}

// anyRealm reports whether one of the NAIRealms matches one of the wanted realms.
func anyRealm(wanted, realms []string) bool {
	return slices.ContainsFunc(wanted, func(w string) bool {
		return slices.ContainsFunc(realms, func(realm string) bool { return matchRealm(w, realm) })
	})
}

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
