// Package certs makes the certificates for development and tests: a CA, a
// server's certificate, clients' certificates, and prints fingerprints. And it reads
// what operators put into files: certificates, keys, revocation lists, the keys of
// session tickets, secrets. It does so strictly, with errors that name the line and
// say what to do: what a lenient reader skips without a word is missed later.
//
//	certs.go        making certificates
//	crl.go          making revocation lists
//	dir.go          a directory of them
//	pem.go          the one reader of PEM files
//	kinds.go        what a block of PEM holds
//	forms.go        what a file is that is not PEM, told for errors
//	load.go         a server's chain and key
//	authorities.go  CAs, and the lists beside them
//	lists.go        revocation lists
//	tickets.go      keys of session tickets
//	secret.go       secrets in files and in the environment
//	fault.go        the errors of all of these
//
//	ca, _ := certs.NewCA("test CA")
//	server, _ := ca.Server(certs.DevelopmentHosts()...)
//	client, _ := ca.Client("campus")
//	late, _ := ca.Client("late", func(t *x509.Certificate) { t.NotAfter = time.Now().Add(-time.Hour) })
//
// Nothing here is a PKI: keys lie in files, and nobody keeps count of what was issued.
package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"net"
	"strings"
	"time"
)

// How long certificates hold. They start an hour early, for clocks that lag.
const (
	caValidity   = 10 * 365 * 24 * time.Hour
	leafValidity = 2 * 365 * 24 * time.Hour
	early        = time.Hour
)

// Change alters a certificate before it is signed: for a test that wants an
// expired one, a URI in place of the DNS name, or no name at all.
type Change func(template *x509.Certificate)

// Valid is the Change that sets how long from now a certificate holds.
func Valid(d time.Duration) Change {
	return func(t *x509.Certificate) { t.NotAfter = time.Now().Add(d) }
}

// Pair is a certificate and its key (ECDSA, P-256).
type Pair struct {
	Certificate *x509.Certificate
	key         crypto.Signer
}

// CA signs certificates.
type CA struct{ Pair }

// DevelopmentHosts are the names of the development server: this machine by
// name and address, and the gateway's name among containers.
func DevelopmentHosts() []string { return []string{"localhost", "127.0.0.1", "::1", "radsec-server"} }

// NewCA makes a CA that signs itself, valid for ten years, without name
// constraints. It may not have CAs below it.
func NewCA(name string, changes ...Change) (*CA, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	t := template(name, caValidity)
	t.IsCA, t.BasicConstraintsValid, t.MaxPathLenZero = true, true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	p, err := sign(t, changes, t, key, key)
	if err != nil {
		return nil, err
	}
	return &CA{*p}, nil
}

// Server makes a server's certificate, valid for two years, for host names and
// IP addresses (subjectAltName); the first is its common name too.
func (ca *CA) Server(hosts ...string) (*Pair, error) {
	if len(hosts) == 0 {
		return nil, fmt.Errorf("expected at least one host for the server's certificate, got none")
	}
	return ca.ServerWith(hosts)
}

// ServerWith is Server with changes.
func (ca *CA) ServerWith(hosts []string, changes ...Change) (*Pair, error) {
	name := ""
	if len(hosts) > 0 {
		name = hosts[0]
	}
	t := template(name, leafValidity)
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	return ca.issue(t, changes)
}

// Client makes a client's certificate, valid for two years, with the name as
// its dNSName and common name.
func (ca *CA) Client(name string, changes ...Change) (*Pair, error) {
	t := template(name, leafValidity)
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	t.DNSNames = []string{name}
	return ca.issue(t, changes)
}

// issue signs a certificate for a fresh key; it does not outlive the CA.
func (ca *CA) issue(t *x509.Certificate, changes []Change) (*Pair, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	t.KeyUsage = x509.KeyUsageDigitalSignature // all that ECDSA keys do in TLS (RFC 8422 §5.8)
	if t.NotAfter.After(ca.Certificate.NotAfter) {
		t.NotAfter = ca.Certificate.NotAfter
	}
	return sign(t, changes, ca.Certificate, key, ca.key)
}

func template(name string, validity time.Duration) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		Subject:   pkix.Name{CommonName: name, Organization: []string{"radsec-gw development"}},
		NotBefore: now.Add(-early),
		NotAfter:  now.Add(validity),
	}
}

func newKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

// sign makes the certificate; its serial number is random (x509 sees to it).
func sign(t *x509.Certificate, changes []Change, parent *x509.Certificate, key *ecdsa.PrivateKey, signer crypto.Signer) (*Pair, error) {
	for _, change := range changes {
		change(t)
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, key.Public(), signer)
	if err != nil {
		return nil, fmt.Errorf("cannot sign the certificate of %q: %w", t.Subject.CommonName, err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("the certificate of %q does not parse: %w", t.Subject.CommonName, err)
	}
	return &Pair{Certificate: c, key: key}, nil
}

// TLS is the pair as crypto/tls wants it.
func (p *Pair) TLS() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{p.Certificate.Raw}, PrivateKey: p.key, Leaf: p.Certificate}
}

// CertPEM is the certificate in PEM.
func (p *Pair) CertPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate.Raw})
}

// KeyPEM is the private key in PEM (PKCS #8).
func (p *Pair) KeyPEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		return nil, fmt.Errorf("cannot write the key of %q: %w", p.Certificate.Subject.CommonName, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// Fingerprint is the SHA-256 of the certificate, as in [[client]].fingerprints.
func (p *Pair) Fingerprint() [32]byte { return sha256.Sum256(p.Certificate.Raw) }

// Pool holds the CA alone.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.Certificate)
	return pool
}

// FormatFingerprint gives "sha256:AA:BB:…".
func FormatFingerprint(sum [32]byte) string {
	var b strings.Builder
	b.WriteString("sha256")
	for _, octet := range sum {
		fmt.Fprintf(&b, ":%02X", octet)
	}
	return b.String()
}
