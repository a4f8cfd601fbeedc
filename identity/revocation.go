package identity

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"time"

	"radsec-gw/certs"
)

// revocations maps issuers to their revocation lists.
type revocations map[issuerKey]*revoked

// revoked is the union of all lists of one issuer.
type revoked struct {
	name    string              // of the issuer, for texts
	newest  map[string]ListAge  // by scope
	serials map[string]struct{} // see serialOf
}

// SignerOf returns the issuer whose key signed the list, and that is allowed to (RFC
// 5280 §6.3.3 (f), (g)). If there is none, the error says what to do.
func SignerOf(l *x509.RevocationList, issuers []*x509.Certificate) (*x509.Certificate, error) {
	var err error
	for _, issuer := range issuers {
		if !bytes.Equal(issuer.RawSubject, l.RawIssuer) {
			continue
		}
		if err = l.CheckSignatureFrom(issuer); err == nil {
			return issuer, nil
		}
	}
	name := Clip(l.Issuer.String(), longestText)
	if err == nil {
		return nil, fmt.Errorf("the revocation list of %s: expected a certificate of that name in client_ca, in a client's ca or in intermediates, got none: if it is an intermediate, put its certificate into [listen].intermediates", name)
	}
	return nil, fmt.Errorf("the revocation list of %s was signed by another key than that of the configured certificate of this name (%s): put the certificate whose key signed it into [listen].intermediates", name, plain(err))
}

// newRevocations merges the lists of each issuer.
func newRevocations(lists []*x509.RevocationList, issuers []*x509.Certificate) (revocations, error) {
	if len(lists) == 0 {
		return nil, nil
	}
	all := revocations{}
	names := map[string]int{}
	for _, l := range lists {
		issuer, err := SignerOf(l, issuers)
		if err != nil {
			return nil, err
		}
		r := all[keyOf(issuer)]
		if r == nil {
			r = &revoked{name: l.Issuer.String(), newest: map[string]ListAge{}, serials: map[string]struct{}{}}
			all[keyOf(issuer)] = r
			names[r.name]++
		}
		// A newer list of another scope does not replace one.
		scope := certs.Scope(l)
		if newest, ok := r.newest[scope]; !ok || !l.ThisUpdate.Before(newest.ThisUpdate) {
			r.newest[scope] = ListAge{ThisUpdate: l.ThisUpdate, NextUpdate: l.NextUpdate}
		}
		for _, e := range l.RevokedCertificateEntries {
			r.serials[serialOf(e.SerialNumber)] = struct{}{}
		}
	}
	for key, r := range all {
		if names[r.name] > 1 { // two issuers with the same name
			r.name = fmt.Sprintf("%s (key %X)", r.name, key[:4])
		}
	}
	return all, nil
}

// age returns the age of the issuer's newest list; of several scopes, that of the one
// that is out of date first.
func (r *revoked) age() ListAge {
	var oldest ListAge
	for _, a := range r.newest {
		if oldest.ThisUpdate.IsZero() || !a.NextUpdate.IsZero() && (oldest.NextUpdate.IsZero() || a.NextUpdate.Before(oldest.NextUpdate)) {
			oldest = a
		}
	}
	oldest.Issuer = r.name
	return oldest
}

// stale reports whether the issuer's newest list is out of date. A list without
// nextUpdate never is.
func (r *revoked) stale(now time.Time) bool {
	next := r.age().NextUpdate
	return !next.IsZero() && now.After(next)
}

// ListAge is the age of an issuer's newest revocation list.
type ListAge struct {
	Issuer     string
	ThisUpdate time.Time // zero: the list is awaited
	NextUpdate time.Time // zero: none
	Refused    bool      // certificates of the issuer are refused because the list is out of date, or awaited
}

// ListAges returns the age of each issuer's newest list, in random order, then the issuers
// whose list is awaited.
func (v *Verifier) ListAges(now time.Time) (ages []ListAge) {
	for key, l := range v.lists {
		a := l.age()
		a.Refused = v.refuses(key, now)
		ages = append(ages, a)
	}
	for _, name := range v.AwaitedIssuers() {
		ages = append(ages, ListAge{Issuer: name, Refused: true})
	}
	return ages
}
