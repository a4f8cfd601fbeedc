package identity

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// revocations are the issuers' lists, by the DER form of the issuer's name.
type revocations map[string]*revoked

// revoked is what one issuer has taken back, from all of its lists.
type revoked struct {
	name       string // for people
	this, next time.Time
	serials    map[string]struct{} // the numbers' octets
}

// ParseCRLs reads certificate revocation lists (RFC 5280 §5), one in DER or any
// number in PEM blocks of type "X509 CRL". Lists of changes only (delta) and
// lists that name certificates of other issuers (indirect) are refused: what
// they say would be misread.
func ParseCRLs(octets []byte) ([]*x509.RevocationList, error) {
	var ders [][]byte
	if bytes.Contains(octets, []byte("-----BEGIN ")) {
		for rest := octets; ; {
			var b *pem.Block
			if b, rest = pem.Decode(rest); b == nil {
				break
			}
			if b.Type != "X509 CRL" {
				return nil, fmt.Errorf("expected PEM blocks of type \"X509 CRL\", came %q", clip(b.Type))
			}
			ders = append(ders, b.Bytes)
		}
		if len(ders) == 0 {
			return nil, errors.New("expected a PEM block of type \"X509 CRL\", came none that is whole")
		}
	} else {
		ders = [][]byte{octets}
	}
	var lists []*x509.RevocationList
	for i, der := range ders {
		l, err := x509.ParseRevocationList(der)
		if err == nil {
			err = readable(l)
		}
		if err != nil {
			return nil, fmt.Errorf("revocation list %d: %w", i+1, err)
		}
		lists = append(lists, l)
	}
	return lists, nil
}

var (
	oidDelta    = asn1.ObjectIdentifier{2, 5, 29, 27} // RFC 5280 §5.2.4
	oidScope    = asn1.ObjectIdentifier{2, 5, 29, 28} // issuingDistributionPoint, §5.2.5
	oidIndirect = asn1.ObjectIdentifier{2, 5, 29, 29} // certificateIssuer, §5.3.3
)

// readable refuses what revocations does not take into account (RFC 5280 §5.2:
// an unknown critical extension makes a list unusable).
func readable(l *x509.RevocationList) error {
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

// CheckCRL reports whether one of the CA certificates has signed the list and
// may (RFC 5280 §6.3.3 (f), (g)).
func CheckCRL(l *x509.RevocationList, cas []*x509.Certificate) error {
	err := errors.New("no certificate of the client CA has that name")
	for _, ca := range cas {
		if bytes.Equal(ca.RawSubject, l.RawIssuer) {
			if err = l.CheckSignatureFrom(ca); err == nil {
				return nil
			}
		}
	}
	return fmt.Errorf("the revocation list of %s is not signed by the client CA: %w", clip(l.Issuer.String()), err)
}

// newRevocations indexes lists after checking who signed them.
func newRevocations(lists []*x509.RevocationList, cas []*x509.Certificate) (revocations, error) {
	if len(lists) == 0 {
		return nil, nil
	}
	all := revocations{}
	for _, l := range lists {
		if err := CheckCRL(l, cas); err != nil {
			return nil, err
		}
		r := all[string(l.RawIssuer)]
		if r == nil {
			r = &revoked{name: l.Issuer.String(), serials: map[string]struct{}{}}
			all[string(l.RawIssuer)] = r
		}
		if !l.ThisUpdate.Before(r.this) {
			r.this, r.next = l.ThisUpdate, l.NextUpdate
		}
		for _, e := range l.RevokedCertificateEntries {
			r.serials[string(e.SerialNumber.Bytes())] = struct{}{}
		}
	}
	return all, nil
}

// certificatesIn returns the certificates in a PEM file.
func certificatesIn(text []byte) (cas []*x509.Certificate) {
	for {
		var b *pem.Block
		if b, text = pem.Decode(text); b == nil {
			return cas
		}
		if c, err := x509.ParseCertificate(b.Bytes); err == nil && b.Type == "CERTIFICATE" && len(b.Headers) == 0 {
			cas = append(cas, c)
		}
	}
}

// ListAge is the age of an issuer's newest revocation list.
type ListAge struct {
	Issuer     string
	ThisUpdate time.Time
	NextUpdate time.Time // zero: not given
}

// ListAges returns the age of each issuer's newest list.
func (v *Verifier) ListAges() (ages []ListAge) {
	for _, l := range v.lists {
		ages = append(ages, ListAge{l.name, l.this, l.next})
	}
	return ages
}

// StaleLists returns the names of the issuers whose lists are out of date.
func (v *Verifier) StaleLists(now time.Time) (names []string) {
	for _, l := range v.lists {
		if !l.next.IsZero() && now.After(l.next) {
			names = append(names, l.name)
		}
	}
	return names
}
