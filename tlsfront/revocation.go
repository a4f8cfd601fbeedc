package tlsfront

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"radsec-gw/metrics"
)

// revocations are the issuers' lists, by the DER form of the issuer's name.
type revocations map[string]*revoked

// revoked is what one issuer has taken back, from all of its lists.
type revoked struct {
	name       string // for people
	this, next time.Time
	serials    map[string]struct{} // the numbers' octets
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

// ages returns what the metrics show.
func (r revocations) ages() (list []metrics.CRL) {
	for _, l := range r {
		list = append(list, metrics.CRL{Issuer: l.name, ThisUpdate: l.this, NextUpdate: l.next})
	}
	return list
}

// stale returns the names of the issuers whose lists are out of date.
func (r revocations) stale(now time.Time) (names []string) {
	for _, l := range r {
		if !l.next.IsZero() && now.After(l.next) {
			names = append(names, l.name)
		}
	}
	return names
}
