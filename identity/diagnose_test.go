package identity

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"strings"
	"testing"
	"time"
)

// The text of a refusal names the certificate that is at fault, what was expected
// and what to do, and no type of Go's.
//
// Rules: P104
func TestRefusalsNameTheCertificateAtFault(t *testing.T) {
	var none *authority
	now := time.Now()
	root := none.issue("root", nil, true)
	sub := root.issue("sub", nil, true)
	deep := sub.issue("deep", nil, true)
	old := root.issueWith("old", nil, true, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-2*time.Hour), now.Add(-time.Hour) })
	young := root.issueWith("young", nil, true, func(c *x509.Certificate) { c.NotBefore = now.Add(30 * time.Minute) })
	noCA := root.issue("no CA", nil, false)
	servers := root.issueWith("servers", nil, true, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
	expiredRoot := none.issueWith("expired root", nil, true, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-2*time.Hour), now.Add(-time.Hour) })
	narrow := root.issueWith("narrow", nil, true, func(c *x509.Certificate) {
		c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"campus.example"}, true
	})
	other := none.issue("other", nil, true)
	namesake := none.issue("root", nil, true)
	critical := root.issueWith("leaf", nil, false, func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
	})
	unusable := root.issueWith("leaf", nil, false, func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageEmailProtection}
		c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 2, 3, 5}}
	})
	for _, c := range []struct {
		says   string
		sent   []*authority
		reason Reason
		texts  []string
	}{
		{"nothing was sent", nil, CertificateMissing, []string{"has shown no certificate"}},
		{"an intermediate that expired", []*authority{old.issue("leaf", nil, false), old}, CertificateExpired,
			[]string{"the intermediate certificate of CN=old, which the peer sent, expired on ", "the peer's own is not the reason"}},
		{"an intermediate that is not valid yet", []*authority{young.issue("leaf", nil, false), young}, CertificateEarly,
			[]string{"the intermediate certificate of CN=young", "is not valid before", "are both clocks right?"}},
		{"a CA that expired", []*authority{expiredRoot.issue("leaf", nil, false)}, CertificateExpired,
			[]string{"the configured CA certificate of CN=expired root expired on "}},
		{"a leaf that expired", []*authority{root.issueWith("leaf", nil, false, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = old.cert.NotBefore, old.cert.NotAfter })}, CertificateExpired,
			[]string{"the certificate of CN=leaf expired on ", "give the peer a new one"}},
		{"an intermediate that was not sent", []*authority{sub.issue("leaf", nil, false)}, CertificateUntrusted,
			[]string{"the certificate of CN=leaf: its issuer CN=sub is not in client_ca", "was not sent", "send its intermediates", "[listen].intermediates"}},
		{"the upper one of two that was not sent", []*authority{deep.issue("leaf", nil, false), deep}, CertificateUntrusted,
			[]string{"leads to that of CN=deep: its issuer CN=sub is not in client_ca"}},
		{"a CA that is not configured, sent along", []*authority{other.issue("leaf", nil, false), other}, CertificateUntrusted,
			[]string{"leads to that of CN=other, which is signed by itself and is not a configured CA"}},
		{"a certificate signed by itself", []*authority{other}, CertificateUntrusted, []string{"the certificate of CN=other, which is signed by itself and is not a configured CA"}},
		{"another CA of the same name", []*authority{namesake.issue("leaf", nil, false)}, CertificateUntrusted,
			[]string{"the certificate of CN=leaf bears the name of an issuer that is configured or was sent, CN=root, and is signed by another key"}},
		{"a certificate for servers", []*authority{unusable}, CertificateUnsuited,
			[]string{"the certificate of CN=leaf has extendedKeyUsage serverAuth, emailProtection, 1.2.3.5 only; expected clientAuth"}},
		{"an intermediate for servers", []*authority{servers.issue("leaf", nil, false), servers}, CertificateUnsuited,
			[]string{"the intermediate certificate of CN=servers", "has extendedKeyUsage serverAuth only"}},
		{"an unknown critical extension", []*authority{critical}, CertificateUnsuited, []string{"the certificate of CN=leaf has the critical extension 1.2.3.4, which is unknown here"}},
		{"a signer that is not a CA", []*authority{noCA.issue("leaf", nil, false), noCA}, CertificateUntrusted, []string{"the certificate of CN=leaf is signed by CN=no CA, which may sign none: it is not a CA"}},
		{"a name that the issuer may not give", []*authority{narrow.issueWith("leaf", nil, false, func(c *x509.Certificate) { c.DNSNames = []string{"x.other.example"} }), narrow}, CertificateUnsuited,
			[]string{"the certificate of CN=leaf has a path to a configured CA that its issuers do not allow", "x.other.example"}},
		{"eleven certificates", []*authority{root, root, root, root, root, root, root, root, root, root, root}, CertificateExcessive, []string{"the peer sent 11 certificates"}},
	} {
		v := must(NewVerifier(&Config{ClientCA: certsOf(root, expiredRoot)}, nil))
		r := v.Verify(certsOf(c.sent...), now)
		if r == nil {
			t.Errorf("%s: the certificate is taken", c.says)
			continue
		}
		if r.Reason != c.reason {
			t.Errorf("%s: it is refused as %v, want %v: %v", c.says, r.Reason, c.reason, r)
		}
		for _, text := range append(c.texts, "") {
			if !strings.Contains(r.Text, text) {
				t.Errorf("%s: the text %q does not say %q", c.says, r.Text, text)
			}
		}
		for _, bad := range []string{"x509", "asn1", "tls:", "*ecdsa"} {
			if strings.Contains(r.Text, bad) {
				t.Errorf("%s: the text %q names %q", c.says, r.Text, bad)
			}
		}
	}
	for r := range NumReasons {
		if r.String() == "" {
			t.Errorf("reason %d has no name", r)
		}
	}
}
