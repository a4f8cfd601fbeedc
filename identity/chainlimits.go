package identity

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
)

// What a peer may send along with its certificate. Until a signature of a
// trusted CA has been verified the certificates are anybody's, and each key and
// each name in them is chosen to cost us time: these limits are checked before
// any signature is.
const (
	// A leaf and two intermediates are usual; five are the most in public use.
	maxSentCertificates = 10
	// An issuer that changes its key has two certificates for a while.
	maxSentSameName = 2
	// To verify a signature takes time with the square of the key's length and
	// with the length of the exponent: 0.3 ms at these limits, and 4 ms for the
	// 8192 bits and 31 bits that crypto/tls would take.
	maxSentRSABits     = 4096
	maxSentRSAExponent = 65537
)

// checkSent reports what is excessive about the certificates that a peer sent,
// the leaf first. It verifies no signature. Certificates that are configured may
// have any key, but for the leaf, which proves itself with it: those that were
// sent are not used, the configured ones are.
func (t *trust) checkSent(certs []*x509.Certificate) error {
	if n := len(certs); n > maxSentCertificates {
		return fmt.Errorf("the peer sent %d certificates; expected its own and its intermediates, at most %d", n, maxSentCertificates)
	}
	names := map[string]int{}
	for i, c := range certs {
		if names[string(c.RawSubject)]++; names[string(c.RawSubject)] > maxSentSameName {
			return fmt.Errorf("the peer sent more than %d certificates of one name, %s", maxSentSameName, subjectOf(c))
		}
		if i > 0 && t.has(c) {
			continue
		}
		if err := checkKey(c); err != nil {
			return fmt.Errorf("certificate %d of the %d that the peer sent, %s: %w", i+1, len(certs), subjectOf(c), err)
		}
	}
	return nil
}

// checkKey reports why a signature is not verified with the certificate's key.
func checkKey(c *x509.Certificate) error {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits > maxSentRSABits {
			return fmt.Errorf("expected an RSA key of at most %d bits, got %d bits", maxSentRSABits, bits)
		}
		if key.E > maxSentRSAExponent {
			return fmt.Errorf("expected an RSA key with an exponent of at most %d, got %d", maxSentRSAExponent, key.E)
		}
	case *ecdsa.PublicKey, ed25519.PublicKey:
	default:
		return fmt.Errorf("expected a key for RSA, ECDSA or Ed25519, got %s", c.PublicKeyAlgorithm)
	}
	return nil
}

// intermediates returns those of the certificates that a peer sent, without the
// leaf and what is configured, whose signatures lead to an anchor.
//
// It goes from the anchors downwards: a certificate counts as an issuer only
// after a signature over it was verified. So each signature is verified with a
// key that an anchor vouches for, and what a stranger has made up costs one
// verification for each of its certificates that bears the name of a genuine
// issuer, instead of the hundred with keys of its own that crypto/x509 allows.
// Certificates that no line of names connects with the leaf are not looked at.
func (t *trust) intermediates(certs []*x509.Certificate) []*x509.Certificate {
	return t.vouchedFor(t.namesAbove(certs))
}

// vouchedFor returns those of the certificates whose signatures lead to what is
// configured.
func (t *trust) vouchedFor(certs []*x509.Certificate) []*x509.Certificate {
	var verified []*x509.Certificate
	keep := func(open []*x509.Certificate, issuers func(c *x509.Certificate) []*x509.Certificate) (rest []*x509.Certificate) {
		for _, c := range open {
			if issuedByAny(c, issuers(c)) {
				verified = append(verified, c)
			} else {
				rest = append(rest, c)
			}
		}
		return rest
	}
	open := keep(certs, func(c *x509.Certificate) []*x509.Certificate { return t.issuers[string(c.RawIssuer)] })
	for i := 0; i < len(verified); i++ { // which grows meanwhile
		open = keep(open, func(*x509.Certificate) []*x509.Certificate { return verified[i : i+1] })
	}
	return verified
}

// issuedByAny reports whether one of the issuers has signed c. Where the names
// differ no signature is verified.
func issuedByAny(c *x509.Certificate, issuers []*x509.Certificate) bool {
	return slices.ContainsFunc(issuers, func(issuer *x509.Certificate) bool {
		return bytes.Equal(issuer.RawSubject, c.RawIssuer) && c.CheckSignatureFrom(issuer) == nil
	})
}

// namesAbove returns the certificates, without the leaf and what is configured,
// that a line of issuers' names connects with the leaf.
func (t *trust) namesAbove(certs []*x509.Certificate) []*x509.Certificate {
	wanted := map[string]bool{string(certs[0].RawIssuer): true}
	left := certs[1:]
	var above []*x509.Certificate
	for progress := true; progress; {
		progress = false
		var rest []*x509.Certificate
		for _, c := range left {
			switch {
			case t.has(c):
			case wanted[string(c.RawSubject)]:
				above = append(above, c)
				wanted[string(c.RawIssuer)] = true
				progress = true
			default:
				rest = append(rest, c)
			}
		}
		left = rest
	}
	return above
}

// reaches reports whether a line of issuers' names leads from the leaf to what is
// configured. Nothing that does not can verify.
func (t *trust) reaches(certs []*x509.Certificate) bool {
	if t.has(certs[0]) || len(t.issuers[string(certs[0].RawIssuer)]) > 0 {
		return true
	}
	for _, c := range t.namesAbove(certs) {
		if len(t.issuers[string(c.RawIssuer)]) > 0 {
			return true
		}
	}
	return false
}
