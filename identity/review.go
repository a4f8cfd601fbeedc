package identity

import (
	"crypto/x509"
	"fmt"
)

// NamesSent returns a pool of the CAs whose names a client is told in the
// handshake; an empty one when the list would be too long, or nobody is asked.
func (v *Verifier) NamesSent() *x509.CertPool {
	pool := x509.NewCertPool()
	if list, size := v.trust.names(); size <= maxNamesSent {
		for _, c := range list {
			pool.AddCert(c)
		}
	}
	return pool
}

// Review lists what deserves a second look in a configuration, in words.
type Review struct {
	Names        string   // the list of CAs' names is left out of the handshake; "": it is sent
	Useless      []string // of Intermediates: no configured CA vouches for them
	WithoutLists []string // issuers whose certificates are not looked up, while others have lists
}

// Review returns what deserves a second look.
func (v *Verifier) Review() (r Review) {
	if list, size := v.trust.names(); size > maxNamesSent {
		r.Names = fmt.Sprintf("the names of the %d CAs come to %d bytes, more than the %d that every client can take: clients are not told them in the handshake, and those with several certificates have to be told which one to show", len(list), size, maxNamesSent)
	}
	for _, c := range v.trust.useless {
		r.Useless = append(r.Useless, fmt.Sprintf("the certificate of %s, issued by %s, leads to no certificate of client_ca or a client's ca: it is not used", subjectOf(c), issuerOf(c)))
	}
	if len(v.lists) == 0 {
		return r // nobody has asked for any to be looked up: to name every issuer would be noise
	}
	seen := map[issuerKey]bool{}
	for _, c := range v.trust.all() {
		key := keyOf(c)
		if v.lists[key] == nil && !seen[key] && (c.IsCA || c.Version < 3) {
			r.WithoutLists = append(r.WithoutLists, fmt.Sprintf("there is no revocation list of %s: certificates that it has issued are not checked for revocation", subjectOf(c)))
		}
		seen[key] = true
	}
	return r
}
