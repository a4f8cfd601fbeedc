package identity

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strings"
)

// Unparsed describes the first of the certificates that a peer sent, in DER form, that
// crypto/x509 cannot parse: its position, its subject if that can be read, and its
// fingerprint. It returns "" if all of them parse.
func Unparsed(sent [][]byte) string {
	for i, der := range sent {
		if _, err := x509.ParseCertificate(der); err == nil {
			continue
		}
		subject := "whose subject cannot be read"
		if text := subjectIn(der); text != "" {
			subject = "of " + text
		}
		return fmt.Sprintf("certificate %d of the %d that the peer sent, %s, with the fingerprint %s", i+1, len(sent), subject, fingerprintOf(der))
	}
	return ""
}

// Fields of a certificate (RFC 5280 §4.1).
const (
	explicitVersion = 0 // context-specific tag of the version, which is optional
	beforeSubject   = 4 // serialNumber, signature, issuer, validity
)

// subjectIn returns the subject of a certificate that may be damaged, shortened; "" if
// the subject, or what precedes it, is damaged. It does not check the values: a
// character that its type does not allow is a common reason why a certificate does not
// parse.
func subjectIn(der []byte) string {
	certificate, _, ok := element(der, asn1.TagSequence)
	tbs, _, ok2 := element(certificate, asn1.TagSequence)
	if !ok || !ok2 {
		return ""
	}
	var one asn1.RawValue
	if rest, err := asn1.Unmarshal(tbs, &one); err == nil && one.Class == asn1.ClassContextSpecific && one.Tag == explicitVersion {
		tbs = rest
	}
	var err error
	for range beforeSubject {
		if tbs, err = asn1.Unmarshal(tbs, &one); err != nil {
			return ""
		}
	}
	name, _, ok := element(tbs, asn1.TagSequence)
	if !ok || len(name) > longestName {
		return ""
	}
	return Clip(nameIn(name).String(), longestText)
}

// nameIn parses the content of a Name (RFC 5280 §4.1.2.4), up to the first damage.
func nameIn(b []byte) (name pkix.RDNSequence) {
	for {
		set, rest, ok := element(b, asn1.TagSet)
		if !ok {
			return name
		}
		var rdn pkix.RelativeDistinguishedNameSET
		for {
			pair, others, ok := element(set, asn1.TagSequence)
			if !ok {
				break
			}
			var oid asn1.ObjectIdentifier
			var value asn1.RawValue
			after, err := asn1.Unmarshal(pair, &oid)
			if err != nil {
				break
			}
			if _, err = asn1.Unmarshal(after, &value); err != nil {
				break
			}
			rdn = append(rdn, pkix.AttributeTypeAndValue{Type: oid, Value: strings.ToValidUTF8(string(value.Bytes), "\uFFFD")})
			set = others
		}
		if len(rdn) > 0 {
			name = append(name, rdn)
		}
		b = rest
	}
}

// element returns the content of the first DER element of b, which must have the
// universal tag, and the rest of b.
func element(b []byte, tag int) (content, rest []byte, ok bool) {
	var v asn1.RawValue
	rest, err := asn1.Unmarshal(b, &v)
	if err != nil || v.Class != asn1.ClassUniversal || v.Tag != tag {
		return nil, nil, false
	}
	return v.Bytes, rest, true
}
