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

// Limits on the certificates that a peer sends. Until a signature of a trusted CA has
// been verified, an attacker may have chosen each key and each name in them to cost us
// time. So these limits are checked before any signature is verified.
const (
	// A leaf and two intermediates are usual; five are the most in public use.
	maxSentCertificates = 10
	// An issuer that changes its key has two certificates for a while.
	maxSentSameName = 2
	// The time to verify a signature grows with the square of the key's length and
	// with the length of the exponent: 0.3 ms at these limits, and 4 ms with the
	// 8192 bits and 31 bits that crypto/tls allows.
	maxSentRSABits     = 4096
	maxSentRSAExponent = 65537
)

// checkSent checks the certificates that a peer sent, the leaf first, against the
// limits. It verifies no signatures. Certificates that are also configured may have any
// key, because the configured copies are used; except the leaf, with whose key the peer
// signs.
func (t *trust) checkSent(certs []*x509.Certificate) error {
	if n := len(certs); n > maxSentCertificates {
		return fmt.Errorf("the peer sent %d certificates; expected its own and its intermediates, at most %d", n, maxSentCertificates)
	}
	names := map[string]int{}
	for i, c := range certs {
		if names[string(c.RawSubject)]++; names[string(c.RawSubject)] > maxSentSameName {
			return fmt.Errorf("the peer sent more than %d certificates of one name, %s", maxSentSameName, subjectOf(c))
		}
		if i > 0 && t.contains(c) {
			continue
		}
		if err := checkKey(c); err != nil {
			return fmt.Errorf("certificate %d of the %d that the peer sent, %s: %w", i+1, len(certs), subjectOf(c), err)
		}
	}
	return nil
}

// checkKey returns an error if signatures are not verified with the certificate's key.
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

// genuineIntermediates returns those of the certificates that a peer sent whose
// signatures lead to an anchor, without the leaf and without configured certificates.
//
// It goes from the anchors downwards: a certificate is used as an issuer only after its
// own signature was verified. So each signature is verified with a genuine key, and
// forged certificates cost one verification for each that bears the name of a genuine
// issuer, instead of the hundred with keys of the attacker's that crypto/x509 allows.
// Certificates that no line of names connects with the leaf are ignored.
func (t *trust) genuineIntermediates(certs []*x509.Certificate) []*x509.Certificate {
	return t.verifiable(t.namesAbove(certs))
}

// verifiable returns those of the certificates whose signatures lead to configured
// certificates.
func (t *trust) verifiable(certs []*x509.Certificate) []*x509.Certificate {
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
	for i := 0; i < len(verified); i++ { // verified grows in the loop
		open = keep(open, func(*x509.Certificate) []*x509.Certificate { return verified[i : i+1] })
	}
	return verified
}

// issuedByAny reports whether one of the issuers signed c. It verifies a signature only
// if the names match.
func issuedByAny(c *x509.Certificate, issuers []*x509.Certificate) bool {
	return slices.ContainsFunc(issuers, func(issuer *x509.Certificate) bool {
		return bytes.Equal(issuer.RawSubject, c.RawIssuer) && c.CheckSignatureFrom(issuer) == nil
	})
}

// namesAbove returns the certificates that a line of issuers' names connects with the
// leaf, without the leaf and without configured certificates.
func (t *trust) namesAbove(certs []*x509.Certificate) []*x509.Certificate {
	wanted := map[string]bool{string(certs[0].RawIssuer): true}
	remaining := certs[1:]
	var above []*x509.Certificate
	for progress := true; progress; {
		progress = false
		var rest []*x509.Certificate
		for _, c := range remaining {
			switch {
			case t.contains(c):
			case wanted[string(c.RawSubject)]:
				above = append(above, c)
				wanted[string(c.RawIssuer)] = true
				progress = true
			default:
				rest = append(rest, c)
			}
		}
		remaining = rest
	}
	return above
}

// reaches reports whether a line of issuers' names leads from the leaf to a configured
// certificate. Without one no path can verify.
func (t *trust) reaches(certs []*x509.Certificate) bool {
	if t.contains(certs[0]) || len(t.issuers[string(certs[0].RawIssuer)]) > 0 {
		return true
	}
	for _, c := range t.namesAbove(certs) {
		if len(t.issuers[string(c.RawIssuer)]) > 0 {
			return true
		}
	}
	return false
}
