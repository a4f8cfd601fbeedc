package identity

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"radsec-gw/certs"
)

// This file looks at the gateway's own chain as clients do. The chain is what goes
// to them in the handshake, the leaf first, each certificate followed by the one
// that signed it, the trust anchor left out or not (RFC 5246 §7.4.2, RFC 8446
// §4.4.2).

// Severity is how many clients an oddity of the gateway's own chain keeps out.
type Severity uint8

// The severities, the least first.
const (
	Notable Severity = iota // no client is kept out; it may surprise later
	Harmful                 // some kinds of client refuse it, or will within days
	Fatal                   // every client that verifies certificates refuses it
)

// Finding is something odd about the gateway's own chain.
type Finding struct {
	Severity Severity
	Text     string // which certificate, what is wrong, what clients do, what to do; the same as long as that is so
}

// expiresSoon is how long before its end a certificate is told of: time enough to
// get another.
const expiresSoon = 30 * 24 * time.Hour

// OwnChain lists what is odd at a time about the gateway's own chain, the leaf
// first. known holds certificates that are at hand beside it, such as those of the
// client CA: one that signed the last of the chain says whether an intermediate is
// missing.
func OwnChain(chain, known []*x509.Certificate, now time.Time) []Finding {
	if len(chain) == 0 {
		return nil
	}
	o := &own{now: now}
	o.leaf(chain[0])
	path := o.order(chain)
	o.top(path[len(path)-1], known)
	for i, c := range path {
		o.validity(c, i == 0)
		o.key(c, i == 0)
		o.signature(c)
		o.damaged(c, slices.Concat(chain, known))
		if i > 0 {
			o.issuer(c, i)
		}
	}
	o.verify(path)
	slices.SortStableFunc(o.found, func(a, b Finding) int { return int(b.Severity) - int(a.Severity) })
	return o.found
}

// EarliestEnd returns when the first certificate of a chain ends: some clients
// refuse it from then on, whichever it is. The zero time is that of no certificate.
func EarliestEnd(chain []*x509.Certificate) (end time.Time) {
	for i, c := range chain {
		if i == 0 || c.NotAfter.Before(end) {
			end = c.NotAfter
		}
	}
	return end
}

// own collects findings.
type own struct {
	now   time.Time
	found []Finding
}

func (o *own) add(s Severity, format string, args ...any) {
	o.found = append(o.found, Finding{s, fmt.Sprintf(format, args...)})
}

// leaf looks at what holds for the gateway's own certificate alone.
func (o *own) leaf(c *x509.Certificate) {
	who := subjectOf(c)
	if !forServers(c) {
		o.add(Fatal, "the certificate of %s is not for servers (extendedKeyUsage lacks serverAuth): clients refuse it; request one with serverAuth", who)
	}
	if len(c.DNSNames)+len(c.IPAddresses) == 0 {
		o.add(Harmful, "the certificate of %s has no host names or addresses (subjectAltName): clients that check the name refuse it, whatever its common name (RFC 6614bis §3.3.1); request one with subjectAltName", who)
	}
	if c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		o.add(Harmful, "the certificate of %s does not allow its key to sign (keyUsage lacks digitalSignature): most clients refuse it; request one with digitalSignature", who)
	}
	for _, id := range c.UnhandledCriticalExtensions {
		o.add(Harmful, "the certificate of %s has the critical extension %s, which clients that do not know it must refuse (RFC 5280 §4.2)", who, id)
	}
}

// forServers reports whether a certificate may be a TLS server's (RFC 5280 §4.2.1.12).
func forServers(c *x509.Certificate) bool {
	return len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 ||
		slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// order follows the chain from the leaf upwards, and tells of what is not where
// it should be. It returns the path that it found.
func (o *own) order(chain []*x509.Certificate) (path []*x509.Certificate) {
	path = chain[:1:1]
	used := map[int]bool{0: true}
	misplaced := false
	for at := 0; ; {
		next := slices.IndexFunc(chain, func(c *x509.Certificate) bool { return signedBy(chain[at], c) })
		if at+1 < len(chain) && signedBy(chain[at], chain[at+1]) {
			next = at + 1 // of several, such as one that was renewed with its key, the one in its place
		}
		if next < 0 || used[next] { // the top; a self-signed one is its own issuer
			break
		}
		misplaced = misplaced || next != at+1
		used[next] = true
		path = append(path, chain[next])
		at = next
	}
	for i, c := range chain {
		if used[i] {
			continue
		}
		if slices.ContainsFunc(chain[:i], func(before *x509.Certificate) bool { return before.Equal(c) }) {
			o.add(Notable, "the certificate of %s is in the chain twice: leave one out", subjectOf(c))
			continue
		}
		o.add(Harmful, "certificate %d of the chain, of %s, signed none of those before it: strict clients refuse the chain; remove it, or put the certificate of %s there", i+1, subjectOf(c), issuerOf(path[len(path)-1]))
	}
	if misplaced {
		o.add(Harmful, "the chain is out of order: each certificate must be followed by the one that signed it (RFC 5246 §7.4.2); strict clients refuse it")
	}
	return path
}

// damaged looks whether a certificate names one of those at hand, by name and key
// identifier, as the one that signed it, and none of them did. The signature of one that
// signed itself nobody verifies.
func (o *own) damaged(c *x509.Certificate, atHand []*x509.Certificate) {
	named := func(issuer *x509.Certificate) bool {
		return bytes.Equal(c.RawIssuer, issuer.RawSubject) && len(c.AuthorityKeyId) > 0 && bytes.Equal(c.AuthorityKeyId, issuer.SubjectKeyId)
	}
	i := slices.IndexFunc(atHand, named)
	if i < 0 || selfIssued(c) || weakSignature(c.SignatureAlgorithm) {
		return
	}
	if slices.ContainsFunc(atHand, func(issuer *x509.Certificate) bool {
		return named(issuer) && certs.VerifySignature(c, issuer) != certs.SignatureForged
	}) {
		return
	}
	o.add(Fatal, "the certificate of %s names the key of %s as the one that signed it, and its signature does not fit: one of the two is damaged; if it is the first, clients refuse it: get it anew", subjectOf(c), subjectOf(atHand[i]))
}

// signedBy reports whether issuer signed c.
func signedBy(c, issuer *x509.Certificate) bool {
	if !bytes.Equal(c.RawIssuer, issuer.RawSubject) {
		return false
	}
	if len(c.AuthorityKeyId) > 0 && len(issuer.SubjectKeyId) > 0 && !bytes.Equal(c.AuthorityKeyId, issuer.SubjectKeyId) {
		return false
	}
	return weakSignature(c.SignatureAlgorithm) || // which Go does not verify, and which is a finding of its own
		certs.VerifySignature(c, issuer) == certs.SignatureValid
}

// top looks at the last certificate of the path: who signed it must be what clients
// trust.
func (o *own) top(c *x509.Certificate, known []*x509.Certificate) {
	if bytes.Equal(c.RawIssuer, c.RawSubject) {
		return
	}
	for _, k := range known {
		if !signedBy(c, k) {
			continue
		}
		if !bytes.Equal(k.RawIssuer, k.RawSubject) {
			o.add(Harmful, "the intermediate %s, which signed the certificate of %s, is not sent: clients that do not have it refuse the chain; append it to the file", subjectOf(k), subjectOf(c))
		}
		return
	}
	if len(c.IssuingCertificateURL) > 0 { // as public CAs give it, which sign with intermediates only
		o.add(Harmful, "%s, which signed the certificate of %s, is not sent, and the certificate says where to fetch it (authorityInfoAccess): it is most likely an intermediate, and clients that do not fetch it refuse the chain; append it to the file", issuerOf(c), subjectOf(c))
		return
	}
	o.add(Notable, "%s, which signed the certificate of %s, is neither sent nor known here: if it is an intermediate and not what clients trust, append it to the file", issuerOf(c), subjectOf(c))
}

// validity looks at the time. An end of the leaf keeps all clients out; one further
// up only those that know no newer one.
func (o *own) validity(c *x509.Certificate, leaf bool) {
	severity, clients := Harmful, "clients that have no newer one refuse the chain"
	if leaf {
		severity, clients = Fatal, "clients refuse it"
	}
	switch {
	case o.now.After(c.NotAfter):
		o.add(severity, "the certificate of %s expired on %s: %s", subjectOf(c), c.NotAfter.UTC().Format(time.DateTime), clients)
	case o.now.Before(c.NotBefore):
		o.add(severity, "the certificate of %s is not valid before %s, which by this clock is yet to come: %s; is the clock right?",
			subjectOf(c), c.NotBefore.UTC().Format(time.DateTime), clients)
	case o.now.Add(expiresSoon).After(c.NotAfter):
		o.add(Harmful, "the certificate of %s expires on %s", subjectOf(c), c.NotAfter.UTC().Format(time.DateTime))
	}
}

// key looks at the public key.
func (o *own) key(c *x509.Certificate, leaf bool) {
	who := subjectOf(c)
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		switch n := k.N.BitLen(); {
		case n < 2048:
			o.add(Harmful, "the RSA key of %s has %d bits: OpenSSL and others refuse less than 2048", who, n)
		case n > 8192:
			o.add(Harmful, "the RSA key of %s has %d bits: clients written in Go, and many devices, refuse more than 8192", who, n)
		}
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
		default:
			o.add(Harmful, "the key of %s is on the curve %s, which TLS 1.3 does not have and many clients refuse: take P-256 or P-384", who, k.Curve.Params().Name)
		}
	case ed25519.PublicKey:
		if leaf {
			o.add(Notable, "the key of %s is Ed25519: Windows and many devices cannot verify it; ECDSA with P-256 suits all", who)
		}
	default:
		o.add(Harmful, "the key of %s is of the type %v, which clients in the field do not know: take ECDSA with P-256 or RSA with 2048 bits", who, c.PublicKeyAlgorithm)
	}
}

// weakSignature reports whether no TLS client of today takes a signature algorithm
// (RFC 9155, RFC 8446 §4.2.3).
func weakSignature(a x509.SignatureAlgorithm) bool {
	switch a {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1, x509.DSAWithSHA256:
		return true
	}
	return false
}

// signature looks at how a certificate was signed. What a self-signed one bears
// nobody looks at.
func (o *own) signature(c *x509.Certificate) {
	switch {
	case bytes.Equal(c.RawIssuer, c.RawSubject):
	case weakSignature(c.SignatureAlgorithm):
		o.add(Harmful, "the certificate of %s is signed with %v: clients of TLS 1.3, and OpenSSL by default, refuse it; have it signed with SHA-256", subjectOf(c), c.SignatureAlgorithm)
	case c.SignatureAlgorithm == x509.UnknownSignatureAlgorithm:
		o.add(Harmful, "the certificate of %s is signed with an algorithm that is in no common use: clients refuse what they do not know", subjectOf(c))
	}
}

// issuer looks at what holds for a certificate that signed others; below is how many
// certificates stand between it and the end.
func (o *own) issuer(c *x509.Certificate, below int) {
	who := subjectOf(c)
	switch {
	case !c.BasicConstraintsValid || !c.IsCA:
		o.add(Harmful, "%s signed a certificate of the chain and is not a CA (basicConstraints): clients refuse the chain", who)
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0:
		o.add(Harmful, "%s signed a certificate of the chain and must not (keyUsage lacks keyCertSign): clients refuse the chain", who)
	case (c.MaxPathLen > 0 || c.MaxPathLenZero) && below-1 > c.MaxPathLen:
		o.add(Harmful, "%s allows %d intermediates below it (pathLenConstraint), and the chain has %d: clients refuse it", who, c.MaxPathLen, below-1)
	case !forServers(c):
		o.add(Harmful, "%s may not sign certificates for servers (extendedKeyUsage): many clients refuse the chain", who)
	}
}

// verify has Go verify the path, for what was not looked for above, such as names
// that an intermediate may not sign for.
func (o *own) verify(path []*x509.Certificate) {
	if slices.ContainsFunc(o.found, func(f Finding) bool { return f.Severity >= Harmful }) {
		return // it would say the same again
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(path[len(path)-1])
	for _, c := range path[1:] {
		between.AddCert(c)
	}
	if _, err := path[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: o.now}); err != nil {
		o.add(Harmful, "the chain does not verify as clients do it: %s", clip(err.Error()))
	}
}

// Refused says why every client that verifies certificates refuses the gateway's own
// at a time, whatever its signature is; "" when none has to.
func Refused(leaf *x509.Certificate, now time.Time) string {
	o := &own{now: now}
	o.leaf(leaf)
	o.validity(leaf, true)
	return o.fatal()
}

// Altered reports whether one certificate is another of which octets have changed: it has
// the serial number and the key of the other, and its issuer or the issuer's key
// identifier. No CA gives out two such (RFC 5280 §4.1.2.2).
func Altered(one, other *x509.Certificate) bool {
	return !one.Equal(other) && one.SerialNumber.Cmp(other.SerialNumber) == 0 &&
		bytes.Equal(one.RawSubjectPublicKeyInfo, other.RawSubjectPublicKeyInfo) &&
		(bytes.Equal(one.RawIssuer, other.RawIssuer) || len(one.AuthorityKeyId) > 0 && bytes.Equal(one.AuthorityKeyId, other.AuthorityKeyId))
}

// Damage says which certificate of the gateway's own chain has a signature that does not
// fit the key that it names; "" when none has. known is as for OwnChain. It takes as long
// as verifying some signatures.
func Damage(chain, known []*x509.Certificate) string {
	o := &own{}
	for _, c := range o.order(chain) {
		o.damaged(c, slices.Concat(chain, known))
	}
	return o.fatal()
}

// fatal returns the first finding that is.
func (o *own) fatal() string {
	for _, f := range o.found {
		if f.Severity == Fatal {
			return f.Text
		}
	}
	return ""
}
