package identity

import (
	"crypto/x509"
	"net/netip"
	"slices"
	"strings"
)

// Facts are what a certificate says about its holder, as text for attributes; "" where it
// says nothing. Of several names of a kind they have the first.
type Facts struct {
	Fingerprint string // as Fingerprint formats it
	Serial      string // hexadecimal, lower case, without leading zeros
	Issuer      string // in the form of RFC 2253, like Subject
	Subject     string
	CommonName  string
	SANDNS      string
	SANIP       netip.Addr // the zero Addr: none
	SANURI      string     // unchanged
	SANEmail    string
	SANNAIRealm string // RFC 7585 §2.2

	issuer []byte // its name in DER form, and the identifier of its key: two CAs may have one name
}

// FactsOf returns the facts of a certificate; those of nil are all missing.
func FactsOf(c *x509.Certificate) (f Facts) {
	if c == nil {
		return f
	}
	f = Facts{
		Fingerprint: Fingerprint(c), Serial: c.SerialNumber.Text(16),
		Issuer: c.Issuer.String(), Subject: c.Subject.String(), CommonName: c.Subject.CommonName,
		SANDNS: first(c.DNSNames), SANURI: first(urisIn(c)), SANEmail: first(c.EmailAddresses), SANNAIRealm: first(realmsIn(c)),
		issuer: slices.Concat(c.RawIssuer, c.AuthorityKeyId),
	}
	if len(c.IPAddresses) > 0 {
		a, _ := netip.AddrFromSlice(c.IPAddresses[0])
		f.SANIP = a.Unmap()
	}
	return f
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// SerialKey identifies the certificate by its issuer and serial number, which together are
// unique (RFC 5280 §4.1.2.2).
func (f *Facts) SerialKey() []byte {
	return append([]byte("serial "+f.Serial+" "), f.issuer...)
}

// NameKey identifies the holder of the certificate by the first of its names, which a new
// certificate of the same holder usually has, too: a DNS name, ignoring case, else a URI, an
// IP address, an e-mail address. Without any of these it is SerialKey.
func (f *Facts) NameKey() []byte {
	switch {
	case f.SANDNS != "":
		return []byte("dns " + strings.ToLower(f.SANDNS))
	case f.SANURI != "":
		return []byte("uri " + f.SANURI)
	case f.SANIP.IsValid():
		return []byte("ip " + f.SANIP.String())
	case f.SANEmail != "":
		return []byte("email " + f.SANEmail)
	}
	return f.SerialKey()
}
