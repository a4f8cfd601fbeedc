package identity

import (
	"cmp"
	"crypto/x509"
	"slices"
	"time"
)

// StaleList is an issuer's newest revocation list that is out of date.
type StaleList struct {
	Issuer     string
	NextUpdate time.Time
	// Refused reports whether certificates of the issuer are refused because of it. They
	// are not if crl_stale is "accept", or if no CA signed the issuer's certificate.
	Refused bool
}

// String returns the issuer's name.
func (l StaleList) String() string { return l.Issuer }

// StaleLists returns the lists that are out of date, sorted by issuer.
func (v *Verifier) StaleLists(now time.Time) (list []StaleList) {
	for key, l := range v.lists {
		if l.stale(now) {
			list = append(list, StaleList{l.name, l.age().NextUpdate, v.refuses(key, now)})
		}
	}
	slices.SortFunc(list, func(a, b StaleList) int { return cmp.Compare(a.Issuer, b.Issuer) })
	return list
}

// refuses reports whether certificates of an issuer are refused because its list is
// out of date, or awaited.
func (v *Verifier) refuses(issuer issuerKey, now time.Time) bool {
	l := v.lists[issuer]
	if l == nil {
		return v.awaitsIssuer(issuer)
	}
	return v.refuseStale && v.auth != NoCertificate && l.stale(now) &&
		slices.ContainsFunc(v.trust.all(), func(c *x509.Certificate) bool { return keyOf(c) == issuer })
}

// RefusesAll reports whether no client can be accepted because of lists that are out of
// date, or awaited.
//
// It considers certificates that an anchor issued itself. Any longer path to that
// anchor is checked against the same lists and more.
func (v *Verifier) RefusesAll(now time.Time) bool {
	if len(v.AwaitedIssuers()) == 0 && !slices.ContainsFunc(v.StaleLists(now), func(l StaleList) bool { return l.Refused }) {
		return false
	}
	return !slices.ContainsFunc(v.clients, func(c *Client) bool {
		if v.auth == OptionalCertificate && !c.byCertificate() {
			return true // this client needs no certificate
		}
		anchors := c.CA
		if len(anchors) == 0 {
			anchors = v.trust.anchors[:v.trust.numClientCA]
		}
		return slices.ContainsFunc(anchors, func(a *x509.Certificate) bool { return v.admits(a, now) })
	})
}

// admits reports whether a certificate issued by the anchor could be accepted now.
func (v *Verifier) admits(anchor *x509.Certificate, now time.Time) bool {
	if now.Before(anchor.NotBefore) || now.After(anchor.NotAfter) || v.refuses(keyOf(anchor), now) {
		return false
	}
	above := v.trust.issuerOf(anchor)
	return above == nil || !v.refuses(keyOf(above), now)
}
