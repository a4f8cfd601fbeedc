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

// This file checks the gateway's own chain as clients check it. The chain is sent in the
// handshake: the leaf first, each certificate followed by the one that signed it, with
// or without the trust anchor (RFC 5246 §7.4.2, RFC 8446 §4.4.2).

// Severity says how many clients refuse the gateway's own chain because of a finding.
type Severity uint8

// The severities, the least first.
const (
	Notable Severity = iota // no client refuses it now; it may be a problem later
	Harmful                 // some clients refuse it, or will within days
	Fatal                   // every client that verifies certificates refuses it
)

// Finding is a problem of the gateway's own chain.
type Finding struct {
	Severity Severity
	Text     string // which certificate, what is wrong, what clients do, what to do; it does not change with time
}

// warnBefore is how long before its expiry a certificate is a finding: enough time to
// renew it.
const warnBefore = 30 * 24 * time.Hour

// OwnChain returns the findings about the gateway's own chain, the leaf first, at a
// given time. known are other certificates, such as those of the client CA: if one of
// them signed the last of the chain, it shows whether an intermediate is missing.
func OwnChain(chain, known []*x509.Certificate, now time.Time) []Finding {
	if len(chain) == 0 {
		return nil
	}
	o := &ownChain{now: now}
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
	slices.SortStableFunc(o.findings, func(a, b Finding) int { return int(b.Severity) - int(a.Severity) })
	return o.findings
}

// EarliestExpiry returns when the first certificate of a chain expires, whichever it is:
// some clients refuse the chain from then on. It returns the zero time if the chain is
// empty.
func EarliestExpiry(chain []*x509.Certificate) (earliest time.Time) {
	for i, c := range chain {
		if i == 0 || c.NotAfter.Before(earliest) {
			earliest = c.NotAfter
		}
	}
	return earliest
}

// ownChain collects the findings about a chain.
type ownChain struct {
	now      time.Time
	findings []Finding
}

func (o *ownChain) add(s Severity, format string, args ...any) {
	o.findings = append(o.findings, Finding{s, fmt.Sprintf(format, args...)})
}

// leaf checks what only concerns the leaf.
func (o *ownChain) leaf(c *x509.Certificate) {
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

// order follows the chain from the leaf upwards, and reports certificates that are
// misplaced. It returns the path that it found.
func (o *ownChain) order(chain []*x509.Certificate) (path []*x509.Certificate) {
	path = chain[:1:1]
	used := map[int]bool{0: true}
	misplaced := false
	for at := 0; ; {
		next := slices.IndexFunc(chain, func(c *x509.Certificate) bool { return signedBy(chain[at], c) })
		if at+1 < len(chain) && signedBy(chain[at], chain[at+1]) {
			next = at + 1 // of several, such as one renewed with its key, prefer the next
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
			o.add(Notable, "the certificate of %s is in the chain twice: remove one", subjectOf(c))
			continue
		}
		o.add(Harmful, "certificate %d of the chain, of %s, signed none of those before it: strict clients refuse the chain; remove it, or put the certificate of %s there", i+1, subjectOf(c), issuerOf(path[len(path)-1]))
	}
	if misplaced {
		o.add(Harmful, "the chain is out of order: each certificate must be followed by the one that signed it (RFC 5246 §7.4.2); strict clients refuse it")
	}
	return path
}

// damaged checks whether a certificate names one of the others, by name and key
// identifier, as its issuer, although none of them signed it. It ignores self-signed
// certificates, whose signatures are not verified.
func (o *ownChain) damaged(c *x509.Certificate, others []*x509.Certificate) {
	named := func(issuer *x509.Certificate) bool {
		return bytes.Equal(c.RawIssuer, issuer.RawSubject) && len(c.AuthorityKeyId) > 0 && bytes.Equal(c.AuthorityKeyId, issuer.SubjectKeyId)
	}
	i := slices.IndexFunc(others, named)
	if i < 0 || selfIssued(c) || weakSignature(c.SignatureAlgorithm) {
		return
	}
	if slices.ContainsFunc(others, func(issuer *x509.Certificate) bool {
		return named(issuer) && certs.VerifySignature(c, issuer) != certs.SignatureForged
	}) {
		return
	}
	o.add(Fatal, "the certificate of %s names the key of %s as the one that signed it, but its signature does not verify: one of the two is damaged; if it is the first, clients refuse it: get it again", subjectOf(c), subjectOf(others[i]))
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

// top checks the last certificate of the path: its issuer must be what clients trust.
func (o *ownChain) top(c *x509.Certificate, known []*x509.Certificate) {
	if selfIssued(c) {
		return
	}
	for _, k := range known {
		if !signedBy(c, k) {
			continue
		}
		if !selfIssued(k) {
			o.add(Harmful, "the intermediate %s, which signed the certificate of %s, is not sent: clients that do not have it refuse the chain; append it to the file", subjectOf(k), subjectOf(c))
		}
		return
	}
	if len(c.IssuingCertificateURL) > 0 { // as in certificates of public CAs, which sign with intermediates only
		o.add(Harmful, "%s, which signed the certificate of %s, is not sent, but the certificate says where to fetch it (authorityInfoAccess): it is most likely an intermediate, and clients that do not fetch it refuse the chain; append it to the file", issuerOf(c), subjectOf(c))
		return
	}
	o.add(Notable, "%s, which signed the certificate of %s, is neither sent nor known here: if it is an intermediate and not what clients trust, append it to the file", issuerOf(c), subjectOf(c))
}

// validity checks the validity period. If the leaf has expired, all clients refuse it;
// if an issuer has, only those that have no newer certificate of it.
func (o *ownChain) validity(c *x509.Certificate, leaf bool) {
	severity, clients := Harmful, "clients that have no newer one refuse the chain"
	if leaf {
		severity, clients = Fatal, "clients refuse it"
	}
	switch {
	case o.now.After(c.NotAfter):
		o.add(severity, "the certificate of %s expired on %s: %s", subjectOf(c), c.NotAfter.UTC().Format(time.DateTime), clients)
	case o.now.Before(c.NotBefore):
		o.add(severity, "the certificate of %s is not valid before %s, which is in the future by this clock: %s; is the clock right?",
			subjectOf(c), c.NotBefore.UTC().Format(time.DateTime), clients)
	case o.now.Add(warnBefore).After(c.NotAfter):
		o.add(Harmful, "the certificate of %s expires on %s", subjectOf(c), c.NotAfter.UTC().Format(time.DateTime))
	}
}

// key checks the public key.
func (o *ownChain) key(c *x509.Certificate, leaf bool) {
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
			o.add(Harmful, "the key of %s is on the curve %s, which TLS 1.3 does not support and many clients refuse: use P-256 or P-384", who, k.Curve.Params().Name)
		}
	case ed25519.PublicKey:
		if leaf {
			o.add(Notable, "the key of %s is Ed25519: Windows and many devices cannot verify it; all clients can verify ECDSA with P-256", who)
		}
	default:
		o.add(Harmful, "the key of %s is of the type %v, which clients do not support: use ECDSA with P-256 or RSA with 2048 bits", who, c.PublicKeyAlgorithm)
	}
}

// weakSignature reports whether current TLS clients refuse a signature algorithm (RFC
// 9155, RFC 8446 §4.2.3).
func weakSignature(a x509.SignatureAlgorithm) bool {
	switch a {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1, x509.DSAWithSHA256:
		return true
	}
	return false
}

// signature checks the signature algorithm. That of a self-signed certificate does not
// matter: its signature is not verified.
func (o *ownChain) signature(c *x509.Certificate) {
	switch {
	case selfIssued(c):
	case weakSignature(c.SignatureAlgorithm):
		o.add(Harmful, "the certificate of %s is signed with %v: clients of TLS 1.3, and OpenSSL by default, refuse it; have it signed with SHA-256", subjectOf(c), c.SignatureAlgorithm)
	case c.SignatureAlgorithm == x509.UnknownSignatureAlgorithm:
		o.add(Harmful, "the certificate of %s is signed with an uncommon algorithm: clients refuse algorithms that they do not support", subjectOf(c))
	}
}

// issuer checks a certificate that signed another one of the chain; below is how many
// certificates of the path are below it.
func (o *ownChain) issuer(c *x509.Certificate, below int) {
	who := subjectOf(c)
	switch {
	case !c.BasicConstraintsValid || !c.IsCA:
		o.add(Harmful, "%s signed a certificate of the chain, but is not a CA (basicConstraints): clients refuse the chain", who)
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0:
		o.add(Harmful, "%s signed a certificate of the chain, but must not (keyUsage lacks keyCertSign): clients refuse the chain", who)
	case (c.MaxPathLen > 0 || c.MaxPathLenZero) && below-1 > c.MaxPathLen:
		o.add(Harmful, "%s allows %d intermediates below it (pathLenConstraint), but the chain has %d: clients refuse it", who, c.MaxPathLen, below-1)
	case !forServers(c):
		o.add(Harmful, "%s may not sign certificates for servers (extendedKeyUsage): many clients refuse the chain", who)
	}
}

// verify lets Go verify the path, for problems that the other methods do not check, such
// as names that an intermediate may not sign for.
func (o *ownChain) verify(path []*x509.Certificate) {
	if slices.ContainsFunc(o.findings, func(f Finding) bool { return f.Severity >= Harmful }) {
		return // Go would report the same again
	}
	roots := certs.Pool(path[len(path)-1])
	intermediates := certs.Pool(path[1:]...)
	if _, err := path[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, CurrentTime: o.now}); err != nil {
		o.add(Harmful, "the chain does not verify the way clients verify it: %s", Clip(err.Error(), longestText))
	}
}

// Refused returns why every client that verifies certificates refuses the gateway's own
// certificate at a given time, or "". It does not verify the signature.
func Refused(leaf *x509.Certificate, now time.Time) string {
	o := &ownChain{now: now}
	o.leaf(leaf)
	o.validity(leaf, true)
	return o.fatal()
}

// Altered reports whether one certificate is a damaged copy of the other: it differs, but
// has the same serial number and key, and the same issuer or issuer's key identifier. A
// CA does not issue two of these (RFC 5280 §4.1.2.2).
func Altered(one, other *x509.Certificate) bool {
	return !one.Equal(other) && one.SerialNumber.Cmp(other.SerialNumber) == 0 &&
		bytes.Equal(one.RawSubjectPublicKeyInfo, other.RawSubjectPublicKeyInfo) &&
		(bytes.Equal(one.RawIssuer, other.RawIssuer) || len(one.AuthorityKeyId) > 0 && bytes.Equal(one.AuthorityKeyId, other.AuthorityKeyId))
}

// Damage describes the first certificate of the gateway's own chain whose signature was
// not made by the key that it names, or returns "". known is as for OwnChain. It verifies
// a few signatures, which takes time.
func Damage(chain, known []*x509.Certificate) string {
	o := &ownChain{}
	for _, c := range o.order(chain) {
		o.damaged(c, slices.Concat(chain, known))
	}
	return o.fatal()
}

// fatal returns the text of the first fatal finding, or "".
func (o *ownChain) fatal() string {
	for _, f := range o.findings {
		if f.Severity == Fatal {
			return f.Text
		}
	}
	return ""
}
