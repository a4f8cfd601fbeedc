package identity

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"radsec-gw/certs"
)

// ownTime is when the chains of these tests are looked at.
var ownTime = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// signer is a certificate and the key that belongs to it.
type signer struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// under makes a certificate that l signed; a nil l makes itself. change may be nil.
func (l *signer) under(name string, key crypto.Signer, change func(*x509.Certificate)) *signer {
	if key == nil {
		key = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	}
	serial++
	c := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
		NotBefore: ownTime.AddDate(-1, 0, 0), NotAfter: ownTime.AddDate(1, 0, 0), BasicConstraintsValid: true}
	if change != nil {
		change(c)
	}
	issuer, by := c, key
	if l != nil {
		issuer, by = l.cert, l.key
	}
	return &signer{must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, c, issuer, key.Public(), by)))), key}
}

func ofCA(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign }

func ofServer(c *x509.Certificate) {
	c.DNSNames, c.KeyUsage, c.ExtKeyUsage = []string{"radsec.example.org"}, x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
}

// both applies changes in turn.
func both(changes ...func(*x509.Certificate)) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		for _, change := range changes {
			change(c)
		}
	}
}

// withSignature gives a certificate another signature algorithm; the signature is
// wrong then, which nobody looks at where the algorithm is refused.
func (l *signer) withSignature(a x509.SignatureAlgorithm) *signer {
	c := *l.cert
	c.SignatureAlgorithm = a
	return &signer{&c, l.key}
}

// withKey gives a certificate another public key; nobody looks at what it signs.
func (l *signer) withKey(key any) *signer {
	c := *l.cert
	c.PublicKey = key
	return &signer{&c, l.key}
}

// The gateway's own chain is looked at as clients of each kind do.
//
// Rules: P105
func TestOwnChain(t *testing.T) {
	root := (*signer)(nil).under("root", nil, ofCA)
	upper := root.under("upper", nil, ofCA)
	lower := upper.under("lower", nil, ofCA)
	leaf := lower.under("gw", nil, ofServer)
	direct := root.under("gw", nil, ofServer)
	stranger := (*signer)(nil).under("stranger", nil, ofCA)
	signed := func(change func(*x509.Certificate)) *signer { return root.under("gw", nil, both(ofServer, change)) }
	keyed := func(key crypto.Signer) *signer { return root.under("gw", key, ofServer) }
	below := func(change func(*x509.Certificate)) []*signer {
		between := root.under("between", nil, both(ofCA, change))
		return []*signer{between.under("gw", nil, ofServer), between}
	}
	_, edwards, _ := ed25519.GenerateKey(rand.Reader)
	ofEdwards := root.under("edwards", edwards, ofCA)
	for _, c := range []struct {
		name  string
		chain []*signer
		known []*signer
		want  []string // severity and part of the text, in order
	}{
		{"signed by a known root", []*signer{direct}, []*signer{root}, nil},
		{"the root sent along", []*signer{direct, root}, nil, nil},
		{"two intermediates", []*signer{leaf, lower, upper}, []*signer{root}, nil},
		{"all of it", []*signer{leaf, lower, upper, root}, nil, nil},
		{"self-signed", []*signer{(*signer)(nil).under("gw", nil, ofServer)}, nil, nil},
		{"who signed it is unknown", []*signer{direct}, nil, []string{"0 CN=root, which signed the certificate of CN=gw, is neither sent nor known here"}},

		{"expired", []*signer{signed(func(c *x509.Certificate) { c.NotAfter = ownTime.Add(-time.Second) })}, []*signer{root}, []string{"2 the certificate of CN=gw expired on 2026-06-01 11:59:59: clients refuse it"}},
		{"not valid yet", []*signer{signed(func(c *x509.Certificate) { c.NotBefore = ownTime.Add(time.Hour) })}, []*signer{root}, []string{"2 the certificate of CN=gw is not valid before 2026-06-01 13:00:00, which by this clock is yet to come"}},
		{"near its end", []*signer{signed(func(c *x509.Certificate) { c.NotAfter = ownTime.AddDate(0, 0, 29) })}, []*signer{root}, []string{"1 the certificate of CN=gw expires on 2026-06-30"}},
		{"not so near its end", []*signer{signed(func(c *x509.Certificate) { c.NotAfter = ownTime.AddDate(0, 0, 31) })}, []*signer{root}, nil},
		{"for clients only", []*signer{signed(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })}, []*signer{root}, []string{"2 the certificate of CN=gw is not for servers (extendedKeyUsage lacks serverAuth)"}},
		{"for any purpose", []*signer{signed(func(c *x509.Certificate) { c.ExtKeyUsage = nil })}, []*signer{root}, nil},
		{"without subjectAltName", []*signer{signed(func(c *x509.Certificate) { c.DNSNames = nil })}, []*signer{root}, []string{"1 the certificate of CN=gw has no host names or addresses (subjectAltName): clients that check the name refuse it, whatever its common name"}},
		{"a key that may not sign", []*signer{signed(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment })}, []*signer{root}, []string{"1 the certificate of CN=gw does not allow its key to sign"}},

		{"an expired intermediate", below(func(c *x509.Certificate) { c.NotAfter = ownTime.AddDate(0, 0, -1) }), []*signer{root}, []string{"1 the certificate of CN=between expired on 2026-05-31 12:00:00: clients that have no newer one"}},
		{"an intermediate that is not valid yet", below(func(c *x509.Certificate) { c.NotBefore = ownTime.AddDate(0, 0, 1) }), []*signer{root}, []string{"1 the certificate of CN=between is not valid before"}},
		{"an intermediate that is no CA", below(func(c *x509.Certificate) { c.IsCA = false; c.KeyUsage = 0 }), []*signer{root}, []string{"1 CN=between signed a certificate of the chain and is not a CA"}},
		{"an intermediate that may not sign", below(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }), []*signer{root}, []string{"1 CN=between signed a certificate of the chain and must not"}},
		{"an intermediate for clients", below(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), []*signer{root}, []string{"1 CN=between may not sign certificates for servers"}},
		{"an intermediate for other names", below(func(c *x509.Certificate) {
			c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"example.com"}
		}), []*signer{root}, []string{"1 the chain does not verify as clients do it: x509: "}},
		{"too long", []*signer{leaf, lower, upper, root.under("root", root.key, func(c *x509.Certificate) { ofCA(c); c.MaxPathLen = 1 })}, nil, []string{"1 CN=root allows 1 intermediates below it (pathLenConstraint), and the chain has 2"}},

		{"a missing intermediate", []*signer{leaf}, []*signer{lower, upper, root}, []string{"1 the intermediate CN=lower, which signed the certificate of CN=gw, is not sent"}},
		{"the upper intermediate is missing", []*signer{leaf, lower}, []*signer{upper}, []string{"1 the intermediate CN=upper, which signed the certificate of CN=lower, is not sent"}},
		{"a missing intermediate of a public CA", []*signer{signed(func(c *x509.Certificate) { c.IssuingCertificateURL = []string{"http://ca.example/i.der"} })}, nil, []string{"1 CN=root, which signed the certificate of CN=gw, is not sent, and the certificate says where to fetch it"}},
		{"out of order", []*signer{leaf, upper, lower}, []*signer{root}, []string{"1 the chain is out of order"}},
		{"an unrelated certificate", []*signer{direct, stranger}, []*signer{root}, []string{"1 certificate 2 of the chain, of CN=stranger, signed none of those before it: strict clients refuse the chain; remove it, or put the certificate of CN=root there"}},
		{"another key of the same name", []*signer{direct, (*signer)(nil).under("root", nil, ofCA)}, []*signer{root}, []string{"1 certificate 2 of the chain, of CN=root, signed none"}},
		{"one twice", []*signer{leaf, lower, lower, upper}, []*signer{root}, []string{"1 the chain is out of order", "0 the certificate of CN=lower is in the chain twice"}},

		{"a missing intermediate, known behind another", []*signer{leaf}, []*signer{upper, lower}, []string{"1 the intermediate CN=lower, which signed the certificate of CN=gw, is not sent"}},
		{"the root and one that was renewed with its key", []*signer{direct, root, root.under("root", root.key, ofCA)}, nil, nil},
		{"an unrelated certificate behind the root", []*signer{direct, root, stranger}, nil, []string{"1 certificate 3 of the chain, of CN=stranger, signed none of those before it: strict clients refuse the chain; remove it, or put the certificate of CN=root there"}},
		{"one twice, and an unrelated one", []*signer{leaf, lower, lower, upper, stranger}, []*signer{root}, []string{"1 certificate 5 of the chain, of CN=stranger", "1 the chain is out of order", "0 the certificate of CN=lower is in the chain twice"}},

		{"RSA with 1024 bits", []*signer{keyed(must(rsa.GenerateKey(rand.Reader, 1024)))}, []*signer{root}, []string{"1 the RSA key of CN=gw has 1024 bits"}},
		{"RSA with 2048 bits", []*signer{keyed(must(rsa.GenerateKey(rand.Reader, 2048)))}, []*signer{root}, nil},
		{"P-224", []*signer{keyed(must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader)))}, []*signer{root}, []string{"1 the key of CN=gw is on the curve P-224"}},
		{"P-521", []*signer{keyed(must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)))}, []*signer{root}, nil},
		{"RSA with 2047 bits", []*signer{direct.withKey(rsaKey(2047, 65537))}, []*signer{root}, []string{"1 the RSA key of CN=gw has 2047 bits: OpenSSL and others refuse less than 2048"}},
		{"RSA with 8192 bits", []*signer{direct.withKey(rsaKey(8192, 65537))}, []*signer{root}, nil},
		{"RSA with 8193 bits", []*signer{direct.withKey(rsaKey(8193, 65537))}, []*signer{root}, []string{"1 the RSA key of CN=gw has 8193 bits: clients written in Go"}},
		{"P-384", []*signer{keyed(must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)))}, []*signer{root}, nil},
		{"a key of another kind", []*signer{direct.withKey(nil)}, []*signer{root}, []string{"1 the key of CN=gw is of the type ECDSA, which clients in the field do not know"}},
		{"Ed25519 in an intermediate", []*signer{ofEdwards.under("gw", nil, ofServer), ofEdwards}, []*signer{root}, nil},
		{"a signature of no common kind", []*signer{direct.withSignature(x509.UnknownSignatureAlgorithm)}, nil, []string{"1 the certificate of CN=gw is signed with an algorithm that is in no common use", "0 "}},
		{"a critical extension", []*signer{signed(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
		})}, []*signer{root}, []string{"1 the certificate of CN=gw has the critical extension 1.2.3.4"}},
		{"an address and no name", []*signer{signed(func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, []net.IP{net.IPv4(192, 0, 2, 1)} })}, []*signer{root}, nil},
		{"a name and an address", []*signer{signed(func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 1)} })}, []*signer{root}, nil},
		{"no keyUsage at all", []*signer{signed(func(c *x509.Certificate) { c.KeyUsage = 0 })}, []*signer{root}, nil},
		{"its last moment", []*signer{signed(func(c *x509.Certificate) { c.NotAfter = ownTime })}, []*signer{root}, []string{"1 the certificate of CN=gw expires on 2026-06-01 12:00:00"}},
		{"its first moment", []*signer{signed(func(c *x509.Certificate) { c.NotBefore = ownTime })}, []*signer{root}, nil},
		{"30 days before its end", []*signer{signed(func(c *x509.Certificate) { c.NotAfter = ownTime.Add(expiresSoon) })}, []*signer{root}, nil},
		{"an intermediate without keyUsage", below(func(c *x509.Certificate) { c.KeyUsage = 0 }), []*signer{root}, nil},
		{"as long as is allowed", []*signer{leaf, lower, upper, root.under("root", root.key, func(c *x509.Certificate) { ofCA(c); c.MaxPathLen = 2 })}, nil, nil},
		{"no intermediates allowed, and one there", []*signer{leaf, lower, upper.under("upper", upper.key, func(c *x509.Certificate) { ofCA(c); c.MaxPathLenZero = true })}, []*signer{root}, []string{"1 CN=upper allows 0 intermediates below it (pathLenConstraint), and the chain has 1"}},
		{"no intermediates allowed, and none there", below(func(c *x509.Certificate) { c.MaxPathLenZero = true }), []*signer{root}, nil},
		{"Ed25519", []*signer{keyed(edwards)}, []*signer{root}, []string{"0 the key of CN=gw is Ed25519"}},
		{"SHA-1", []*signer{direct.withSignature(x509.ECDSAWithSHA1)}, []*signer{root}, []string{"1 the certificate of CN=gw is signed with ECDSA-SHA1"}},
		{"SHA-1 in an intermediate", []*signer{leaf, lower.withSignature(x509.SHA1WithRSA), upper}, []*signer{root}, []string{"1 the certificate of CN=lower is signed with SHA1-RSA"}},
		{"SHA-1 in the root, at which nobody looks", []*signer{direct, root.withSignature(x509.ECDSAWithSHA1)}, nil, nil},
		{"the worst first", []*signer{signed(func(c *x509.Certificate) { c.DNSNames, c.NotAfter = nil, ownTime.Add(-time.Hour) })}, nil, []string{"2 ", "1 ", "0 "}},
		{"none", nil, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			if len(c.chain) > 0 {
				fatal := len(c.want) > 0 && strings.HasPrefix(c.want[0], "2 ")
				if why := cmp.Or(Refused(c.chain[0].cert, ownTime), Damage(linked(c.chain), linked(c.known))); (why != "") != fatal || fatal && !strings.HasPrefix("2 "+why, c.want[0]) {
					t.Errorf("every client refuses it because %q, expected %v", why, fatal)
				}
			}
			for _, f := range OwnChain(linked(c.chain), linked(c.known), ownTime) {
				got = append(got, fmt.Sprint(f.Severity, " ", f.Text))
			}
			for i := range max(len(got), len(c.want)) {
				if i >= len(got) || i >= len(c.want) || !strings.HasPrefix(got[i], c.want[i]) {
					t.Fatalf("found %q\nexpected %q", got, c.want)
				}
			}
			now, later := OwnChain(linked(c.chain), linked(c.known), ownTime.Add(time.Second)), OwnChain(linked(c.chain), linked(c.known), ownTime.Add(time.Minute))
			if !slices.Equal(now, later) {
				t.Errorf("a minute later the same is told in other words, and so as news: %q", later)
			}
		})
	}
}

func linked(links []*signer) (list []*x509.Certificate) {
	for _, l := range links {
		list = append(list, l.cert)
	}
	return list
}

// Who signed a certificate is found by name, by key identifiers where both have them,
// and by the signature.
func TestSignedBy(t *testing.T) {
	root, namesake, other := (*signer)(nil).under("root", nil, ofCA), (*signer)(nil).under("root", nil, ofCA), (*signer)(nil).under("other", nil, ofCA)
	leaf := root.under("gw", nil, ofServer)
	for _, c := range []struct {
		says                 string
		issuer               *signer
		authorityID, subject []byte
		want                 bool
	}{
		{"the issuer", root, []byte{1}, []byte{1}, true},
		{"without identifiers", root, nil, nil, true},
		{"an identifier in the issuer alone", root, nil, []byte{1}, true},
		{"an identifier in the certificate alone", root, []byte{1}, nil, true},
		{"identifiers that differ", root, []byte{1}, []byte{2}, false},
		{"another key of the name", namesake, nil, nil, false},
		{"another name", other, nil, nil, false},
	} {
		cert, issuer := *leaf.cert, *c.issuer.cert
		cert.AuthorityKeyId, issuer.SubjectKeyId = c.authorityID, c.subject
		if got := signedBy(&cert, &issuer); got != c.want {
			t.Errorf("%s: expected %v, got %v", c.says, c.want, got)
		}
	}
}

// The first of a chain's certificates to end is the one that counts.
func TestEarliestEnd(t *testing.T) {
	at := func(days int) *x509.Certificate { return &x509.Certificate{NotAfter: ownTime.AddDate(0, 0, days)} }
	for _, c := range []struct {
		chain []*x509.Certificate
		want  time.Time
	}{
		{nil, time.Time{}},
		{[]*x509.Certificate{at(3)}, ownTime.AddDate(0, 0, 3)},
		{[]*x509.Certificate{at(3), at(-2), at(9)}, ownTime.AddDate(0, 0, -2)},
	} {
		if got := EarliestEnd(c.chain); !got.Equal(c.want) {
			t.Errorf("the chain ends on %v, expected %v", got, c.want)
		}
	}
}

// A certificate of which one byte has changed is told of as damaged where the CA that it
// names is at hand, in the chain or beside it.
func TestDamagedOwnCertificate(t *testing.T) {
	p := newPKI(t)
	whole := p.server.Certificate
	der := bytes.Clone(whole.Raw)
	der[len(der)-1] ^= 1
	damaged := must(x509.ParseCertificate(der))
	ca := []*x509.Certificate{p.ca.Certificate}
	twin := must(certs.NewCA("test CA", func(c *x509.Certificate) { c.SubjectKeyId = ca[0].SubjectKeyId })).Certificate
	changed := *whole
	changed.SignatureAlgorithm = x509.UnknownSignatureAlgorithm
	unknown := &changed
	bad := func(c *x509.Certificate, change certs.Change) *x509.Certificate {
		changed := *c
		change(&changed)
		return &changed
	}
	broken := func(c *x509.Certificate) { c.Signature = bytes.Repeat([]byte{1}, len(c.Signature)) }
	signer := func(change certs.Change) []*x509.Certificate { return []*x509.Certificate{bad(ca[0], change)} }
	ofSize := func(bits uint) certs.Change {
		return func(c *x509.Certificate) {
			c.PublicKey, c.PublicKeyAlgorithm = &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), int(bits)-1, 1), E: 65537}, x509.RSA
		}
	}
	signedByRSA := bad(damaged, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA256WithRSA })
	for _, c := range []struct {
		says         string
		chain, known []*x509.Certificate
		want         bool
	}{
		{"whole", []*x509.Certificate{whole}, ca, false},
		{"damaged", []*x509.Certificate{damaged}, ca, true},
		{"damaged, with its CA", []*x509.Certificate{damaged, ca[0]}, nil, true},
		{"damaged, with a CA that nobody knows here", []*x509.Certificate{damaged}, nil, false},
		{"whole, beside another CA of the name and key identifier", []*x509.Certificate{whole}, []*x509.Certificate{twin, ca[0]}, false},
		{"signed as Go cannot verify it", []*x509.Certificate{unknown}, ca, false},
		{"signed with a key that is too short for Go to verify with", []*x509.Certificate{signedByRSA}, signer(ofSize(1023)), false},
		{"signed with an exponent that is too large for that", []*x509.Certificate{signedByRSA}, signer(func(c *x509.Certificate) {
			ofSize(2048)(c)
			c.PublicKey.(*rsa.PublicKey).E = 1<<31 + 1
		}), false},
		{"signed with a key of a kind that Go does not know", []*x509.Certificate{damaged}, signer(func(c *x509.Certificate) { c.PublicKey = nil }), false},
		{"signed with SHA-1", []*x509.Certificate{bad(damaged, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 })}, ca, false},
		{"signed with the shortest that it does", []*x509.Certificate{signedByRSA}, signer(ofSize(1024)), true},
		{"damaged, beside a CA of another name", []*x509.Certificate{damaged}, signer(func(c *x509.Certificate) { c.RawSubject = []byte{1} }), false},
		{"damaged, beside another CA of its name", []*x509.Certificate{damaged}, signer(func(c *x509.Certificate) { c.SubjectKeyId = []byte{1} }), false},
		{"damaged, and it names no key", []*x509.Certificate{bad(damaged, func(c *x509.Certificate) { c.AuthorityKeyId = nil })}, signer(func(c *x509.Certificate) { c.SubjectKeyId = nil }), false},
		{"damaged, and it names a key by one octet", []*x509.Certificate{bad(damaged, func(c *x509.Certificate) { c.AuthorityKeyId = []byte{7} })}, signer(func(c *x509.Certificate) { c.SubjectKeyId = []byte{7} }), true},
		{"whole, with a CA whose own signature is broken", []*x509.Certificate{whole, bad(ca[0], broken)}, nil, false},
		{"whole, with such a CA that names its own key", []*x509.Certificate{whole, bad(ca[0], func(c *x509.Certificate) { broken(c); c.AuthorityKeyId = c.SubjectKeyId })}, nil, false},
	} {
		told := slices.ContainsFunc(OwnChain(c.chain, c.known, time.Now()), func(f Finding) bool {
			return f.Severity == Fatal && strings.Contains(f.Text, "one of the two is damaged")
		})
		if told != c.want {
			t.Errorf("%s: told of as damaged: %v, expected %v", c.says, told, c.want)
		}
		if why := Damage(c.chain, c.known); strings.Contains(why, "one of the two is damaged") != c.want || (why != "") != c.want {
			t.Errorf("%s: every client refuses it because %q, expected that it is damaged: %v", c.says, why, c.want)
		}
	}
}

// A certificate of which octets have changed is told from a new one.
func TestAltered(t *testing.T) {
	p := newPKI(t)
	whole := p.server.Certificate
	other := must(p.ca.Server("another")).Certificate
	with := func(change certs.Change) *x509.Certificate {
		c := *whole
		c.Raw = append(bytes.Clone(c.Raw), 0)
		change(&c)
		return &c
	}
	for _, c := range []struct {
		says string
		cert *x509.Certificate
		want bool
	}{
		{"the same", whole, false},
		{"another", other, false},
		{"other octets", with(func(*x509.Certificate) {}), true},
		{"another issuer", with(func(c *x509.Certificate) { c.RawIssuer = nil }), true},
		{"another key of the issuer", with(func(c *x509.Certificate) { c.AuthorityKeyId = nil }), true},
		{"both", with(func(c *x509.Certificate) { c.RawIssuer, c.AuthorityKeyId = nil, nil }), false},
		{"a renewal with the key", with(func(c *x509.Certificate) { c.SerialNumber = big.NewInt(7) }), false},
		{"another key", with(func(c *x509.Certificate) { c.RawSubjectPublicKeyInfo = nil }), false},
	} {
		if got := Altered(c.cert, whole); got != c.want {
			t.Errorf("%s: expected %v, got %v", c.says, c.want, got)
		}
	}
	a, b := with(func(c *x509.Certificate) { c.RawIssuer, c.AuthorityKeyId = []byte{1}, nil }), with(func(c *x509.Certificate) { c.RawIssuer, c.AuthorityKeyId = []byte{2}, nil })
	b.Raw = append(b.Raw, 1)
	if Altered(a, b) {
		t.Error("certificates of two issuers that name no keys are taken for one")
	}
	a.AuthorityKeyId, b.AuthorityKeyId = []byte{7}, []byte{7}
	if !Altered(a, b) {
		t.Error("one that names its issuer's key by one octet, and another issuer, is taken for a new one")
	}
}
