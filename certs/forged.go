package certs

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
)

// Forged reports whether issuer's key has certainly not signed c. Where Go cannot say,
// because the algorithm is too old or unknown or the key is out of its bounds, it may
// have.
func Forged(c, issuer *x509.Certificate) bool {
	err := issuer.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature)
	switch issuer.PublicKey.(type) {
	case *rsa.PublicKey:
		return errors.Is(err, rsa.ErrVerification)
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return err != nil && !errors.Is(err, x509.ErrUnsupportedAlgorithm) && !errors.As(err, new(x509.InsecureAlgorithmError))
	}
	return false
}
