package sessions

import (
	"crypto/tls"
	"slices"
	"strings"
	"time"

	"radsec-gw/identity"
)

// NamedCertificate is a certificate of the gateway that is presented for some names.
type NamedCertificate struct {
	Certificate tls.Certificate // with Leaf
	Names       []string        // lower case, "*." for one label; nil: those in the certificate
}

// CertificateFor returns the certificate that a client gets: of those with the name that it
// asks for (RFC 6066 §3) the first that it can verify. If it asks for no name, or can verify none
// with that name, all count: its own log will say more about the name than an alert (TR6). If it
// can verify none at all it gets the first, and the handshake fails for want of a signature
// algorithm or cipher suite. One that has expired comes after all others.
//
// Which certificate is presented is never a matter of who is let in.
func CertificateFor(all []NamedCertificate, hello *tls.ClientHelloInfo) *tls.Certificate {
	named := all
	if name := strings.ToLower(hello.ServerName); name != "" {
		named = slices.DeleteFunc(slices.Clone(all), func(c NamedCertificate) bool { return !c.has(name) })
		if len(named) == 0 {
			named = all
		}
	}
	anyName, now := *hello, time.Now()
	anyName.ServerName = ""
	verifiable := func(c NamedCertificate) bool { return anyName.SupportsCertificate(&c.Certificate) == nil }
	valid := func(c NamedCertificate) bool {
		return c.Certificate.Leaf == nil || identity.Refused(c.Certificate.Leaf, now) == ""
	}
	for _, among := range [][]NamedCertificate{named, all} {
		for _, fits := range []func(NamedCertificate) bool{func(c NamedCertificate) bool { return verifiable(c) && valid(c) }, verifiable} {
			if i := slices.IndexFunc(among, fits); i >= 0 {
				return &among[i].Certificate
			}
		}
	}
	return &named[0].Certificate
}

// has reports whether the certificate is presented for a name.
func (c *NamedCertificate) has(name string) bool {
	if len(c.Names) == 0 {
		return c.Certificate.Leaf != nil && c.Certificate.Leaf.VerifyHostname(name) == nil
	}
	_, parent, _ := strings.Cut(name, ".")
	return slices.Contains(c.Names, name) || parent != "" && slices.Contains(c.Names, "*."+parent)
}
