package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"
)

// signer is a certificate and the key that belongs to it.
type signer struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// under makes a certificate that l signed; with a nil l it is self-signed. change may be
// nil.
func (l *signer) under(name string, key crypto.Signer, change func(*x509.Certificate)) *signer {
	if key == nil {
		key = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	}
	serial++
	c := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
		NotBefore: ownTime.AddDate(-1, 0, 0), NotAfter: ownTime.AddDate(1, 0, 0), BasicConstraintsValid: true}
	if change != nil {
		change(c)
	}
	issuer, by := c, key
	if l != nil {
		issuer, by = l.cert, l.key
	}
	return &signer{must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, c, issuer, key.Public(), by)))), key}
}

func ofCA(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign }

func ofServer(c *x509.Certificate) {
	c.DNSNames, c.KeyUsage, c.ExtKeyUsage = []string{"radsec.example.org"}, x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
}

// both applies changes in turn.
func both(changes ...func(*x509.Certificate)) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		for _, change := range changes {
			change(c)
		}
	}
}

// withSignature returns the certificate with another signature algorithm. The signature is
// wrong then, but not verified, because the algorithm is refused.
func (l *signer) withSignature(a x509.SignatureAlgorithm) *signer {
	c := *l.cert
	c.SignatureAlgorithm = a
	return &signer{&c, l.key}
}

// withKey returns the certificate with another public key.
func (l *signer) withKey(key any) *signer {
	c := *l.cert
	c.PublicKey = key
	return &signer{&c, l.key}
}

func linked(links []*signer) (list []*x509.Certificate) {
	for _, l := range links {
		list = append(list, l.cert)
	}
	return list
}

// ownTime is the time at which the chains of these tests are checked.
var ownTime = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
