package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
)

// Signature is whether a key made the signature of a certificate.
type Signature uint8

const (
	// SignatureUnknown: Go cannot verify it, because the algorithm is too old or
	// unknown, or the key is out of its bounds.
	SignatureUnknown Signature = iota
	SignatureValid
	SignatureForged
)

// VerifySignature verifies the signature of c with issuer's key. It compares no names.
func VerifySignature(c, issuer *x509.Certificate) Signature {
	err := issuer.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature)
	if err == nil {
		return SignatureValid
	}
	forged := false
	switch issuer.PublicKey.(type) {
	case *rsa.PublicKey:
		forged = errors.Is(err, rsa.ErrVerification)
	case *ecdsa.PublicKey, ed25519.PublicKey:
		forged = !errors.Is(err, x509.ErrUnsupportedAlgorithm) && !errors.As(err, new(x509.InsecureAlgorithmError))
	}
	if forged {
		return SignatureForged
	}
	return SignatureUnknown
}

// selfSigned reports whether c names its own key as the one that signed it.
func selfSigned(c *x509.Certificate) bool {
	return bytes.Equal(c.RawIssuer, c.RawSubject) &&
		(len(c.AuthorityKeyId) == 0 || len(c.SubjectKeyId) == 0 || bytes.Equal(c.AuthorityKeyId, c.SubjectKeyId))
}

// mayHaveSigned reports whether issuer may have signed c.
func mayHaveSigned(issuer, c *x509.Certificate) bool {
	return bytes.Equal(c.RawIssuer, issuer.RawSubject) && VerifySignature(c, issuer) != SignatureForged
}
