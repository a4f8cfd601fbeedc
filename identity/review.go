package identity

import (
	"crypto/x509"
	"fmt"

	"radsec-gw/certs"
)

// NamesSent returns a pool of the CAs whose names are sent to clients in the handshake;
// an empty pool if the list would be too long.
func (v *Verifier) NamesSent() *x509.CertPool {
	if list, size := v.trust.names(); size <= maxNamesSent {
		return certs.Pool(list...)
	}
	return certs.Pool()
}

// Review lists oddities of a configuration, for the operator.
type Review struct {
	Names        string   // why the names of the CAs are not sent in the handshake; "": they are sent
	Unused       []string // intermediates that no configured CA signed
	WithoutLists []string // issuers without a revocation list, while others have one
}

// Review returns the oddities of the configuration.
func (v *Verifier) Review() (r Review) {
	if list, size := v.trust.names(); size > maxNamesSent {
		r.Names = fmt.Sprintf("the names of the %d CAs take %d bytes, more than the %d that every client can receive: they are not sent in the handshake, and clients with several certificates must be configured to use the right one", len(list), size, maxNamesSent)
	}
	for _, c := range v.trust.unused {
		r.Unused = append(r.Unused, fmt.Sprintf("the certificate of %s, issued by %s, does not lead to a certificate of client_ca or a client's ca: it is not used", subjectOf(c), issuerOf(c)))
	}
	if len(v.lists) == 0 {
		return r // revocation is not used at all: a warning for each issuer would be noise
	}
	seen := map[issuerKey]bool{}
	for _, c := range v.trust.all() {
		key := keyOf(c)
		if v.lists[key] == nil && !seen[key] && (c.IsCA || c.Version < 3) {
			r.WithoutLists = append(r.WithoutLists, fmt.Sprintf("there is no revocation list of %s: certificates that it issued are not checked for revocation", subjectOf(c)))
		}
		seen[key] = true
	}
	return r
}
