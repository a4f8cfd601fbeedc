package certs

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"
)

// LoadCA reads the certificates that a server is verified with, as ParseCA does, but
// accepts certificates that are not CAs: each is trusted for itself.
func LoadCA(file string) (*Authorities, error) {
	data, err := readFile(file, maxCertificates)
	if err != nil {
		return nil, fmt.Errorf("cannot read the certificate: %w", err)
	}
	return parseAuthorities(file, data, func(int, *x509.Certificate) error { return nil })
}

// Authorities is the content of a file of CAs.
type Authorities struct {
	Certificates []*x509.Certificate    // each once
	CRLs         []*x509.RevocationList // some programs expect them in the same file
	// Warnings has a FileError for each certificate that is repeated, and for each CA
	// whose own signature is damaged. The CAs are used all the same.
	Warnings []error
}

// Pool returns a pool of the certificates.
func (a *Authorities) Pool() *x509.CertPool { return Pool(a.Certificates...) }

// Pool returns a pool of certificates.
func Pool(certificates ...*x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, c := range certificates {
		pool.AddCert(c)
	}
	return pool
}

// ParseCA parses the CAs that clients are verified with, at least one, and the
// revocation lists beside them: any number in PEM, or one certificate in DER. data is
// the content of file.
func ParseCA(file string, data []byte) (*Authorities, error) {
	return parseAuthorities(file, data, func(line int, c *x509.Certificate) error {
		// A self-signed certificate may be trusted for itself alone.
		if !c.IsCA && !bytes.Equal(c.RawIssuer, c.RawSubject) {
			return errorIn(file, line, "%s is not a CA (basicConstraints), but was signed by %s: expected the CA that signs the clients' certificates", c.Subject, c.Issuer)
		}
		return nil
	})
}

// ParseIntermediates is like ParseCA for intermediate certificates, which are not
// trusted by themselves: each one must be a CA.
func ParseIntermediates(file string, data []byte) (*Authorities, error) {
	return parseAuthorities(file, data, func(line int, c *x509.Certificate) error {
		if !c.IsCA {
			return errorIn(file, line, "%s is not a CA (basicConstraints): expected a CA between the clients' certificates and client_ca", c.Subject)
		}
		return nil
	})
}

// parseAuthorities does the work of ParseCA. It fails when check returns an error for a
// certificate; line is 0 for one in DER.
func parseAuthorities(file string, data []byte, check func(line int, c *x509.Certificate) error) (*Authorities, error) {
	a, seen := &Authorities{}, lines{}
	if isDER(data) {
		c, err := certificateOfDER(file, data)
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
	blocks, err := readPEM(file, kindCertificate, data)
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
			a.Warnings = append(a.Warnings, errorIn(file, b.line, "the certificate of %s is listed twice: it is already on line %d", c.Subject, first))
			continue
		}
		a.Certificates, at = append(a.Certificates, c), append(at, b.line)
	}
	a.warnDamaged(file, at)
	if len(a.Certificates) == 0 {
		return nil, errorIn(file, 0, "expected a CA, got revocation lists only")
	}
	return a, nil
}

// warnDamaged warns of certificates that are damaged, or useless as CAs; at are their
// lines. The signature of a trust anchor is never verified (RFC 5280 §6.1), so a damaged
// one is not an error. But if the damage is in the key or the name, which only the
// signature shows, nothing that the CA issued verifies.
func (a *Authorities) warnDamaged(file string, at []int) {
	for i, c := range a.Certificates {
		warn := func(format string) {
			a.Warnings = append(a.Warnings, errorIn(file, at[i], format, c.Subject))
		}
		switch {
		case c.PublicKey == nil:
			warn("the key of %s is of a kind that this gateway does not support: certificates that it signed are refused")
		case selfSigned(c) && !slices.ContainsFunc(a.Certificates, func(issuer *x509.Certificate) bool { return mayHaveSigned(issuer, c) }):
			warn("the certificate of %s is self-signed, and its signature does not verify: the file is damaged; clients are accepted only if nothing but the signature is; get the certificate again, and compare its fingerprint (radsec-gw certs -fingerprint)")
		case !bytes.Equal(c.RawIssuer, c.RawSubject) && len(c.AuthorityKeyId) > 0 && bytes.Equal(c.AuthorityKeyId, c.SubjectKeyId):
			warn("the certificate of %s names its own key as the key of its issuer, but another name: the file is damaged; get the certificate again, and compare its fingerprint (radsec-gw certs -fingerprint)")
		}
	}
}
