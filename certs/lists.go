package certs

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
)

// ParseCRLs reads certificate revocation lists (RFC 5280 §5) out of what file
// holds: one in DER or any number in PEM blocks of the kind "X509 CRL". Lists of
// changes only (delta) and lists that name certificates of other issuers
// (indirect) are refused: what they say would be misread.
func ParseCRLs(file string, octets []byte) ([]*x509.RevocationList, error) {
	if isDER(octets) {
		if wrongLength(octets) != "" {
			return nil, faultIn(file, 0, "expected a revocation list, got %s", describeDER(octets))
		}
		l, err := parseCRL(file, 0, octets)
		if kind := kindOfError(octets, err); kind != derUnknown && kind != derCRL {
			return nil, faultIn(file, 0, "expected a revocation list, got %s", describeDER(octets))
		}
		if err != nil {
			return nil, err
		}
		return []*x509.RevocationList{l}, nil
	}
	blocks, err := readPEM(file, kindCRL, octets)
	if err != nil {
		return nil, err
	}
	var lists []*x509.RevocationList
	for _, b := range blocks {
		l, err := b.list(file)
		if err != nil {
			return nil, err
		}
		lists = append(lists, l)
	}
	return lists, nil
}

// parseCRL reads one list in DER, that of a block on the line or, with 0, a file.
func parseCRL(file string, line int, der []byte) (*x509.RevocationList, error) {
	l, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, faultIn(file, line, "the revocation list is damaged: %v", err)
	}
	if err := complete(l); err != nil {
		return nil, faultIn(file, line, "the revocation list of %s cannot be used: %v", l.Issuer, err)
	}
	return l, nil
}

var (
	oidDelta    = asn1.ObjectIdentifier{2, 5, 29, 27} // RFC 5280 §5.2.4
	oidScope    = asn1.ObjectIdentifier{2, 5, 29, 28} // issuingDistributionPoint, §5.2.5
	oidIndirect = asn1.ObjectIdentifier{2, 5, 29, 29} // certificateIssuer, §5.3.3
)

// complete refuses a list that says less, or other, than which certificates of its
// issuer are revoked (RFC 5280 §5.2: an unknown critical extension makes a list
// unusable).
func complete(l *x509.RevocationList) error {
	for _, e := range l.Extensions {
		switch {
		case e.Id.Equal(oidDelta):
			return errors.New("it is a delta list: give the complete one")
		case e.Critical && !e.Id.Equal(oidScope):
			return fmt.Errorf("it has the critical extension %v, which is unknown here", e.Id)
		}
	}
	for _, r := range l.RevokedCertificateEntries {
		for _, e := range r.Extensions {
			if e.Id.Equal(oidIndirect) {
				return errors.New("it is an indirect list, which names certificates of other issuers: give each issuer's own")
			}
			if e.Critical {
				return fmt.Errorf("an entry has the critical extension %v, which is unknown here", e.Id)
			}
		}
	}
	return nil
}
