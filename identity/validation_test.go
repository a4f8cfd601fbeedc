package identity

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A path is validated as RFC 5280 §6 says: a signature of the right key is not enough.
//
// Rules: P104
func TestPathsAreValidated(t *testing.T) {
	var none *authority
	root := none.issue("root", nil, true)
	hour := time.Hour
	for _, c := range []struct {
		says string
		sent func() []*authority
		good bool
	}{
		{"a certificate of the CA", func() []*authority { return []*authority{root.issue("x", nil, false)} }, true},
		{"expired", func() []*authority {
			return []*authority{root.issueWith("x", nil, false, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = time.Now().Add(-2*hour), time.Now().Add(-hour) })}
		}, false},
		{"not valid yet", func() []*authority {
			return []*authority{root.issueWith("x", nil, false, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(hour / 2) })}
		}, false},
		{"below an expired intermediate", func() []*authority {
			sub := root.issueWith("sub", nil, true, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = time.Now().Add(-2*hour), time.Now().Add(-hour) })
			return []*authority{sub.issue("x", nil, false), sub}
		}, false},
		{"for servers", func() []*authority {
			return []*authority{root.issueWith("x", nil, false, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })}
		}, false},
		{"signed by what is no CA", func() []*authority {
			leaf := root.issue("leaf", nil, false)
			return []*authority{leaf.issue("x", nil, false), leaf}
		}, false},
		{"below an intermediate too many", func() []*authority {
			high := root.issueWith("high", nil, true, func(c *x509.Certificate) { c.MaxPathLenZero = true })
			low := high.issue("low", nil, true)
			return []*authority{low.issue("x", nil, false), low, high}
		}, false},
		{"below an intermediate that may certify other names only", func() []*authority {
			sub := root.issueWith("sub", nil, true, func(c *x509.Certificate) {
				c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"campus.example"}
			})
			return []*authority{sub.issueWith("x", nil, false, func(c *x509.Certificate) { c.DNSNames = []string{"ap1.other.example"} }), sub}
		}, false},
		{"with a critical extension that nobody knows", func() []*authority {
			return []*authority{root.issueWith("x", nil, false, func(c *x509.Certificate) {
				c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: []int{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}})
			})}
		}, false},
	} {
		v := must(NewVerifier(&Config{ClientCA: certsOf(root)}, nil))
		if r := v.Verify(certsOf(c.sent()...), time.Now()); (r == nil) != c.good {
			t.Errorf("%s: %v, expected it good: %v", c.says, r, c.good)
		}
	}
}

// What the system trusts is trusted by nobody here, not even a CA of a configured name.
// The system's store is read once in a process, so this shows something only while
// nothing else has read it.
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

// A fingerprint names one certificate, with its issuer and its serial number: another of
// the same key and the same names is another client (RFC 6614bis §3.4).
//
// Rules: P107
func TestFingerprintNamesOneCertificate(t *testing.T) {
	var none *authority
	root := none.issue("root", nil, true)
	one := root.issue("x", nil, false)
	again := root.issue("x", one.key, false)
	listed := NewPeer(netip.Addr{}, certsOf(one)).fingerprint
	v := must(NewVerifier(&Config{ClientCA: certsOf(root), Clients: Clients{{Name: "listed", Fingerprints: [][32]byte{listed}}, {Name: "other"}}}, nil))
	for want, sent := range map[string]*authority{"listed": one, "other": again} {
		if got, r := who(v, sent); got != want {
			t.Errorf("the certificate with serial number %v is client %q, expected %q (%v)", sent.cert.SerialNumber, got, want, r)
		}
	}
}

// A host name in the common name is no SAN dNSName, with or without others beside it (RFC
// 6614bis §3.3.1).
//
// Rules: P105
func TestCommonNameIsNoDNSName(t *testing.T) {
	var none *authority
	root := none.issue("root", nil, true)
	v := must(NewVerifier(&Config{ClientCA: certsOf(root), Clients: Clients{{Name: "c", SANDNS: []string{"ap1.campus.example"}}}}, nil))
	for _, c := range []struct {
		names []string
		want  string
	}{{nil, ""}, {[]string{"ap2.campus.example"}, ""}, {[]string{"ap1.campus.example"}, "c"}} {
		sent := root.issueWith("ap1.campus.example", nil, false, func(x *x509.Certificate) { x.DNSNames = c.names })
		if got, r := who(v, sent); got != c.want {
			t.Errorf("a certificate for the common name ap1.campus.example and the dNSNames %q is client %q, expected %q (%v)", c.names, got, c.want, r)
		}
	}
}
