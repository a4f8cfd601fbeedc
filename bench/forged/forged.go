// Package forged makes certificates that no CA has signed, for trying how a
// server treats peers that show such.
package forged

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"time"
)

// Key is an RSA key of any size that is quick to make: its modulus is a
// product of small primes. Signatures made with it verify. It implements
// crypto.Signer.
type Key struct {
	public  *rsa.PublicKey
	private *big.Int
}

// NewKey makes a key of at most so many bits, or a few less, with a prime exponent.
func NewKey(bits, exponent int) (*Key, error) {
	const primeBits = 64
	n, phi, e := big.NewInt(1), big.NewInt(1), big.NewInt(int64(exponent))
	for missing := bits / primeBits; missing > 0; { // two are practically never the same
		p, err := rand.Prime(rand.Reader, primeBits)
		if err != nil {
			return nil, err
		}
		less := new(big.Int).Sub(p, big.NewInt(1))
		if new(big.Int).Mod(less, e).Sign() == 0 {
			continue // the exponent has no inverse then
		}
		n.Mul(n, p)
		phi.Mul(phi, less)
		missing--
	}
	d := new(big.Int).ModInverse(e, phi)
	if d == nil {
		return nil, fmt.Errorf("expected a prime exponent, got %d", exponent)
	}
	return &Key{&rsa.PublicKey{N: n, E: exponent}, d}, nil
}

// Public implements crypto.Signer.
func (k *Key) Public() crypto.PublicKey { return k.public }

// Sign implements crypto.Signer for PKCS #1 version 1.5 with SHA-256 (RFC 8017
// §9.2).
func (k *Key) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	prefix := []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}
	size := k.public.Size()
	padded := make([]byte, size)
	padded[1] = 1
	end := size - len(prefix) - len(digest)
	for i := 2; i < end-1; i++ {
		padded[i] = 0xff
	}
	copy(padded[end:], prefix)
	copy(padded[end+len(prefix):], digest)
	s := new(big.Int).Exp(new(big.Int).SetBytes(padded), k.private, k.public.N)
	return s.FillBytes(make([]byte, size)), nil
}

// Certificate makes a certificate of subject and its key that names issuer as its issuer
// and is signed by signer. change may be nil.
func Certificate(subject, issuer pkix.Name, public crypto.PublicKey, signer crypto.Signer, change func(*x509.Certificate)) ([]byte, error) {
	t := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: subject, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		BasicConstraintsValid: true}
	if change != nil {
		change(t)
	}
	return x509.CreateCertificate(rand.Reader, t, &x509.Certificate{Subject: issuer, PublicKey: signer.Public()}, public, signer)
}

// CA makes a certificate an issuer's, for Certificate.
func CA(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign }

// Expensive makes a chain that was seen in an attack: a leaf of the given key, which belongs
// to the peer, and 98 certificates that all bear the name of a genuine CA, each
// with a key of 8192 bits and a large exponent. To find the leaf's issuer,
// all of them have to be tried.
func Expensive(ca pkix.Name, leaf crypto.Signer) ([][]byte, error) {
	key, err := NewKey(8192, 1<<31-1)
	if err != nil {
		return nil, err
	}
	first, err := Certificate(pkix.Name{CommonName: "nobody"}, ca, leaf.Public(), key, nil)
	chain := [][]byte{first}
	for range 98 {
		if err != nil {
			return nil, err
		}
		n := make([]byte, key.public.Size()) // as long as the signature, and larger: else it is not tried
		rand.Read(n)
		n[0], n[len(n)-1] = 0xff, n[len(n)-1]|1
		var c []byte
		c, err = Certificate(ca, ca, &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 1<<31 - 1}, leaf, CA) // its own signature is not verified
		chain = append(chain, c)
	}
	return chain, err
}
