package identity

import (
	"crypto/x509"
	"testing"
	"time"

	"radsec-gw/certs"
)

// A path that was verified once is not verified again, but its validity is
// looked at each time; a path of another CA does not come from the cache.
//
// Rules: P104
func TestVerifiedPathsAreKept(t *testing.T) {
	p := newPKI(t)
	v := must(NewVerifier(&Config{ClientCA: []*x509.Certificate{p.ca.Certificate}}, nil))
	now := time.Now()
	leaf := []*x509.Certificate{p.client.Certificate}
	first := until(t, v, leaf, now)
	if len(v.paths.paths) != 1 || !first.Equal(leaf[0].NotAfter) {
		t.Fatalf("%d paths are kept and the certificate is good until %v, want 1 and %v", len(v.paths.paths), first, leaf[0].NotAfter)
	}
	v.trust = newTrust(nil, nil, nil) // a verification would fail now
	if until := until(t, v, leaf, now); !until.Equal(first) {
		t.Errorf("the second look says %v; it should not verify again", until)
	}
	if r := v.Verify(leaf, first.Add(time.Second)); r == nil {
		t.Errorf("after its end the certificate gets %v, want a refusal", r)
	}
	if r := v.Verify(leaf, leaf[0].NotBefore.Add(-time.Second)); r == nil {
		t.Errorf("before its begin the certificate gets %v, want a refusal", r)
	}
	again := must(NewVerifier(&Config{ClientCA: []*x509.Certificate{p.ca.Certificate}, CRLs: []*x509.RevocationList{p.crl(p.client)}}, v))
	if r := again.Verify(leaf, now); r == nil || r.Reason != CertificateRevoked {
		t.Errorf("a kept path of a revoked certificate gets %v, want a refusal", r)
	}
	other := must(NewVerifier(&Config{ClientCA: []*x509.Certificate{must(certs.NewCA("test CA")).Certificate}}, v))
	if r := other.Verify(leaf, now); r == nil || r.Reason != CertificateUntrusted {
		t.Errorf("with another CA of the same name the certificate gets %v, want a refusal", r)
	}
	server := []*x509.Certificate{p.server.Certificate}
	if r := v.Verify(server, now); r == nil {
		t.Error("a certificate for servers passes for a client's")
	}
	for i := range maxPaths + 10 {
		v.paths.put([32]byte{byte(i), byte(i >> 8), byte(i >> 16)}, nil)
	}
	if n := len(v.paths.paths); n > maxPaths {
		t.Errorf("%d paths are kept, want at most %d", n, maxPaths)
	}
}

// until returns when the certificates are good no more.
func until(t *testing.T, v *Verifier, certs []*x509.Certificate, now time.Time) (until time.Time) {
	t.Helper()
	paths, r := v.verify(certs, now)
	if r != nil {
		t.Fatalf("the certificate is refused: %v", r)
	}
	for _, p := range paths {
		if p.until.After(until) {
			until = p.until
		}
	}
	return until
}
