package certs

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
)

// ParseCRLs parses certificate revocation lists (RFC 5280 §5): one in DER, or any
// number in PEM blocks of the kind "X509 CRL". data is the content of file. Delta and
// indirect lists are refused, because their entries would be misread.
func ParseCRLs(file string, data []byte) ([]*x509.RevocationList, error) {
	if isDER(data) {
		if wrongLength(data) != "" {
			return nil, errorIn(file, 0, "expected a revocation list, got %s", describeDER(data))
		}
		l, err := parseCRL(file, 0, data)
		if kind := kindOfError(data, err); kind != derUnknown && kind != derCRL {
			return nil, errorIn(file, 0, "expected a revocation list, got %s", describeDER(data))
		}
		if err != nil {
			return nil, err
		}
		return []*x509.RevocationList{l}, nil
	}
	blocks, err := readPEM(file, kindCRL, data)
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

// parseCRL parses one list in DER: the block on the line or, with 0, the file.
func parseCRL(file string, line int, der []byte) (*x509.RevocationList, error) {
	l, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, errorIn(file, line, "the revocation list is damaged: %v", err)
	}
	if err := checkComplete(l); err != nil {
		return nil, errorIn(file, line, "the revocation list of %s cannot be used: %v", l.Issuer, err)
	}
	return l, nil
}

var (
	oidDelta    = asn1.ObjectIdentifier{2, 5, 29, 27} // RFC 5280 §5.2.4
	oidScope    = asn1.ObjectIdentifier{2, 5, 29, 28} // issuingDistributionPoint, §5.2.5
	oidIndirect = asn1.ObjectIdentifier{2, 5, 29, 29} // certificateIssuer, §5.3.3
)

// checkComplete refuses a list that does not simply list the revoked certificates of its
// issuer (RFC 5280 §5.2: a list with an unknown critical extension must not be used).
func checkComplete(l *x509.RevocationList) error {
	for _, e := range l.Extensions {
		switch {
		case e.Id.Equal(oidDelta):
			return errors.New("it is a delta list: use the complete one")
		case e.Critical && !e.Id.Equal(oidScope):
			return fmt.Errorf("it has the critical extension %v, which is not supported", e.Id)
		}
	}
	for _, r := range l.RevokedCertificateEntries {
		for _, e := range r.Extensions {
			if e.Id.Equal(oidIndirect) {
				return errors.New("it is an indirect list, which names certificates of other issuers: use the list of each issuer")
			}
			if e.Critical {
				return fmt.Errorf("an entry has the critical extension %v, which is not supported", e.Id)
			}
		}
	}
	return nil
}

// Scope returns which part of its issuer's certificates a list covers, as the octets of the
// extension issuingDistributionPoint (RFC 5280 §5.2.5); "" for a list without it, which
// covers all.
func Scope(l *x509.RevocationList) string {
	for _, e := range l.Extensions {
		if e.Id.Equal(oidScope) {
			return string(e.Value)
		}
	}
	return ""
}

// Older reports whether a was issued before b (RFC 5280 §5.2.3: numbers increase).
func Older(a, b *x509.RevocationList) bool {
	if a.Number != nil && b.Number != nil && a.Number.Cmp(b.Number) != 0 {
		return a.Number.Cmp(b.Number) < 0
	}
	return a.ThisUpdate.Before(b.ThisUpdate)
}
