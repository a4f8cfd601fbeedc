package tlsfront

import (
	"crypto/tls"
	"slices"
	"strings"
	"time"
)

// NamedCertificate is a certificate that is presented for some names.
type NamedCertificate struct {
	Certificate tls.Certificate // with Leaf
	Names       []string        // lower case, "*." for one label; nil: those in the certificate
}

// certificates returns the certificates of the configuration in their order.
func (c *Config) certificates() []NamedCertificate {
	return append([]NamedCertificate{{Certificate: c.Certificate}}, c.Certificates...)
}

// certificateFor returns the certificate that a client gets: of those with the name that it
// asks for (RFC 6066 §3) the first that it can verify. If it asks for no name, or for one that
// none has, the first that it can verify; and if it can verify none, the first of all, because
// its own log will say more about that than an alert (TR6). One that has expired comes after
// all others.
//
// Which certificate is presented is never a matter of who is let in.
func (p *policy) certificateFor(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	all := p.cfg.certificates()
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
	chosen := &named[0].Certificate
	if i := slices.IndexFunc(named, func(c NamedCertificate) bool { return verifiable(c) && refusedByAll(&c.Certificate, now) == "" }); i >= 0 {
		chosen = &named[i].Certificate
	} else if i := slices.IndexFunc(named, verifiable); i >= 0 {
		chosen = &named[i].Certificate
	}
	if c, ok := hello.Conn.(*conn); ok {
		c.presented = chosen
	}
	return chosen, nil
}

// has reports whether the certificate is presented for a name.
func (c *NamedCertificate) has(name string) bool {
	if len(c.Names) == 0 {
		return c.Certificate.Leaf != nil && c.Certificate.Leaf.VerifyHostname(name) == nil
	}
	_, parent, _ := strings.Cut(name, ".")
	return slices.Contains(c.Names, name) || parent != "" && slices.Contains(c.Names, "*."+parent)
}
