package identity

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/netip"
	"testing"
	"time"

	"radsec-gw/certs"
)

// ClientAuth decides which certificates are accepted, and whether none is.
//
// Rules: P104, P105
func TestClientAuth(t *testing.T) {
	p := newPKI(t)
	stranger := must(must(certs.NewCA("stranger")).Client("x")).Certificate
	mine := Clients{{Name: "mine", Fingerprints: [][32]byte{sha256.Sum256(p.client.Certificate.Raw)}}, {Name: "anybody"}}
	good, bad, own := []*x509.Certificate{p.client.Certificate}, []*x509.Certificate{stranger}, []*x509.Certificate{p.server.Certificate}
	for _, c := range []struct {
		name  string
		auth  ClientAuth
		shown []*x509.Certificate
		want  string // a client, or "" and the reason
		why   Reason
	}{
		{"required and shown", RequireCertificate, good, "mine", 0},
		{"required and not presented", RequireCertificate, nil, "", CertificateMissing},
		{"required, of an unknown CA", RequireCertificate, bad, "", CertificateUntrusted},
		{"the gateway's own", RequireCertificate, own, "", CertificateOwn},
		{"optional and shown", OptionalCertificate, good, "mine", 0},
		{"optional and not presented", OptionalCertificate, nil, "anybody", 0},
		{"optional, of an unknown CA", OptionalCertificate, bad, "", CertificateUntrusted},
		{"not requested, from an earlier handshake", NoCertificate, good, "anybody", 0},
		{"not requested, of an unknown CA", NoCertificate, bad, "anybody", 0},
		{"not requested, the gateway's own", NoCertificate, own, "anybody", 0},
		{"not requested and not presented", NoCertificate, nil, "anybody", 0},
	} {
		v := must(NewVerifier(&Config{Auth: c.auth, ClientCA: []*x509.Certificate{p.ca.Certificate}, Own: [][]byte{p.server.Certificate.Raw}, Clients: mine}, nil))
		i, until, r := v.Assess(NewPeer(netip.Addr{}, c.shown), c.shown, time.Now())
		got := ""
		if r == nil {
			got = mine[i].Name
		}
		if got != c.want || r != nil && (r.Reason != c.why || i != -1) {
			t.Errorf("%s: expected the client %q or %v, got %q and %v (%d)", c.name, c.want, c.why, got, r, i)
		}
		if (got == "mine") != until.Equal(p.client.Certificate.NotAfter) || got != "mine" && !until.IsZero() {
			t.Errorf("%s: the certificate is valid until %v", c.name, until)
		}
		if r != nil && (len(c.shown) > 0) != (r.Leaf != nil) {
			t.Errorf("%s: the certificate of the refusal is %v", c.name, r.Leaf)
		}
		if known := v.Verify(c.shown, time.Now()); (known == nil) != (r == nil) {
			t.Errorf("%s: Verify returns %v, Assess %v", c.name, known, r)
		}
		if r != nil && r.Error() != r.Text {
			t.Errorf("%s: the error reads %q", c.name, r.Error())
		}
	}
	if _, err := NewVerifier(&Config{Auth: OptionalCertificate}, nil); err == nil {
		t.Error("a Verifier is made without any CA")
	}
}

// Intermediates that one peer sends are not used for the next.
func TestSentIntermediatesAreForTheirPeer(t *testing.T) {
	var none *authority
	root := none.issue("root", nil, true)
	sub := root.issue("sub", nil, true)
	v := must(NewVerifier(&Config{ClientCA: certsOf(root)}, nil))
	before := v.trust.intermediates.Clone()
	if r := v.Verify(certsOf(sub.issue("x", nil, false), sub), time.Now()); r != nil {
		t.Fatalf("a certificate with its intermediate gets %v, expected it good", r)
	}
	if !v.trust.intermediates.Equal(before) {
		t.Error("the intermediate of one peer is used for all of them")
	}
	if r := v.Verify(certsOf(sub.issue("y", nil, false)), time.Now()); r == nil || r.Reason != CertificateUntrusted {
		t.Errorf("a certificate without its intermediate gets %v, expected a refusal as untrusted", r)
	}
}

// A refusal has the peer's own certificate, whichever certificate is at fault.
func TestRefusalsHaveTheLeaf(t *testing.T) {
	var none *authority
	root := none.issue("root", nil, true)
	leaf := root.issue("x", nil, false)
	many := []*authority{leaf}
	for range maxSentCertificates {
		many = append(many, root.issue("other", nil, true))
	}
	v := must(NewVerifier(&Config{ClientCA: certsOf(root)}, nil))
	if r := v.Verify(certsOf(many...), time.Now()); r == nil || r.Reason != CertificateExcessive || !r.Leaf.Equal(leaf.cert) {
		t.Errorf("%d certificates get %v, expected a refusal that has the first", len(many), r)
	}
}

// A path is validated as RFC 5280 §6 specifies: valid signatures are not enough.
//
// Rules: P104
func TestPathsAreValidated(t *testing.T) {
	var none *authority
	root := none.issue("root", nil, true)
	hour := time.Hour
	for _, c := range []struct {
		name string
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
		{"signed by a certificate that is not a CA", func() []*authority {
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
		{"with an unknown critical extension", func() []*authority {
			return []*authority{root.issueWith("x", nil, false, func(c *x509.Certificate) {
				c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: []int{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}})
			})}
		}, false},
	} {
		v := must(NewVerifier(&Config{ClientCA: certsOf(root)}, nil))
		if r := v.Verify(certsOf(c.sent()...), time.Now()); (r == nil) != c.good {
			t.Errorf("%s: %v, expected it accepted: %v", c.name, r, c.good)
		}
	}
}
