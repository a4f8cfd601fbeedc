package identity

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
)

// Fetched is what a Verifier knows of revocation lists that are fetched by URL. The zero
// value: none are.
//
// With RefuseStaleCRL a certificate is refused whose issuer has no list, if a list is awaited,
// which may be that of this issuer, or if the certificate itself says where the list is.
// Otherwise a revoked client could connect for as long as the list's server is down.
type Fetched struct {
	Awaited bool // a configured URL has not delivered a list yet
	// Points receives the URLs of the distribution points of certificates that have verified
	// (RFC 5280 §4.2.1.13). It is called in handshakes and must not wait. nil: they are not
	// used.
	Points func(urls []string)
}

// maxPointsEach bounds the distribution points of one certificate.
const maxPointsEach = 4

// pointsOf returns the distribution points of a certificate that are fetched by HTTP.
func pointsOf(c *x509.Certificate) (urls []string) {
	for _, u := range c.CRLDistributionPoints {
		if strings.HasPrefix(u, "http://") && len(urls) < maxPointsEach {
			urls = append(urls, u)
		}
	}
	return urls
}

// offer hands the distribution points of a verified certificate over.
func (v *Verifier) offer(id *certID) {
	if v.fetched.Points != nil && len(id.points) > 0 {
		v.fetched.Points(id.points)
	}
}

// awaits reports whether a certificate is refused because there is no list of its issuer yet.
func (v *Verifier) awaits(id *certID) bool {
	return v.refuseStale && v.lists[id.issuer] == nil && (v.fetched.Awaited || v.fetched.Points != nil && len(id.points) > 0)
}

// awaitedRefusal is the refusal of a certificate that awaits a list.
func (v *Verifier) awaitedRefusal(id *certID, leaf *x509.Certificate) *Refusal {
	name := "its issuer"
	if i := slices.IndexFunc(v.trust.all(), func(c *x509.Certificate) bool { return keyOf(c) == id.issuer }); i >= 0 {
		name = subjectOf(v.trust.all()[i])
	}
	return &Refusal{Reason: ListStale, Leaf: leaf,
		Text: fmt.Sprintf("the revocation list of %s has not been fetched yet, and crl_stale is \"refuse\": the log says why fetching fails, if it does", name)}
}

// AwaitedIssuers returns the names of the configured issuers whose certificates are all refused
// until a list has been fetched.
func (v *Verifier) AwaitedIssuers() (names []string) {
	for _, c := range v.trust.all() {
		if name := subjectOf(c); v.awaitsIssuer(keyOf(c)) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// awaitsIssuer reports whether all certificates of an issuer are refused until a list has been
// fetched.
func (v *Verifier) awaitsIssuer(issuer issuerKey) bool {
	return v.auth != NoCertificate && v.awaits(&certID{issuer: issuer}) &&
		slices.ContainsFunc(v.trust.all(), func(c *x509.Certificate) bool { return keyOf(c) == issuer && (c.IsCA || c.Version < 3) })
}
