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

// faultCase is a list of certificates that a peer sends, and the refusal that it gets.
type faultCase struct {
	name   string
	sent   []*authority
	reason Reason
	texts  []string
}

// expired makes a certificate one that expired an hour ago.
func expired(c *x509.Certificate) {
	c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
}

// forServersOnly makes a certificate one for servers.
func forServersOnly(c *x509.Certificate) {
	c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
}

// validityCases are about certificates that expired or are not valid yet.
func validityCases(root, expiredRoot *authority, now time.Time) []faultCase {
	old := root.issueWith("old", nil, true, expired)
	young := root.issueWith("young", nil, true, func(c *x509.Certificate) { c.NotBefore = now.Add(30 * time.Minute) })
	mid := old.issue("mid", nil, true)
	return []faultCase{
		{"an intermediate that expired", []*authority{old.issue("leaf", nil, false), old}, CertificateExpired,
			[]string{"the intermediate certificate of CN=old, which the peer sent, expired on ", "the peer's own certificate is not the reason"}},
		{"an intermediate that is not valid yet", []*authority{young.issue("leaf", nil, false), young}, CertificateEarly,
			[]string{"the intermediate certificate of CN=young", "is not valid before", "are both clocks right?"}},
		{"a CA that expired", []*authority{expiredRoot.issue("leaf", nil, false)}, CertificateExpired,
			[]string{"the configured CA certificate of CN=expired root expired on "}},
		{"the upper one of two intermediates", []*authority{mid.issue("leaf", nil, false), mid, old}, CertificateExpired,
			[]string{"the intermediate certificate of CN=old, which the peer sent, expired on " + old.cert.NotAfter.UTC().Format(time.RFC3339) + ", and the time here is " + now.UTC().Format(time.RFC3339) + ": renew it"}},
		{"a leaf that expired", []*authority{root.issueWith("leaf", nil, false, expired)}, CertificateExpired,
			[]string{"the certificate of CN=leaf expired on ", "give the peer a new one"}},
	}
}

// purposeCases are about certificates that are for something else.
func purposeCases(root *authority) []faultCase {
	servers := root.issueWith("servers", nil, true, forServersOnly)
	narrow := root.issueWith("narrow", nil, true, func(c *x509.Certificate) {
		c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"campus.example"}, true
	})
	critical := root.issueWith("leaf", nil, false, func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
	})
	usual := root.issueWith("leaf", nil, false, func(c *x509.Certificate) {
		c.ExtKeyUsage, c.UnknownExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, []asn1.ObjectIdentifier{{1, 2, 3, 5}}
	})
	unusable := root.issueWith("leaf", nil, false, func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageEmailProtection}
		c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 2, 3, 5}}
	})
	// Two intermediates of one key: one has expired, the other, valid longer, is for servers.
	first := root.issueWith("twice", nil, true, expired)
	second := root.issueWith("twice", first.key, true, forServersOnly)
	ofBoth := first.issue("leaf", nil, false)
	twice := []string{"the intermediate certificate of CN=twice, which the peer sent, has extendedKeyUsage serverAuth only"}
	v1 := root.version1("v1")
	return []faultCase{
		{"two of one key, of which one is valid longer", []*authority{ofBoth, first, second}, CertificateUnsuited, twice},
		{"the same, in the other order", []*authority{ofBoth, second, first}, CertificateUnsuited, twice},
		{"an intermediate of version 1", []*authority{v1.issue("leaf", nil, false), v1}, CertificateUnsuited,
			[]string{"the intermediate certificate of CN=v1, which the peer sent, is not a CA (basicConstraints), but signed another certificate"}},
		{"a certificate for servers and something unknown", []*authority{usual}, CertificateUnsuited, []string{"has extendedKeyUsage serverAuth, 1.2.3.5 only"}},
		{"a certificate for servers", []*authority{unusable}, CertificateUnsuited,
			[]string{"the certificate of CN=leaf has extendedKeyUsage serverAuth, emailProtection, 1.2.3.5 only; expected clientAuth"}},
		{"an intermediate for servers", []*authority{servers.issue("leaf", nil, false), servers}, CertificateUnsuited,
			[]string{"the intermediate certificate of CN=servers", "has extendedKeyUsage serverAuth only"}},
		{"an unknown critical extension", []*authority{critical}, CertificateUnsuited, []string{"the certificate of CN=leaf has the critical extension 1.2.3.4, which is not supported"}},
		{"a name that the issuer may not sign for", []*authority{narrow.issueWith("leaf", nil, false, func(c *x509.Certificate) { c.DNSNames = []string{"x.other.example"} }), narrow}, CertificateUnsuited,
			[]string{"the certificate of CN=leaf has a path to a configured CA that its issuers do not allow", "x.other.example"}},
	}
}

// untrustedCases are about certificates without a path to a configured CA.
func untrustedCases(root *authority) []faultCase {
	var none *authority
	sub := root.issue("sub", nil, true)
	deep := sub.issue("deep", nil, true)
	noCA := root.issue("no CA", nil, false)
	other, namesake := none.issue("other", nil, true), none.issue("root", nil, true)
	const otherKey = "names an issuer that is configured or was sent, CN=root, but was signed by another key"
	return []faultCase{
		{"no certificate", nil, CertificateMissing, []string{"presented no certificate"}},
		{"an intermediate that was not sent", []*authority{sub.issue("leaf", nil, false)}, CertificateUntrusted,
			[]string{"the certificate of CN=leaf: its issuer CN=sub is not in client_ca", "was not sent", "send its intermediates", "[listen].intermediates"}},
		{"the upper one of two that was not sent", []*authority{deep.issue("leaf", nil, false), deep}, CertificateUntrusted,
			[]string{"leads to that of CN=deep: its issuer CN=sub is not in client_ca"}},
		{"a CA that is not configured, sent along", []*authority{other.issue("leaf", nil, false), other}, CertificateUntrusted,
			[]string{"leads to that of CN=other, which is self-signed and is not a configured CA"}},
		{"a self-signed certificate", []*authority{other}, CertificateUntrusted, []string{"the certificate of CN=other, which is self-signed and is not a configured CA"}},
		{"another CA of the same name", []*authority{namesake.issue("leaf", nil, false)}, CertificateUntrusted, []string{"the certificate of CN=leaf " + otherKey}},
		{"another CA of the same name, and one that may sign none", []*authority{namesake.issue("leaf", nil, false), noCA}, CertificateUntrusted, []string{otherKey}},
		{"a signer that is not a CA", []*authority{noCA.issue("leaf", nil, false), noCA}, CertificateUntrusted,
			[]string{"the certificate of CN=leaf is signed by CN=no CA, which may not sign certificates: it is not a CA"}},
		{"eleven certificates", []*authority{root, root, root, root, root, root, root, root, root, root, root}, CertificateExcessive, []string{"the peer sent 11 certificates"}},
	}
}

// The text of a refusal names the certificate that is at fault, what was expected
// and what to do, and no type of Go's.
//
// Rules: P104
func TestRefusalsNameTheCertificateAtFault(t *testing.T) {
	var none *authority
	now := time.Now()
	root, expiredRoot := none.issue("root", nil, true), none.issueWith("expired root", nil, true, expired)
	for _, c := range slices.Concat(validityCases(root, expiredRoot, now), purposeCases(root), untrustedCases(root)) {
		v := must(NewVerifier(&Config{ClientCA: certsOf(root, expiredRoot)}, nil))
		r := v.Verify(certsOf(c.sent...), now)
		if r == nil {
			t.Errorf("%s: the certificate is accepted", c.name)
			continue
		}
		if r.Reason != c.reason {
			t.Errorf("%s: it is refused as %v, want %v: %v", c.name, r.Reason, c.reason, r)
		}
		for _, text := range c.texts {
			if !strings.Contains(r.Text, text) {
				t.Errorf("%s: the text %q does not contain %q", c.name, r.Text, text)
			}
		}
		for _, bad := range []string{"x509", "asn1", "tls:", "*ecdsa"} {
			if strings.Contains(r.Text, bad) {
				t.Errorf("%s: the text %q contains %q", c.name, r.Text, bad)
			}
		}
	}
	for r := range NumReasons {
		if r.String() == "" {
			t.Errorf("reason %d has no name", r)
		}
	}
}

// version1 makes a CA with X.509 version 1, which has no extensions.
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

// The text says where the certificate at fault comes from, also if it is configured and
// the peer did not send it. Certificates above an anchor are never at fault.
//
// Rules: P104
func TestRefusalsNameTheOrigin(t *testing.T) {
	var none *authority
	now := time.Now()
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
		name   string
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
			t.Errorf("%s: expected %v and %q, got %v", c.name, c.reason, c.want, r)
		}
	}
}

// The purposes of certificates (RFC 5280 §4.2.1.3, §4.2.1.9, §4.2.1.12).
func TestPurposes(t *testing.T) {
	other := []asn1.ObjectIdentifier{{1, 2, 3}}
	for _, c := range []struct {
		name             string
		known            []x509.ExtKeyUsage
		unknown          []asn1.ObjectIdentifier
		clients, servers bool
		usages           string
	}{
		{"no extendedKeyUsage", nil, nil, true, true, ""},
		{"clients", []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, nil, true, false, "clientAuth"},
		{"servers", []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, nil, false, true, "serverAuth"},
		{"anything", []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning, x509.ExtKeyUsageAny}, nil, true, true, ""},
		{"something unknown", nil, other, false, false, "1.2.3"},
		{"something unknown and something known", []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}, other, false, false, "timeStamping, 1.2.3"},
		{"something without a name here", []x509.ExtKeyUsage{x509.ExtKeyUsageIPSECUser}, nil, false, false, x509.ExtKeyUsageIPSECUser.String()},
	} {
		cert := &x509.Certificate{ExtKeyUsage: c.known, UnknownExtKeyUsage: c.unknown}
		if got := forClients(cert); got != c.clients {
			t.Errorf("%s: expected whether it is for clients to be %v, got %v", c.name, c.clients, got)
		}
		if got := forServers(cert); got != c.servers {
			t.Errorf("%s: expected whether it is for servers to be %v, got %v", c.name, c.servers, got)
		}
		if got := usages(cert); c.usages != "" && !strings.HasPrefix(got, c.usages) {
			t.Errorf("%s: expected the usages %q, got %q", c.name, c.usages, got)
		}
	}
	for _, c := range []struct {
		name string
		cert x509.Certificate
		want bool
	}{
		{"a CA without keyUsage", x509.Certificate{BasicConstraintsValid: true, IsCA: true}, true},
		{"a CA that may sign certificates", x509.Certificate{BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}, true},
		{"a CA that may sign lists only", x509.Certificate{BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCRLSign}, false},
		{"a CA that may sign in general", x509.Certificate{BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageDigitalSignature}, false},
		{"not a CA", x509.Certificate{BasicConstraintsValid: true}, false},
		{"a CA whose basicConstraints are not valid", x509.Certificate{IsCA: true}, false},
	} {
		if got := maySign(&c.cert); got != c.want {
			t.Errorf("%s: expected whether it may sign to be %v, got %v", c.name, c.want, got)
		}
	}
}
