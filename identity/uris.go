package identity

import (
	"crypto/x509"
	"encoding/asn1"
)

var oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}

// tagURI is uniformResourceIdentifier among the GeneralNames (RFC 5280 §4.2.1.6).
const tagURI = 6

// urisIn returns a certificate's SAN uniformResourceIdentifiers as they stand
// there. x509 has them as net/url.URL, which prints "urn:x" for "URN:x" and
// escapes anew: nobody could compare octets with that.
func urisIn(leaf *x509.Certificate) (uris []string) {
	for _, e := range leaf.Extensions {
		if !e.Id.Equal(oidSubjectAltName) {
			continue
		}
		var names []asn1.RawValue
		if _, err := asn1.Unmarshal(e.Value, &names); err != nil {
			return nil // x509 would not have parsed it either
		}
		for _, n := range names {
			if n.Class == asn1.ClassContextSpecific && n.Tag == tagURI {
				uris = append(uris, string(n.Bytes))
			}
		}
	}
	return uris
}
