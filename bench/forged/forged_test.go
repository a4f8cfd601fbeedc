package forged

import (
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"
)

// A forged chain parses, and its leaf's signature is of the kind that the forged
// issuers' keys are tried with: otherwise it would cost nothing.
func TestExpensive(t *testing.T) {
	key, err := NewKey(2048, 65537)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := Expensive(pkix.Name{CommonName: "CA"}, key)
	if err != nil || len(chain) != 99 {
		t.Fatalf("got %d certificates and %v, want 99", len(chain), err)
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, der := range chain[1:] {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		if k := c.PublicKey.(*rsa.PublicKey); k.N.BitLen() < 8100 || k.Size() != len(leaf.Signature) || k.E != 1<<31-1 || string(c.RawSubject) != string(leaf.RawIssuer) {
			t.Fatalf("an issuer has a key of %d bits with the exponent %d, or another name", k.N.BitLen(), k.E)
		}
	}
	if leaf.SignatureAlgorithm != x509.SHA256WithRSA {
		t.Errorf("the leaf is signed with %v", leaf.SignatureAlgorithm)
	}
}
