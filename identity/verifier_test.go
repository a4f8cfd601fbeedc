package identity

import (
	"bytes"
	"crypto/x509"
	"net/netip"
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
	if n := len(v.paths.paths); n != maxPaths {
		t.Errorf("%d paths are kept, want %d", n, maxPaths)
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

// What is asked of a client decides what its certificate, or none, is good for.
//
// Rules: P104, P105
func TestWhatIsAskedOfAClient(t *testing.T) {
	p := newPKI(t)
	stranger := must(must(certs.NewCA("stranger")).Client("x")).Certificate
	mine := Clients{{Name: "mine", Fingerprints: [][32]byte{p.client.Fingerprint()}}, {Name: "anybody"}}
	good, bad, own := []*x509.Certificate{p.client.Certificate}, []*x509.Certificate{stranger}, []*x509.Certificate{p.server.Certificate}
	for _, c := range []struct {
		says  string
		auth  ClientAuth
		shown []*x509.Certificate
		want  string // a client, or "" and the reason
		why   Reason
	}{
		{"required and shown", RequireCertificate, good, "mine", 0},
		{"required and not shown", RequireCertificate, nil, "", CertificateMissing},
		{"required, of a stranger", RequireCertificate, bad, "", CertificateUntrusted},
		{"the gateway's own", RequireCertificate, own, "", CertificateOwn},
		{"optional and shown", OptionalCertificate, good, "mine", 0},
		{"optional and not shown", OptionalCertificate, nil, "anybody", 0},
		{"optional, of a stranger", OptionalCertificate, bad, "", CertificateUntrusted},
		{"not asked for, from an earlier handshake", NoCertificate, good, "anybody", 0},
		{"not asked for, of a stranger", NoCertificate, bad, "anybody", 0},
		{"not asked for, the gateway's own", NoCertificate, own, "anybody", 0},
		{"not asked for and not shown", NoCertificate, nil, "anybody", 0},
	} {
		v := must(NewVerifier(&Config{Auth: c.auth, ClientCA: []*x509.Certificate{p.ca.Certificate}, Own: p.server.Certificate.Raw, Clients: mine}, nil))
		i, until, r := v.Assess(NewPeer(netip.Addr{}, c.shown), c.shown, time.Now())
		got := ""
		if r == nil {
			got = mine[i].Name
		}
		if got != c.want || r != nil && (r.Reason != c.why || i != -1) {
			t.Errorf("%s: expected the client %q or %v, got %q and %v (%d)", c.says, c.want, c.why, got, r, i)
		}
		if (got == "mine") != until.Equal(p.client.Certificate.NotAfter) || got != "mine" && !until.IsZero() {
			t.Errorf("%s: the certificate is good until %v", c.says, until)
		}
		if r != nil && (len(c.shown) > 0) != (r.Leaf != nil) {
			t.Errorf("%s: the refusal's certificate is %v", c.says, r.Leaf)
		}
		if known := v.Verify(c.shown, time.Now()); (known == nil) != (r == nil) {
			t.Errorf("%s: Verify says %v, Assess %v", c.says, known, r)
		}
		if r != nil && r.Error() != r.Text {
			t.Errorf("%s: the error reads %q", c.says, r.Error())
		}
	}
	if _, err := NewVerifier(&Config{Auth: OptionalCertificate}, nil); err == nil {
		t.Error("a Verifier is made without any CA")
	}
}

// Paths are kept from one configuration to the next as long as all CAs are the same.
//
// Rules: P104
func TestPathsAreKeptWhileTheCAsStay(t *testing.T) {
	var none *authority
	a, b := none.issue("a", nil, true), none.issue("b", nil, true)
	low, lower := a.issue("low", nil, true), a.issue("lower", nil, true)
	before := must(NewVerifier(&Config{ClientCA: certsOf(a, b), Intermediates: certsOf(low, lower)}, nil))
	for _, c := range []struct {
		says string
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
			t.Errorf("%s: expected that paths are kept to be %v, got %v", c.says, c.kept, !c.kept)
		}
	}
}

// A path is valid while all of its certificates are, the first and the last moment
// included.
//
// Rules: P104
func TestValidityOfAPath(t *testing.T) {
	var none *authority
	now := time.Now().Truncate(time.Second)
	root := none.issue("root", nil, true)
	sub := root.issueWith("sub", nil, true, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-10*time.Minute), now.Add(10*time.Minute) })
	sent := certsOf(sub.issue("leaf", nil, false), sub)
	v := must(NewVerifier(&Config{ClientCA: certsOf(root)}, nil))
	for range 2 { // the second time the path is kept
		for at, good := range map[time.Duration]bool{-10*time.Minute - time.Second: false, -10 * time.Minute: true, 0: true, 10 * time.Minute: true, 10*time.Minute + time.Second: false} {
			if r := v.Verify(sent, now.Add(at)); (r == nil) != good {
				t.Errorf("%v from now: expected that it is good to be %v, got %v", at, good, r)
			}
		}
		if len(v.paths.paths) != 1 {
			t.Errorf("expected one path to be kept, got %d", len(v.paths.paths))
		}
	}
	if got := until(t, v, sent, now); !got.Equal(sub.cert.NotAfter) {
		t.Errorf("expected the path to be good until its intermediate ends, %v, got %v", sub.cert.NotAfter, got)
	}
}

// What names a path, an issuer or a serial number names nothing else.
func TestNamesOfPathsAndIssuers(t *testing.T) {
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
			t.Errorf("lists %d and %d have one name", other, i)
		}
		seen[key] = i
	}
	if keyOf(&x509.Certificate{RawSubject: []byte("ab"), RawSubjectPublicKeyInfo: []byte("c")}) == keyOf(&x509.Certificate{RawSubject: []byte("a"), RawSubjectPublicKeyInfo: []byte("bc")}) {
		t.Error("two issuers have one name")
	}
	if keyOf(&x509.Certificate{RawSubject: []byte("a"), RawSubjectPublicKeyInfo: []byte("b"), Raw: []byte("x")}) != keyOf(&x509.Certificate{RawSubject: []byte("a"), RawSubjectPublicKeyInfo: []byte("b")}) {
		t.Error("two certificates of one key have two names")
	}
}

// firstOf is the certificate that comes first when certificates are sorted.
func firstOf(a, b *authority) []*x509.Certificate {
	if bytes.Compare(a.cert.Raw, b.cert.Raw) < 0 {
		return certsOf(a)
	}
	return certsOf(b)
}
