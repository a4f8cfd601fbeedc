package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
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
	usual := root.issueWith("leaf", nil, false, func(c *x509.Certificate) {
		c.ExtKeyUsage, c.UnknownExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, []asn1.ObjectIdentifier{{1, 2, 3, 5}}
	})
	mid := old.issue("mid", nil, true)
	// Two intermediates of one key: one has expired, the other, valid longer, is for servers.
	first := root.issueWith("twice", nil, true, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = old.cert.NotBefore, old.cert.NotAfter })
	second := root.issueWith("twice", first.key, true, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
	ofBoth := first.issue("leaf", nil, false)
	v1 := root.version1("v1")
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
		{"the upper one of two intermediates", []*authority{mid.issue("leaf", nil, false), mid, old}, CertificateExpired,
			[]string{"the intermediate certificate of CN=old, which the peer sent, expired on " + old.cert.NotAfter.UTC().Format(time.RFC3339) + ", and here it is " + now.UTC().Format(time.RFC3339) + ": renew it"}},
		{"two of one key, of which one is valid longer", []*authority{ofBoth, first, second}, CertificateUnsuited, []string{"the intermediate certificate of CN=twice, which the peer sent, has extendedKeyUsage serverAuth only"}},
		{"the same, in the other order", []*authority{ofBoth, second, first}, CertificateUnsuited, []string{"the intermediate certificate of CN=twice, which the peer sent, has extendedKeyUsage serverAuth only"}},
		{"an intermediate of version 1", []*authority{v1.issue("leaf", nil, false), v1}, CertificateUnsuited,
			[]string{"the intermediate certificate of CN=v1, which the peer sent, is not a CA (basicConstraints), and has signed another certificate"}},
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
		{"another CA of the same name, and one that may sign none", []*authority{namesake.issue("leaf", nil, false), noCA}, CertificateUntrusted,
			[]string{"bears the name of an issuer that is configured or was sent, CN=root, and is signed by another key"}},
		{"a certificate for servers and something unknown", []*authority{usual}, CertificateUnsuited, []string{"has extendedKeyUsage serverAuth, 1.2.3.5 only"}},
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

// version1 makes a CA of X.509 version 1, which has no extensions to say so.
func (a *authority) version1(name string) *authority {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	algorithm := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}} // ecdsa-with-SHA256
	tbs := must(asn1.Marshal(struct {
		Serial     int
		Algorithm  pkix.AlgorithmIdentifier
		Issuer     asn1.RawValue
		Validity   struct{ From, To time.Time }
		Subject    pkix.RDNSequence
		PublicInfo asn1.RawValue
	}{1, algorithm, asn1.RawValue{FullBytes: a.cert.RawSubject}, struct{ From, To time.Time }{a.cert.NotBefore, a.cert.NotAfter},
		pkix.Name{CommonName: name}.ToRDNSequence(), asn1.RawValue{FullBytes: must(x509.MarshalPKIXPublicKey(&key.PublicKey))}}))
	digest := sha256.Sum256(tbs)
	der := must(asn1.Marshal(struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{asn1.RawValue{FullBytes: tbs}, algorithm, bitString(must(ecdsa.SignASN1(rand.Reader, a.key, digest[:])))}))
	return &authority{must(x509.ParseCertificate(der)), key}
}

func bitString(b []byte) asn1.BitString { return asn1.BitString{Bytes: b, BitLength: 8 * len(b)} }

// A certificate at fault is named by where it comes from, also one of the configuration
// that the peer did not send, and no certificate above an anchor is.
//
// Rules: P104
func TestRefusalsNameWhereTheCertificateIsFrom(t *testing.T) {
	var none *authority
	now := time.Now()
	expired := func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-2*time.Hour), now.Add(-time.Hour) }
	root, expiredRoot := none.issue("root", nil, true), none.issueWith("expired root", nil, true, expired)
	old := root.issueWith("old", nil, true, expired)
	narrow := expiredRoot.issueWith("narrow", nil, true, func(c *x509.Certificate) {
		c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"campus.example"}, true
	})
	v := must(NewVerifier(&Config{ClientCA: certsOf(root, narrow, expiredRoot), Intermediates: certsOf(old)}, nil))
	long := []*authority{expiredRoot.issue("1", nil, true)} // as many as may be sent
	for i := range maxSentCertificates - 2 {
		long = append(long, long[i].issue(fmt.Sprint(i+2), nil, true))
	}
	long = append(long, long[len(long)-1].issue("leaf", nil, false))
	slices.Reverse(long)
	if r := v.Verify(certsOf(long...), now); r == nil || !strings.HasPrefix(r.Text, "the configured CA certificate of CN=expired root expired on ") {
		t.Errorf("%d certificates below a CA that has expired are refused with %v", len(long), r)
	}
	for _, c := range []struct {
		says   string
		leaf   *authority
		reason Reason
		want   string
	}{
		{"an intermediate of the configuration", old.issue("leaf", nil, false), CertificateExpired, "the intermediate certificate of CN=old in [listen].intermediates expired on "},
		{"an anchor below another that expired", narrow.issueWith("leaf", nil, false, func(c *x509.Certificate) { c.DNSNames = []string{"x.other.example"} }), CertificateUnsuited,
			"the certificate of CN=leaf has a path to a configured CA that its issuers do not allow"},
	} {
		r := v.Verify(certsOf(c.leaf), now)
		if r == nil || r.Reason != c.reason || !strings.HasPrefix(r.Text, c.want) {
			t.Errorf("%s: expected %v and %q, got %v", c.says, c.reason, c.want, r)
		}
	}
}

// What certificates are for (RFC 5280 §4.2.1.3, §4.2.1.9, §4.2.1.12).
func TestWhatACertificateIsFor(t *testing.T) {
	other := []asn1.ObjectIdentifier{{1, 2, 3}}
	for _, c := range []struct {
		says             string
		known            []x509.ExtKeyUsage
		unknown          []asn1.ObjectIdentifier
		clients, servers bool
		usages           string
	}{
		{"nothing is said", nil, nil, true, true, ""},
		{"clients", []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, nil, true, false, "clientAuth"},
		{"servers", []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, nil, false, true, "serverAuth"},
		{"anything", []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning, x509.ExtKeyUsageAny}, nil, true, true, ""},
		{"something unknown", nil, other, false, false, "1.2.3"},
		{"something unknown and something known", []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}, other, false, false, "timeStamping, 1.2.3"},
		{"something that has no name here", []x509.ExtKeyUsage{x509.ExtKeyUsageIPSECUser}, nil, false, false, x509.ExtKeyUsageIPSECUser.String()},
	} {
		cert := &x509.Certificate{ExtKeyUsage: c.known, UnknownExtKeyUsage: c.unknown}
		if got := forClients(cert); got != c.clients {
			t.Errorf("%s: expected that it is for clients to be %v, got %v", c.says, c.clients, got)
		}
		if got := forServers(cert); got != c.servers {
			t.Errorf("%s: expected that it is for servers to be %v, got %v", c.says, c.servers, got)
		}
		if got := usages(cert); c.usages != "" && !strings.HasPrefix(got, c.usages) {
			t.Errorf("%s: expected the usages %q, got %q", c.says, c.usages, got)
		}
	}
	for _, c := range []struct {
		says string
		cert x509.Certificate
		want bool
	}{
		{"a CA without keyUsage", x509.Certificate{BasicConstraintsValid: true, IsCA: true}, true},
		{"a CA that may sign certificates", x509.Certificate{BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}, true},
		{"a CA that may sign lists only", x509.Certificate{BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCRLSign}, false},
		{"a CA that may sign in general", x509.Certificate{BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageDigitalSignature}, false},
		{"no CA", x509.Certificate{BasicConstraintsValid: true}, false},
		{"a CA whose basicConstraints are not valid", x509.Certificate{IsCA: true}, false},
	} {
		if got := maySign(&c.cert); got != c.want {
			t.Errorf("%s: expected that it may sign to be %v, got %v", c.says, c.want, got)
		}
	}
}
