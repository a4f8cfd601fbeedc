// Package certs makes certificates for development and tests, and parses the files
// that operators write: certificates, keys, revocation lists, session ticket keys,
// secrets.
//
// Parsing is strict, with errors that name the line and say what to do. What a lenient
// parser skips silently is missed later: a revoked client that is accepted, a CA whose
// clients are refused.
//
//	certs.go        makes certificates: NewCA, CA.Server, CA.Client
//	dir.go          makes a directory of certificates: WriteDir
//	pem.go          readPEM, the only parser of PEM files
//	block.go        parses the content of a PEM block
//	forms.go        recognises files that are not PEM, for the errors
//	load.go         a server's chain and key: LoadPair, ParseCertificates, ParseKey
//	authorities.go  CAs, and the revocation lists beside them: ParseCA
//	signature.go    whether a key signed a certificate
//	lists.go        revocation lists: ParseCRLs
//	tickets.go      session ticket keys: ParseTicketKeys
//	secret.go       secrets in files and in the environment: ParseSecret
//	fileerror.go    FileError, the error of all parsers
//
// To make certificates:
//
//	ca, _ := certs.NewCA("test CA")
//	server, _ := ca.Server(certs.DevelopmentHosts())
//	client, _ := ca.Client("campus")
//	late, _ := ca.Client("late", func(t *x509.Certificate) { t.NotAfter = time.Now().Add(-time.Hour) })
//
// This is not a PKI: keys are kept in files, and nothing records what was issued.
package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"net"
	"strings"
	"time"
)

// How long certificates are valid. They start an hour early, for clocks that lag.
const (
	caValidity   = 10 * 365 * 24 * time.Hour
	leafValidity = 2 * 365 * 24 * time.Hour
	early        = time.Hour
)

// Change modifies a certificate before it is signed, for a test that needs an
// expired one, a URI instead of the DNS name, or no name at all.
type Change func(template *x509.Certificate)

// Pair is a certificate and its key (ECDSA, P-256).
type Pair struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
}

// CA signs certificates.
type CA struct{ Pair }

// DevelopmentHosts returns the names of the development server: this machine by
// name and address, and the gateway's name in the container network.
func DevelopmentHosts() []string { return []string{"localhost", "127.0.0.1", "::1", "radsec-server"} }

// NewCA makes a self-signed CA, valid for ten years, without name constraints. Its
// pathLenConstraint is 0: it may not sign CAs.
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
func (ca *CA) Server(hosts []string, changes ...Change) (*Pair, error) {
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

// issue signs a certificate for a new key. The certificate does not outlive the CA.
func (ca *CA) issue(t *x509.Certificate, changes []Change) (*Pair, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	t.KeyUsage = x509.KeyUsageDigitalSignature // all that ECDSA keys do in TLS (RFC 8422 §5.8)
	if t.NotAfter.After(ca.Certificate.NotAfter) {
		t.NotAfter = ca.Certificate.NotAfter
	}
	return sign(t, changes, ca.Certificate, key, ca.Key)
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

// sign makes the certificate; x509 chooses a random serial number.
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
	return &Pair{Certificate: c, Key: key}, nil
}

// TLS returns the pair in the form of crypto/tls, a chain of one certificate.
func (p *Pair) TLS() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{p.Certificate.Raw}, PrivateKey: p.Key, Leaf: p.Certificate}
}

// CertPEM returns the certificate in PEM.
func (p *Pair) CertPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate.Raw})
}

// KeyPEM returns the private key in PEM (PKCS #8).
func (p *Pair) KeyPEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(p.Key)
	if err != nil {
		return nil, fmt.Errorf("cannot write the key of %q: %w", p.Certificate.Subject.CommonName, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// FormatFingerprint returns sum as "sha256:AA:BB:…", the form of the configuration.
func FormatFingerprint(sum [32]byte) string {
	var b strings.Builder
	b.WriteString("sha256")
	for _, c := range sum {
		fmt.Fprintf(&b, ":%02X", c)
	}
	return b.String()
}
