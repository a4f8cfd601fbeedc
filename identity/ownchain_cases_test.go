package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net"
	"time"
)

// ownCase is a chain and the findings about it.
type ownCase struct {
	name  string
	chain []*signer
	known []*signer
	want  []string // severity and part of the text, in order
}

// ownPKI has the certificates that the chains consist of.
type ownPKI struct {
	root, upper, lower *signer
	leaf               *signer // below lower
	direct             *signer // below root
	stranger           *signer
}

func newOwnPKI() *ownPKI {
	p := &ownPKI{root: (*signer)(nil).under("root", nil, ofCA), stranger: (*signer)(nil).under("stranger", nil, ofCA)}
	p.upper = p.root.under("upper", nil, ofCA)
	p.lower = p.upper.under("lower", nil, ofCA)
	p.leaf = p.lower.under("gw", nil, ofServer)
	p.direct = p.root.under("gw", nil, ofServer)
	return p
}

// signed returns a leaf with a change.
func (p *ownPKI) signed(change func(*x509.Certificate)) *signer {
	return p.root.under("gw", nil, both(ofServer, change))
}

// keyed returns a leaf with this key.
func (p *ownPKI) keyed(key crypto.Signer) *signer { return p.root.under("gw", key, ofServer) }

// below returns a leaf below an intermediate with a change.
func (p *ownPKI) below(change func(*x509.Certificate)) []*signer {
	between := p.root.under("between", nil, both(ofCA, change))
	return []*signer{between.under("gw", nil, ofServer), between}
}

// structureCases are about order and completeness of the chain.
func (p *ownPKI) structureCases() []ownCase {
	return []ownCase{
		{"signed by a known root", []*signer{p.direct}, []*signer{p.root}, nil},
		{"the root sent along", []*signer{p.direct, p.root}, nil, nil},
		{"two intermediates", []*signer{p.leaf, p.lower, p.upper}, []*signer{p.root}, nil},
		{"all of it", []*signer{p.leaf, p.lower, p.upper, p.root}, nil, nil},
		{"self-signed", []*signer{(*signer)(nil).under("gw", nil, ofServer)}, nil, nil},
		{"the issuer is unknown", []*signer{p.direct}, nil, []string{"0 CN=root, which signed the certificate of CN=gw, is neither sent nor known here"}},
		{"a missing intermediate", []*signer{p.leaf}, []*signer{p.lower, p.upper, p.root}, []string{"1 the intermediate CN=lower, which signed the certificate of CN=gw, is not sent"}},
		{"the upper intermediate is missing", []*signer{p.leaf, p.lower}, []*signer{p.upper}, []string{"1 the intermediate CN=upper, which signed the certificate of CN=lower, is not sent"}},
		{"a missing intermediate of a public CA", []*signer{p.signed(func(c *x509.Certificate) { c.IssuingCertificateURL = []string{"http://ca.example/i.der"} })}, nil, []string{"1 CN=root, which signed the certificate of CN=gw, is not sent, but the certificate says where to fetch it"}},
		{"out of order", []*signer{p.leaf, p.upper, p.lower}, []*signer{p.root}, []string{"1 the chain is out of order"}},
		{"an unrelated certificate", []*signer{p.direct, p.stranger}, []*signer{p.root}, []string{"1 certificate 2 of the chain, of CN=stranger, signed none of those before it: strict clients refuse the chain; remove it, or put the certificate of CN=root there"}},
		{"another key of the same name", []*signer{p.direct, (*signer)(nil).under("root", nil, ofCA)}, []*signer{p.root}, []string{"1 certificate 2 of the chain, of CN=root, signed none"}},
		{"one twice", []*signer{p.leaf, p.lower, p.lower, p.upper}, []*signer{p.root}, []string{"1 the chain is out of order", "0 the certificate of CN=lower is in the chain twice"}},
		{"a missing intermediate, after another in the known ones", []*signer{p.leaf}, []*signer{p.upper, p.lower}, []string{"1 the intermediate CN=lower, which signed the certificate of CN=gw, is not sent"}},
		{"the root and one that was renewed with its key", []*signer{p.direct, p.root, p.root.under("root", p.root.key, ofCA)}, nil, nil},
		{"an unrelated certificate after the root", []*signer{p.direct, p.root, p.stranger}, nil, []string{"1 certificate 3 of the chain, of CN=stranger, signed none of those before it: strict clients refuse the chain; remove it, or put the certificate of CN=root there"}},
		{"one twice, and an unrelated one", []*signer{p.leaf, p.lower, p.lower, p.upper, p.stranger}, []*signer{p.root}, []string{"1 certificate 5 of the chain, of CN=stranger", "1 the chain is out of order", "0 the certificate of CN=lower is in the chain twice"}},
		{"none", nil, nil, nil},
	}
}

// leafCases are about the leaf.
func (p *ownPKI) leafCases() []ownCase {
	return []ownCase{
		{"expired", []*signer{p.signed(func(c *x509.Certificate) { c.NotAfter = ownTime.Add(-time.Second) })}, []*signer{p.root}, []string{"2 the certificate of CN=gw expired on 2026-06-01 11:59:59: clients refuse it"}},
		{"not valid yet", []*signer{p.signed(func(c *x509.Certificate) { c.NotBefore = ownTime.Add(time.Hour) })}, []*signer{p.root}, []string{"2 the certificate of CN=gw is not valid before 2026-06-01 13:00:00, which is in the future by this clock"}},
		{"soon to expire", []*signer{p.signed(func(c *x509.Certificate) { c.NotAfter = ownTime.AddDate(0, 0, 29) })}, []*signer{p.root}, []string{"1 the certificate of CN=gw expires on 2026-06-30"}},
		{"not so soon to expire", []*signer{p.signed(func(c *x509.Certificate) { c.NotAfter = ownTime.AddDate(0, 0, 31) })}, []*signer{p.root}, nil},
		{"for clients only", []*signer{p.signed(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })}, []*signer{p.root}, []string{"2 the certificate of CN=gw is not for servers (extendedKeyUsage lacks serverAuth)"}},
		{"for any purpose", []*signer{p.signed(func(c *x509.Certificate) { c.ExtKeyUsage = nil })}, []*signer{p.root}, nil},
		{"without subjectAltName", []*signer{p.signed(func(c *x509.Certificate) { c.DNSNames = nil })}, []*signer{p.root}, []string{"1 the certificate of CN=gw has no host names or addresses (subjectAltName): clients that check the name refuse it, whatever its common name"}},
		{"a key that may not sign", []*signer{p.signed(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment })}, []*signer{p.root}, []string{"1 the certificate of CN=gw does not allow its key to sign"}},
		{"a critical extension", []*signer{p.signed(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
		})}, []*signer{p.root}, []string{"1 the certificate of CN=gw has the critical extension 1.2.3.4"}},
		{"an address and no name", []*signer{p.signed(func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, []net.IP{net.IPv4(192, 0, 2, 1)} })}, []*signer{p.root}, nil},
		{"a name and an address", []*signer{p.signed(func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 1)} })}, []*signer{p.root}, nil},
		{"no keyUsage at all", []*signer{p.signed(func(c *x509.Certificate) { c.KeyUsage = 0 })}, []*signer{p.root}, nil},
		{"its last moment", []*signer{p.signed(func(c *x509.Certificate) { c.NotAfter = ownTime })}, []*signer{p.root}, []string{"1 the certificate of CN=gw expires on 2026-06-01 12:00:00"}},
		{"its first moment", []*signer{p.signed(func(c *x509.Certificate) { c.NotBefore = ownTime })}, []*signer{p.root}, nil},
		{"30 days before its expiry", []*signer{p.signed(func(c *x509.Certificate) { c.NotAfter = ownTime.Add(warnBefore) })}, []*signer{p.root}, nil},
		{"the worst first", []*signer{p.signed(func(c *x509.Certificate) { c.DNSNames, c.NotAfter = nil, ownTime.Add(-time.Hour) })}, nil, []string{"2 ", "1 ", "0 "}},
	}
}

// issuerCases are about issuers in the chain.
func (p *ownPKI) issuerCases() []ownCase {
	return []ownCase{
		{"an expired intermediate", p.below(func(c *x509.Certificate) { c.NotAfter = ownTime.AddDate(0, 0, -1) }), []*signer{p.root}, []string{"1 the certificate of CN=between expired on 2026-05-31 12:00:00: clients that have no newer one"}},
		{"an intermediate that is not valid yet", p.below(func(c *x509.Certificate) { c.NotBefore = ownTime.AddDate(0, 0, 1) }), []*signer{p.root}, []string{"1 the certificate of CN=between is not valid before"}},
		{"an intermediate that is not a CA", p.below(func(c *x509.Certificate) { c.IsCA = false; c.KeyUsage = 0 }), []*signer{p.root}, []string{"1 CN=between signed a certificate of the chain, but is not a CA"}},
		{"an intermediate that may not sign", p.below(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }), []*signer{p.root}, []string{"1 CN=between signed a certificate of the chain, but must not"}},
		{"an intermediate for clients", p.below(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), []*signer{p.root}, []string{"1 CN=between may not sign certificates for servers"}},
		{"an intermediate for other names", p.below(func(c *x509.Certificate) {
			c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"example.com"}
		}), []*signer{p.root}, []string{"1 the chain does not verify the way clients verify it: x509: "}},
		{"too long", []*signer{p.leaf, p.lower, p.upper, p.root.under("root", p.root.key, func(c *x509.Certificate) { ofCA(c); c.MaxPathLen = 1 })}, nil, []string{"1 CN=root allows 1 intermediates below it (pathLenConstraint), but the chain has 2"}},
		{"an intermediate without keyUsage", p.below(func(c *x509.Certificate) { c.KeyUsage = 0 }), []*signer{p.root}, nil},
		{"as long as allowed", []*signer{p.leaf, p.lower, p.upper, p.root.under("root", p.root.key, func(c *x509.Certificate) { ofCA(c); c.MaxPathLen = 2 })}, nil, nil},
		{"no intermediates allowed, and one there", []*signer{p.leaf, p.lower, p.upper.under("upper", p.upper.key, func(c *x509.Certificate) { ofCA(c); c.MaxPathLenZero = true })}, []*signer{p.root}, []string{"1 CN=upper allows 0 intermediates below it (pathLenConstraint), but the chain has 1"}},
		{"no intermediates allowed, and none there", p.below(func(c *x509.Certificate) { c.MaxPathLenZero = true }), []*signer{p.root}, nil},
	}
}

// algorithmCases are about keys and signatures.
func (p *ownPKI) algorithmCases() []ownCase {
	_, edwards, _ := ed25519.GenerateKey(rand.Reader)
	ofEdwards := p.root.under("edwards", edwards, ofCA)
	return []ownCase{
		{"RSA with 1024 bits", []*signer{p.keyed(must(rsa.GenerateKey(rand.Reader, 1024)))}, []*signer{p.root}, []string{"1 the RSA key of CN=gw has 1024 bits"}},
		{"RSA with 2048 bits", []*signer{p.keyed(must(rsa.GenerateKey(rand.Reader, 2048)))}, []*signer{p.root}, nil},
		{"P-224", []*signer{p.keyed(must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader)))}, []*signer{p.root}, []string{"1 the key of CN=gw is on the curve P-224"}},
		{"P-521", []*signer{p.keyed(must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)))}, []*signer{p.root}, nil},
		{"RSA with 2047 bits", []*signer{p.direct.withKey(rsaKey(2047, 65537))}, []*signer{p.root}, []string{"1 the RSA key of CN=gw has 2047 bits: OpenSSL and others refuse less than 2048"}},
		{"RSA with 8192 bits", []*signer{p.direct.withKey(rsaKey(8192, 65537))}, []*signer{p.root}, nil},
		{"RSA with 8193 bits", []*signer{p.direct.withKey(rsaKey(8193, 65537))}, []*signer{p.root}, []string{"1 the RSA key of CN=gw has 8193 bits: clients written in Go"}},
		{"P-384", []*signer{p.keyed(must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)))}, []*signer{p.root}, nil},
		{"a key of another kind", []*signer{p.direct.withKey(nil)}, []*signer{p.root}, []string{"1 the key of CN=gw is of the type ECDSA, which clients do not support"}},
		{"Ed25519 in an intermediate", []*signer{ofEdwards.under("gw", nil, ofServer), ofEdwards}, []*signer{p.root}, nil},
		{"an uncommon signature", []*signer{p.direct.withSignature(x509.UnknownSignatureAlgorithm)}, nil, []string{"1 the certificate of CN=gw is signed with an uncommon algorithm", "0 "}},
		{"Ed25519", []*signer{p.keyed(edwards)}, []*signer{p.root}, []string{"0 the key of CN=gw is Ed25519"}},
		{"SHA-1", []*signer{p.direct.withSignature(x509.ECDSAWithSHA1)}, []*signer{p.root}, []string{"1 the certificate of CN=gw is signed with ECDSA-SHA1"}},
		{"SHA-1 in an intermediate", []*signer{p.leaf, p.lower.withSignature(x509.SHA1WithRSA), p.upper}, []*signer{p.root}, []string{"1 the certificate of CN=lower is signed with SHA1-RSA"}},
		{"SHA-1 in the p.root, which does not matter", []*signer{p.direct, p.root.withSignature(x509.ECDSAWithSHA1)}, nil, nil},
	}
}
