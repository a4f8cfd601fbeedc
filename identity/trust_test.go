package identity

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Configured intermediates complete the path of a peer that did not send its own, and are
// not trusted by themselves.
//
// Rules: P104
func TestConfiguredIntermediates(t *testing.T) {
	var none *authority
	root, other := none.issue("root", nil, true), none.issue("other", nil, true)
	high := root.issue("high", nil, true)
	low := high.issue("low", nil, true)
	stray := other.issue("stray", nil, true)
	forged := none.issue("root", nil, true).issue("high", nil, true)
	for _, c := range []struct {
		name  string
		known []*authority
		sent  []*authority
		ok    bool
	}{
		{"nothing is configured or sent", nil, []*authority{low.issue("x", nil, false)}, false},
		{"both are configured", []*authority{low, high}, []*authority{low.issue("x", nil, false)}, true},
		{"one is configured, the other sent", []*authority{high}, []*authority{low.issue("x", nil, false), low}, true},
		{"the lower is configured, the upper sent", []*authority{low}, []*authority{low.issue("x", nil, false), high}, false}, // its signature does not lead to an anchor
		{"of another CA", []*authority{stray}, []*authority{stray.issue("x", nil, false)}, false},
		{"forged", []*authority{forged}, []*authority{forged.issue("x", nil, false)}, false},
	} {
		v := must(NewVerifier(&Config{ClientCA: certsOf(root), Intermediates: certsOf(c.known...)}, nil))
		if r := v.Verify(certsOf(c.sent...), time.Now()); (r == nil) != c.ok {
			t.Errorf("%s: %v, want accepted: %v", c.name, r, c.ok)
		}
	}
	v := must(NewVerifier(&Config{ClientCA: certsOf(root), Intermediates: certsOf(high, stray), CRLs: []*x509.RevocationList{root.list(time.Now().Add(time.Hour))}}, nil))
	review := v.Review()
	if len(review.Unused) != 1 || !strings.Contains(review.Unused[0], "CN=stray, issued by CN=other, does not lead to a certificate of client_ca") {
		t.Errorf("the review has %q for unused intermediates", review.Unused)
	}
	if len(review.WithoutLists) != 1 || !strings.Contains(review.WithoutLists[0], "there is no revocation list of CN=high") {
		t.Errorf("the review has %q for issuers without a list", review.WithoutLists)
	}
}

// issuerOf finds the issuer by name and signature, and never returns a certificate with
// the CA's own key.
func TestIssuerOf(t *testing.T) {
	var none *authority
	a := none.issue("a", nil, true)
	renewed, namesake, sub := none.issue("a", a.key, true), none.issue("a", nil, true), a.issue("sub", nil, true)
	v := must(NewVerifier(&Config{ClientCA: certsOf(namesake, a, renewed, sub), Clients: Clients{{Name: "c"}}}, nil))
	for _, c := range []struct {
		name string
		of   *authority
		want []*authority // either
	}{
		{"a root, with its renewed certificate", a, nil},
		{"the renewed one", renewed, nil},
		{"an intermediate, beside a namesake of its issuer", sub, []*authority{a, renewed}},
	} {
		got := v.trust.issuerOf(c.of.cert)
		found := got == nil && c.want == nil
		for _, w := range c.want {
			found = found || got == w.cert
		}
		if !found {
			t.Errorf("%s: issuerOf returns %v", c.name, got)
		}
	}
}

// A CA that is configured twice does not hide those after it.
func TestRepeatedCA(t *testing.T) {
	var none *authority
	a, b := none.issue("a", nil, true), none.issue("b", nil, true)
	v := must(NewVerifier(&Config{ClientCA: certsOf(a, a, b)}, nil))
	if r := v.Verify(certsOf(b.issue("x", nil, false)), time.Now()); r != nil {
		t.Errorf("a certificate of the second CA gets %v, expected it good", r)
	}
}

// The CAs of the system are not trusted, not even one with the name of a configured CA.
// A process reads the system's store once, so this test is conclusive only if nothing
// has read it before.
//
// Rules: P104
func TestTheSystemsCAsDoNotCount(t *testing.T) {
	var none *authority
	ours, theirs := none.issue("root", nil, true), none.issue("root", nil, true)
	store := filepath.Join(t.TempDir(), "system.pem")
	if err := os.WriteFile(store, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: theirs.cert.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", store)
	t.Setenv("SSL_CERT_DIR", t.TempDir())
	v := must(NewVerifier(&Config{ClientCA: certsOf(ours), Clients: Clients{{Name: "c"}}}, nil))
	if r := v.Verify(certsOf(theirs.issue("x", nil, false)), time.Now()); r == nil {
		t.Error("a certificate of a CA that only the system trusts is good")
	}
	if r := v.Verify(certsOf(ours.issue("x", nil, false)), time.Now()); r != nil {
		t.Errorf("a certificate of the configured CA is refused: %v", r)
	}
	if _, err := x509.SystemCertPool(); err != nil {
		t.Fatalf("the system's store cannot be read: %v", err)
	}
}
