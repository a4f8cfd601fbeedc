package certs

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"os"
)

// LoadCA is ParseCA of a file with the certificates that a server is verified with,
// where any certificate may stand for itself.
func LoadCA(file string) (*Authorities, error) {
	octets, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the certificate: %w", err)
	}
	return parseAuthorities(file, octets, func(int, *x509.Certificate) error { return nil })
}

// Authorities are what a file of CAs holds.
type Authorities struct {
	Certificates []*x509.Certificate    // each once
	CRLs         []*x509.RevocationList // some programs expect them in the same file
	Doubled      []error                // a FileError for each certificate that is there again: harmless, and worth a warning
}

// Pool holds the certificates.
func (a *Authorities) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	for _, c := range a.Certificates {
		pool.AddCert(c)
	}
	return pool
}

// ParseCA reads the CAs that clients are verified with, at least one, and the
// revocation lists beside them, out of what file holds: any number in PEM, or one
// certificate in DER.
func ParseCA(file string, octets []byte) (*Authorities, error) {
	return parseAuthorities(file, octets, func(line int, c *x509.Certificate) error {
		// A self-signed certificate may stand for itself alone.
		if !c.IsCA && !bytes.Equal(c.RawIssuer, c.RawSubject) {
			return faultIn(file, line, "%s is not a CA (basicConstraints), it was signed by %s: expected the CA that signs the clients' certificates", c.Subject, c.Issuer)
		}
		return nil
	})
}

// ParseIntermediates is ParseCA of certificates that are known and not trusted by
// themselves: each one must be a CA.
func ParseIntermediates(file string, octets []byte) (*Authorities, error) {
	return parseAuthorities(file, octets, func(line int, c *x509.Certificate) error {
		if !c.IsCA {
			return faultIn(file, line, "%s is not a CA (basicConstraints): expected a CA between the clients' certificates and client_ca", c.Subject)
		}
		return nil
	})
}

// parseAuthorities is ParseCA of the certificates that check accepts, whose line
// is 0 for one in DER.
func parseAuthorities(file string, octets []byte, check func(line int, c *x509.Certificate) error) (*Authorities, error) {
	a, seen := &Authorities{}, lines{}
	if isDER(octets) {
		c, err := certificateOfDER(file, octets)
		if err == nil {
			err = check(0, c)
		}
		if err != nil {
			return nil, err
		}
		a.Certificates = append(a.Certificates, c)
		return a, nil
	}
	blocks, err := readPEM(file, kindCertificate, octets)
	if err != nil {
		return nil, err
	}
	for _, b := range blocks {
		if b.kind == kindCRL {
			l, err := b.list(file)
			if err != nil {
				return nil, err
			}
			a.CRLs = append(a.CRLs, l)
			continue
		}
		c, err := b.certificate(file)
		if err == nil {
			err = check(b.line, c)
		}
		if err != nil {
			return nil, err
		}
		if first := seen.add(b); first > 0 {
			a.Doubled = append(a.Doubled, faultIn(file, b.line, "the certificate of %s is listed twice, it is on line %d already", c.Subject, first))
			continue
		}
		a.Certificates = append(a.Certificates, c)
	}
	if len(a.Certificates) == 0 {
		return nil, faultIn(file, 0, "expected a CA, got revocation lists only")
	}
	return a, nil
}
