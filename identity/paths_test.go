package identity

import (
	"bytes"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"radsec-gw/certs"
)

// A path that was verified is not verified again, but its validity is checked each
// time; a path of another CA is not taken from the cache.
//
// Rules: P104
func TestPathsAreCached(t *testing.T) {
	p := newPKI(t)
	v := must(NewVerifier(&Config{ClientCA: []*x509.Certificate{p.ca.Certificate}}, nil))
	now := time.Now()
	leaf := []*x509.Certificate{p.client.Certificate}
	first := until(t, v, leaf, now)
	if len(v.paths.paths) != 1 || !first.Equal(leaf[0].NotAfter) {
		t.Fatalf("%d paths are cached and the certificate is valid until %v, want 1 and %v", len(v.paths.paths), first, leaf[0].NotAfter)
	}
	v.trust = newTrust(nil, nil, nil) // a verification would fail now
	if until := until(t, v, leaf, now); !until.Equal(first) {
		t.Errorf("the second result is %v; it should not verify again", until)
	}
	if r := v.Verify(leaf, first.Add(time.Second)); r == nil {
		t.Errorf("after its notAfter the certificate gets %v, want a refusal", r)
	}
	if r := v.Verify(leaf, leaf[0].NotBefore.Add(-time.Second)); r == nil {
		t.Errorf("before its notBefore the certificate gets %v, want a refusal", r)
	}
	again := must(NewVerifier(&Config{ClientCA: []*x509.Certificate{p.ca.Certificate}, CRLs: []*x509.RevocationList{p.crl(p.client)}}, v))
	if r := again.Verify(leaf, now); r == nil || r.Reason != CertificateRevoked {
		t.Errorf("a cached path of a revoked certificate gets %v, want a refusal", r)
	}
	other := must(NewVerifier(&Config{ClientCA: []*x509.Certificate{must(certs.NewCA("test CA")).Certificate}}, v))
	if r := other.Verify(leaf, now); r == nil || r.Reason != CertificateUntrusted {
		t.Errorf("with another CA of the same name the certificate gets %v, want a refusal", r)
	}
	server := []*x509.Certificate{p.server.Certificate}
	if r := v.Verify(server, now); r == nil {
		t.Error("a certificate for servers is accepted for a client")
	}
	for i := range maxPaths + 10 {
		v.paths.put([32]byte{byte(i), byte(i >> 8), byte(i >> 16)}, nil)
	}
	if n := len(v.paths.paths); n != maxPaths {
		t.Errorf("%d paths are cached, want %d", n, maxPaths)
	}
}

// until returns until when the certificates are valid.
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

// Cached paths are reused under a new configuration if all CAs are the same.
//
// Rules: P104
func TestPathsAreCachedWhileTheCAsStay(t *testing.T) {
	var none *authority
	a, b := none.issue("a", nil, true), none.issue("b", nil, true)
	low, lower := a.issue("low", nil, true), a.issue("lower", nil, true)
	before := must(NewVerifier(&Config{ClientCA: certsOf(a, b), Intermediates: certsOf(low, lower)}, nil))
	for _, c := range []struct {
		name string
		cfg  Config
		kept bool
	}{
		{"the same", Config{ClientCA: certsOf(a, b), Intermediates: certsOf(low, lower)}, true},
		{"a CA twice", Config{ClientCA: certsOf(a, b, a), Intermediates: certsOf(low, lower)}, true},
		{"intermediates in another order", Config{ClientCA: certsOf(a, b), Intermediates: certsOf(lower, low)}, true},
		{"intermediates that are CAs, too", Config{ClientCA: certsOf(a, b), Intermediates: certsOf(a, lower, low)}, true},
		{"an intermediate less", Config{ClientCA: certsOf(a, b), Intermediates: certsOf(low)}, false},
		{"a CA less", Config{ClientCA: certsOf(a), Intermediates: certsOf(low, lower)}, false},
		{"a CA that is a client's now", Config{ClientCA: certsOf(a), Clients: Clients{{Name: "x", CA: certsOf(b)}}, Intermediates: certsOf(low, lower)}, false},
		{"an intermediate that is a client's CA now", Config{ClientCA: certsOf(a, b), Clients: Clients{{Name: "x", CA: firstOf(low, lower)}}, Intermediates: certsOf(low, lower)}, false},
		{"an intermediate that is a CA now", Config{ClientCA: certsOf(a, b, low), Intermediates: certsOf(low, lower)}, false},
	} {
		if v := must(NewVerifier(&c.cfg, before)); (v.paths == before.paths) != c.kept {
			t.Errorf("%s: expected whether paths are cached to be %v, got %v", c.name, c.kept, !c.kept)
		}
	}
}

// A path is valid while all of its certificates are, including the first and the last
// moment.
//
// Rules: P104
func TestValidityOfAPath(t *testing.T) {
	var none *authority
	now := time.Now().Truncate(time.Second)
	root := none.issue("root", nil, true)
	sub := root.issueWith("sub", nil, true, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-10*time.Minute), now.Add(10*time.Minute) })
	sent := certsOf(sub.issue("leaf", nil, false), sub)
	v := must(NewVerifier(&Config{ClientCA: certsOf(root)}, nil))
	for range 2 { // the second time with the cached path
		for at, good := range map[time.Duration]bool{-10*time.Minute - time.Second: false, -10 * time.Minute: true, 0: true, 10 * time.Minute: true, 10*time.Minute + time.Second: false} {
			if r := v.Verify(sent, now.Add(at)); (r == nil) != good {
				t.Errorf("%v from now: expected whether it is accepted to be %v, got %v", at, good, r)
			}
		}
		if len(v.paths.paths) != 1 {
			t.Errorf("expected one cached path, got %d", len(v.paths.paths))
		}
	}
	if got := until(t, v, sent, now); !got.Equal(sub.cert.NotAfter) {
		t.Errorf("expected the path to be valid until its intermediate expires, %v, got %v", sub.cert.NotAfter, got)
	}
}

// Different lists of certificates and different issuers have different keys.
func TestKeysOfPathsAndIssuers(t *testing.T) {
	raw := func(parts ...string) (list []*x509.Certificate) {
		for _, p := range parts {
			list = append(list, &x509.Certificate{Raw: []byte(p)})
		}
		return list
	}
	seen := map[[32]byte]int{}
	for i, list := range [][]*x509.Certificate{raw("ab", "c"), raw("a", "bc"), raw("abc"), raw("c", "ab"), raw("ab", "c", ""), raw("a", "b"), raw("a\x00\x00\x00\x00b"), nil} {
		key := digestOf(list)
		if other, ok := seen[key]; ok {
			t.Errorf("lists %d and %d have the same key", other, i)
		}
		seen[key] = i
	}
	if keyOf(&x509.Certificate{RawSubject: []byte("ab"), RawSubjectPublicKeyInfo: []byte("c")}) == keyOf(&x509.Certificate{RawSubject: []byte("a"), RawSubjectPublicKeyInfo: []byte("bc")}) {
		t.Error("two issuers have the same key")
	}
	if keyOf(&x509.Certificate{RawSubject: []byte("a"), RawSubjectPublicKeyInfo: []byte("b"), Raw: []byte("x")}) != keyOf(&x509.Certificate{RawSubject: []byte("a"), RawSubjectPublicKeyInfo: []byte("b")}) {
		t.Error("two certificates of one issuer have different keys")
	}
}

// firstOf returns the certificate that is first in sorted order.
func firstOf(a, b *authority) []*x509.Certificate {
	if bytes.Compare(a.cert.Raw, b.cert.Raw) < 0 {
		return certsOf(a)
	}
	return certsOf(b)
}

// A negative serial number differs from the positive one with the same digits.
//
// Rules: TR4
func TestSerialNumbersHaveASign(t *testing.T) {
	for n, want := range map[int64]string{-5: "-\x05", 5: "\x05", 0: "", -256: "-\x01\x00", 256: "\x01\x00"} {
		if got := serialOf(big.NewInt(n)); got != want {
			t.Errorf("%d is compared as %q, expected %q", n, got, want)
		}
	}
}
