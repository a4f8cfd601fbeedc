package identity

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Client is a configured client: the conditions that a peer must meet. All given
// conditions must hold; an empty list is not a condition.
type Client struct {
	Name         string         // for log lines
	Networks     []netip.Prefix // of the source address
	Fingerprints [][32]byte     // SHA-256 of the certificate's DER form
	SANDNS       []string       // SAN dNSName; "*" may be the whole leftmost label, here and in the certificate
	SANIP        []netip.Addr   // SAN iPAddress
	SANIPSource  bool           // a SAN iPAddress must equal the source, or be in SANIP
	SANURI       []string       // SAN uniformResourceIdentifier, compared byte by byte
	NAIRealms    []string       // SAN NAIRealm (RFC 7585 §2.2), ignoring the case of ASCII letters; in the certificate "*" may be the whole leftmost label
	Subjects     []string       // the subject as Go prints it, in the form of RFC 2253
	SubjectRDNs  []RDN          // attributes of the subject, of which it must have one
	Issuers      []string       // the issuer, likewise
	CommonNames  []string       // of the subject; "*" matches any number of characters; ignoring case
	PolicyOIDs   []x509.OID     // certificate policies of the leaf (RFC 5280 §4.2.1.4)

	// PSKIdentity and PSK are those of a client that has a pre-shared key instead of a
	// certificate: no other peer is this client, and it has none of the conditions on the
	// certificate.
	PSKIdentity string // "": it has a certificate, if any
	PSK         Key

	// CA are the certificates of which the path has to contain one above the leaf,
	// compared byte by byte; a self-signed leaf may be one itself. They are trusted for
	// this client only. Empty: the path has to contain a certificate of the client CA.
	CA []*x509.Certificate
}

// Clients is the list of configured clients: the first match counts.
type Clients []*Client

// Peer is a peer to identify.
type Peer struct {
	Source netip.Addr
	Leaf   *x509.Certificate // verified; nil if the peer presented none
	PSK    *PSK              // nil if it has none

	fingerprint [32]byte       // SHA-256 of Leaf's DER form
	uris        []string       // Leaf's SAN uniformResourceIdentifiers, unchanged
	realms      []string       // Leaf's NAIRealms
	paths       []acceptedPath // of Leaf; set by Verifier.Assess
}

// NewPeer returns the peer that connected from source and presented certs, its own
// first. After a resumption the certificates are those of the original handshake, so
// that the result is the same (RFC 6614bis §3.5).
func NewPeer(source netip.Addr, certs []*x509.Certificate) *Peer {
	p := &Peer{Source: source}
	if len(certs) > 0 {
		p.Leaf = certs[0]
		p.fingerprint = sha256.Sum256(p.Leaf.Raw)
		p.uris = urisIn(p.Leaf)
		p.realms = realmsIn(p.Leaf)
	}
	return p
}

// find returns the index of the first client all of whose conditions p meets, or -1.
func (l Clients) find(p *Peer) int {
	return slices.IndexFunc(l, func(c *Client) bool { return c.unmet(p) == allMet })
}

// Lists reports whether any client may connect from source.
func (l Clients) Lists(source netip.Addr) bool {
	return slices.ContainsFunc(l, func(c *Client) bool { return c.inNetworks(source) })
}

func (c *Client) inNetworks(source netip.Addr) bool {
	return len(c.Networks) == 0 ||
		slices.ContainsFunc(c.Networks, func(p netip.Prefix) bool { return p.Contains(source) })
}

// anchored reports whether one of the paths contains a CA of the client.
func (c *Client) anchored(paths []acceptedPath) bool {
	return slices.ContainsFunc(paths, c.suits)
}

// suits reports whether the path contains a CA of the client: one of its own, or else of
// the client CA.
func (c *Client) suits(p acceptedPath) bool {
	if len(c.CA) == 0 {
		return p.ofClientCA
	}
	return slices.ContainsFunc(p.anchors, func(a *x509.Certificate) bool { return slices.ContainsFunc(c.CA, a.Equal) })
}

// validUntil returns until when at least one of the client's paths is accepted; the zero
// time if there is none.
func (c *Client) validUntil(paths []acceptedPath) (until time.Time) {
	for _, p := range paths {
		if c.suits(p) && p.until.After(until) {
			until = p.until
		}
	}
	return until
}

// cas returns the clients' own CAs.
func (l Clients) cas() (list []*x509.Certificate) {
	for _, c := range l {
		list = append(list, c.CA...)
	}
	return list
}

// listsIP reports whether one SAN iPAddress meets the condition (RFC 6614bis §3.3.1: the
// certificate of a client with an address range contains the source address).
func (c *Client) listsIP(ip net.IP, source netip.Addr) bool {
	a, ok := netip.AddrFromSlice(ip)
	if !ok {
		return false
	}
	a = a.Unmap()
	return c.SANIPSource && a == source || slices.Contains(c.SANIP, a)
}

// Validate checks the conditions.
func (c *Client) Validate() error {
	if c.Name == "" {
		return fmt.Errorf("a client has no name")
	}
	for _, p := range c.SANDNS {
		rest := strings.TrimPrefix(p, "*.")
		if rest == "" || strings.Contains(rest, "*") {
			return fmt.Errorf("client %s: SAN dNSName %q: expected a DNS name; * may only be the whole leftmost label, as in *.campus.example", c.Name, p)
		}
	}
	for _, p := range c.CommonNames {
		if p == "" {
			return fmt.Errorf("client %s: an empty common name matches nothing", c.Name)
		}
	}
	if c.PSKIdentity != "" && (len(c.PSK) == 0 || c.byCertificate()) {
		return fmt.Errorf("client %s: expected a PSK beside its identity, and no condition on a certificate", c.Name)
	}
	for _, p := range c.Networks {
		if !p.IsValid() || p.Addr().Is4In6() {
			return fmt.Errorf("client %s: network %v: expected a prefix such as 192.0.2.0/24 or 2001:db8::/32", c.Name, p)
		}
	}
	return nil
}
