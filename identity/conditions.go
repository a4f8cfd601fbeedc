package identity

import (
	"crypto/x509"
	"fmt"
	"net"
	"slices"
)

// condition is the first condition of a client that a peer does not meet.
type condition uint8

const (
	allMet condition = iota
	networkUnmet
	pskUnmet
	certificateMissing
	// The rest are conditions on the certificate, in the order of the checks.
	caUnmet
	fingerprintUnmet
	sanUnmet
	sanIPUnmet
	sanURIUnmet
	naiRealmUnmet
	rdnUnmet
	subjectUnmet
	issuerUnmet
	commonNameUnmet
	policyUnmet
)

// onCertificate are the conditions on the certificate. A client with one of them
// refuses peers without a certificate.
var onCertificate = [...]struct {
	given func(*Client) bool        // whether the client has this condition
	met   func(*Client, *Peer) bool // of a peer with a certificate
	text  func(*Client) string      // for a log line: why a peer does not meet it
}{
	caUnmet: {
		given: func(c *Client) bool { return len(c.CA) > 0 },
		met:   func(c *Client, p *Peer) bool { return c.anchored(p.paths) },
		text:  (*Client).wantedCA,
	},
	fingerprintUnmet: {
		given: func(c *Client) bool { return len(c.Fingerprints) > 0 },
		met:   func(c *Client, p *Peer) bool { return slices.Contains(c.Fingerprints, p.fingerprint) },
		text:  func(c *Client) string { return fmt.Sprintf("fingerprint is not among its %d", len(c.Fingerprints)) },
	},
	sanUnmet: {
		given: func(c *Client) bool { return len(c.SANDNS) > 0 },
		met: func(c *Client, p *Peer) bool {
			return slices.ContainsFunc(c.SANDNS, func(pattern string) bool { return anyName(p.Leaf.DNSNames, pattern) })
		},
		text: func(c *Client) string { return "no SAN dNSName matches " + Few(c.SANDNS) },
	},
	sanIPUnmet: {
		given: func(c *Client) bool { return len(c.SANIP) > 0 || c.SANIPSource },
		met: func(c *Client, p *Peer) bool {
			return slices.ContainsFunc(p.Leaf.IPAddresses, func(ip net.IP) bool { return c.listsIP(ip, p.Source) })
		},
		text: func(c *Client) string { return "no SAN iPAddress is " + c.wantedIPs() },
	},
	sanURIUnmet: {
		given: func(c *Client) bool { return len(c.SANURI) > 0 },
		met: func(c *Client, p *Peer) bool {
			return slices.ContainsFunc(p.uris, func(uri string) bool { return slices.Contains(c.SANURI, uri) })
		},
		text: func(c *Client) string { return "no SAN URI is " + Few(c.SANURI) },
	},
	naiRealmUnmet: {
		given: func(c *Client) bool { return len(c.NAIRealms) > 0 },
		met:   func(c *Client, p *Peer) bool { return anyRealm(c.NAIRealms, p.realms) },
		text:  func(c *Client) string { return "no SAN NAIRealm matches " + Few(c.NAIRealms) },
	},
	rdnUnmet: {
		given: func(c *Client) bool { return len(c.SubjectRDNs) > 0 },
		met:   func(c *Client, p *Peer) bool { return anyRDN(p.Leaf, c.SubjectRDNs) },
		text:  func(c *Client) string { return "the subject does not have " + Few(c.SubjectRDNs) },
	},
	subjectUnmet: {
		given: func(c *Client) bool { return len(c.Subjects) > 0 },
		met:   func(c *Client, p *Peer) bool { return slices.Contains(c.Subjects, p.Leaf.Subject.String()) },
		text:  func(c *Client) string { return "the subject is not " + Few(c.Subjects) },
	},
	issuerUnmet: {
		given: func(c *Client) bool { return len(c.Issuers) > 0 },
		met:   func(c *Client, p *Peer) bool { return slices.Contains(c.Issuers, p.Leaf.Issuer.String()) },
		text:  func(c *Client) string { return "the issuer is not " + Few(c.Issuers) },
	},
	commonNameUnmet: {
		given: func(c *Client) bool { return len(c.CommonNames) > 0 },
		met: func(c *Client, p *Peer) bool {
			return slices.ContainsFunc(c.CommonNames, func(pattern string) bool { return matchCommonName(pattern, p.Leaf.Subject.CommonName) })
		},
		text: func(c *Client) string { return "the common name does not match " + Few(c.CommonNames) },
	},
	policyUnmet: {
		given: func(c *Client) bool { return len(c.PolicyOIDs) > 0 },
		met: func(c *Client, p *Peer) bool {
			return slices.ContainsFunc(p.Leaf.Policies, func(has x509.OID) bool { return slices.ContainsFunc(c.PolicyOIDs, has.Equal) })
		},
		text: func(c *Client) string { return "no certificate policy is " + Few(c.PolicyOIDs) },
	},
}

// unmet returns the first condition that does not hold (RFC 6614bis §3.3.1).
func (c *Client) unmet(p *Peer) condition {
	switch {
	case !c.inNetworks(p.Source):
		return networkUnmet
	case !c.meetsPSK(p):
		return pskUnmet
	case p.Leaf == nil && c.byCertificate():
		return certificateMissing
	case p.Leaf == nil:
		return allMet
	}
	for unmet := caUnmet; int(unmet) < len(onCertificate); unmet++ {
		on := &onCertificate[unmet]
		// Without a CA of its own the client requires the client CA.
		if (unmet == caUnmet || on.given(c)) && !on.met(c, p) {
			return unmet
		}
	}
	return allMet
}

// byCertificate reports whether there are conditions on the certificate.
func (c *Client) byCertificate() bool {
	for _, on := range onCertificate[caUnmet:] {
		if on.given(c) {
			return true
		}
	}
	return false
}
