package certs

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"os"
	"slices"
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
	// Warnings has a FileError for each certificate that is there again, and for each CA
	// whose own signature is damaged: clients are verified all the same.
	Warnings []error
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
		a.warnDamaged(file, []int{0})
		return a, nil
	}
	blocks, err := readPEM(file, kindCertificate, octets)
	if err != nil {
		return nil, err
	}
	var at []int // the lines of a.Certificates
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
			a.Warnings = append(a.Warnings, faultIn(file, b.line, "the certificate of %s is listed twice, it is on line %d already", c.Subject, first))
			continue
		}
		a.Certificates, at = append(a.Certificates, c), append(at, b.line)
	}
	a.warnDamaged(file, at)
	if len(a.Certificates) == 0 {
		return nil, faultIn(file, 0, "expected a CA, got revocation lists only")
	}
	return a, nil
}

// warnDamaged warns of certificates that are damaged, or useless as CAs; at are their
// lines. Nobody verifies the signature of a CA that is trusted by itself (RFC 5280 §6.1),
// so it is no mistake; but with another key or name, which only the signature gives away,
// the CA verifies nobody.
func (a *Authorities) warnDamaged(file string, at []int) {
	for i, c := range a.Certificates {
		warn := func(format string) {
			a.Warnings = append(a.Warnings, faultIn(file, at[i], format, c.Subject))
		}
		switch {
		case c.PublicKey == nil:
			warn("the key of %s is of a kind that this gateway cannot verify with: whoever it has signed is refused")
		case selfSigned(c) && !slices.ContainsFunc(a.Certificates, func(issuer *x509.Certificate) bool { return maySign(c, issuer) }):
			warn("the certificate of %s signed itself, and its signature does not fit: the file is damaged; clients are accepted only as long as nothing but the signature is; get the certificate anew, and compare its fingerprint (radsec-gw certs -fingerprint)")
		case !bytes.Equal(c.RawIssuer, c.RawSubject) && len(c.AuthorityKeyId) > 0 && bytes.Equal(c.AuthorityKeyId, c.SubjectKeyId):
			warn("the certificate of %s names its own key as the one that signed it, and another name: the file is damaged; get the certificate anew, and compare its fingerprint (radsec-gw certs -fingerprint)")
		}
	}
}

// selfSigned reports whether a certificate says that its own key signed it.
func selfSigned(c *x509.Certificate) bool {
	return bytes.Equal(c.RawIssuer, c.RawSubject) &&
		(len(c.AuthorityKeyId) == 0 || len(c.SubjectKeyId) == 0 || bytes.Equal(c.AuthorityKeyId, c.SubjectKeyId))
}

// maySign reports whether issuer may have signed c.
func maySign(c, issuer *x509.Certificate) bool {
	return bytes.Equal(c.RawIssuer, issuer.RawSubject) && !Forged(c, issuer)
}
