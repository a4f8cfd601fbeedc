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
	// Refused says that certificates of the issuer are refused for it. A list that
	// only counts on, or is of an intermediate that no CA vouches for, refuses nobody.
	Refused bool
}

// String returns the issuer's name.
func (l StaleList) String() string { return l.Issuer }

// StaleLists returns the lists that are out of date, by the names of their issuers.
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
// out of date.
func (v *Verifier) refuses(issuer issuerKey, now time.Time) bool {
	l := v.lists[issuer]
	return v.refuseStale && v.auth != NoCertificate && l != nil && l.stale(now) &&
		slices.ContainsFunc(v.trust.all(), func(c *x509.Certificate) bool { return keyOf(c) == issuer })
}

// RefusesAll reports whether lists that are out of date leave no client that could be
// accepted.
//
// The shortest path to an anchor is a certificate that the anchor itself has issued.
// Every other path through it is measured by the same lists and by more.
func (v *Verifier) RefusesAll(now time.Time) bool {
	if !slices.ContainsFunc(v.StaleLists(now), func(l StaleList) bool { return l.Refused }) {
		return false
	}
	return !slices.ContainsFunc(v.clients, func(c *Client) bool {
		if v.auth == OptionalCertificate && !c.byCertificate() {
			return true // a peer without a certificate may be this client
		}
		anchors := c.CA
		if len(anchors) == 0 {
			anchors = v.trust.anchors[:v.trust.nClient]
		}
		return slices.ContainsFunc(anchors, func(a *x509.Certificate) bool { return v.admits(a, now) })
	})
}

// admits reports whether a certificate that an anchor has issued could be accepted now.
func (v *Verifier) admits(anchor *x509.Certificate, now time.Time) bool {
	if now.Before(anchor.NotBefore) || now.After(anchor.NotAfter) || v.refuses(keyOf(anchor), now) {
		return false
	}
	above := v.trust.issuerOf(anchor)
	return above == nil || !v.refuses(keyOf(above), now)
}
