package tlsfront

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	"radsec-gw/metrics"
)

// client is a configured client and what is kept about it.
type client struct {
	config *Client
	state  *clientState
}

// clientState is what outlives a change of configuration.
type clientState struct {
	metrics *metrics.Client      // static after construction
	open    int                  // connections now; guarded by Server.mu
	pace    atomic.Pointer[pace] // nil: no limit
}

// peer is what names a client.
type peer struct {
	source      netip.Addr
	leaf        *x509.Certificate // verified; nil when the peer has shown none
	fingerprint [32]byte          // SHA-256 of leaf's DER form
	uris        []string          // leaf's SAN uniformResourceIdentifiers, as they stand there
}

// peerOf returns the peer of a connection after its handshake. After a
// resumption the certificate is that of the first handshake, so the outcome is
// the same (RFC 6614bis §3.5).
func peerOf(source netip.Addr, cs tls.ConnectionState) *peer {
	p := &peer{source: source}
	if len(cs.PeerCertificates) > 0 {
		p.leaf = cs.PeerCertificates[0]
		p.fingerprint = sha256.Sum256(p.leaf.Raw)
		p.uris = urisIn(p.leaf)
	}
	return p
}

// clientList is the clients in their order: the first match counts.
type clientList []*client

// condition is the first condition of a client that a peer does not meet.
type condition uint8

const (
	allMet condition = iota
	networkUnmet
	certificateMissing
	fingerprintUnmet
	sanUnmet
	sanIPUnmet
	sanURIUnmet
	subjectUnmet
	issuerUnmet
	commonNameUnmet
	policyUnmet
)

// find returns the first client all of whose conditions p meets, or nil.
func (l clientList) find(p *peer) *client {
	for _, c := range l {
		if c.config.unmet(p) == allMet {
			return c
		}
	}
	return nil
}

// lists reports whether any client may come from source.
func (l clientList) lists(source netip.Addr) bool {
	return slices.ContainsFunc(l, func(c *client) bool { return c.config.inNetworks(source) })
}

// unlisted says that no client may come from source, and why.
func (l clientList) unlisted(source netip.Addr) string {
	return "no client lists this source address: " + l.explain(&peer{source: source})
}

func (c *Client) inNetworks(source netip.Addr) bool {
	return len(c.Networks) == 0 ||
		slices.ContainsFunc(c.Networks, func(p netip.Prefix) bool { return p.Contains(source) })
}

// unmet returns the first condition that does not hold (RFC 6614bis §3.3.1).
func (c *Client) unmet(p *peer) condition {
	switch {
	case !c.inNetworks(p.source):
		return networkUnmet
	case !c.byCertificate():
		return allMet
	case p.leaf == nil:
		return certificateMissing
	case len(c.Fingerprints) > 0 && !slices.Contains(c.Fingerprints, p.fingerprint):
		return fingerprintUnmet
	case len(c.SANDNS) > 0 && !slices.ContainsFunc(c.SANDNS, func(pattern string) bool { return anyName(p.leaf.DNSNames, pattern) }):
		return sanUnmet
	}
	return c.unmetName(p)
}

// unmetName goes on with the conditions on the certificate's other names.
func (c *Client) unmetName(p *peer) condition {
	leaf := p.leaf
	switch {
	case (len(c.SANIP) > 0 || c.SANIPSource) && !slices.ContainsFunc(leaf.IPAddresses, func(ip net.IP) bool { return c.listsIP(ip, p.source) }):
		return sanIPUnmet
	case len(c.SANURI) > 0 && !slices.ContainsFunc(p.uris, func(uri string) bool { return slices.Contains(c.SANURI, uri) }):
		return sanURIUnmet
	case len(c.Subjects) > 0 && !slices.Contains(c.Subjects, leaf.Subject.String()):
		return subjectUnmet
	case len(c.Issuers) > 0 && !slices.Contains(c.Issuers, leaf.Issuer.String()):
		return issuerUnmet
	case len(c.CommonNames) > 0 && !slices.ContainsFunc(c.CommonNames, func(pattern string) bool { return matchCommonName(pattern, leaf.Subject.CommonName) }):
		return commonNameUnmet
	case len(c.PolicyOIDs) > 0 && !slices.ContainsFunc(leaf.Policies, func(has x509.OID) bool {
		return slices.ContainsFunc(c.PolicyOIDs, has.Equal)
	}):
		return policyUnmet
	}
	return allMet
}

// byCertificate reports whether the certificate has to meet any condition.
func (c *Client) byCertificate() bool {
	return c.SANIPSource || len(c.Fingerprints)+len(c.SANDNS)+len(c.SANIP)+len(c.SANURI)+len(c.Subjects)+
		len(c.Issuers)+len(c.CommonNames)+len(c.PolicyOIDs) > 0
}

// listsIP compares one SAN iPAddress (RFC 6614bis §3.3.1: a client of an address
// range shows the address that it comes from).
func (c *Client) listsIP(ip net.IP, source netip.Addr) bool {
	a, ok := netip.AddrFromSlice(ip)
	if !ok {
		return false
	}
	a = a.Unmap()
	return c.SANIPSource && a == source || slices.Contains(c.SANIP, a)
}

// matchCommonName compares a subject's common name, letters of either case
// being the same; "*" stands for any number of characters. An empty name
// matches nothing.
func matchCommonName(pattern, name string) bool {
	if name == "" {
		return false
	}
	pattern, name = strings.ToLower(pattern), strings.ToLower(name)
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	name, ok := strings.CutPrefix(name, parts[0])
	if !ok {
		return false
	}
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		if _, name, ok = strings.Cut(name, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(name, last)
}

func anyName(names []string, pattern string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return matchName(pattern, name) })
}

// matchName compares a SAN dNSName with a configured pattern, letters of
// either case being the same. In both "*" stands for one whole label, the
// leftmost (RFC 6614bis §3.3.1); New has checked the pattern, the certificate's
// name is anybody's.
func matchName(pattern, name string) bool {
	pattern, name = strings.TrimSuffix(pattern, "."), strings.TrimSuffix(name, ".")
	if parent, wild := strings.CutPrefix(name, "*."); wild {
		// A domain of one label is a registry's, as in the configuration.
		if !strings.Contains(parent, ".") || strings.Contains(parent, "*") {
			return false
		}
		return strings.EqualFold(pattern, name) || isChild(pattern, parent)
	}
	if name == "" || strings.Contains(name, "*") {
		return false
	}
	if parent, wild := strings.CutPrefix(pattern, "*."); wild {
		return isChild(name, parent)
	}
	return strings.EqualFold(pattern, name)
}

// isChild reports whether name, without wildcard, is one label below parent.
func isChild(name, parent string) bool {
	label, rest, found := strings.Cut(name, ".")
	return found && label != "" && label != "*" && strings.EqualFold(rest, parent)
}

func (c *Client) validate() error {
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
	for _, p := range c.Networks {
		if !p.IsValid() || p.Addr().Is4In6() {
			return fmt.Errorf("client %s: network %v: expected a prefix such as 192.0.2.0/24 or 2001:db8::/32", c.Name, p)
		}
	}
	return nil
}

const (
	explainedClients = 8   // in one log line
	explainedItems   = 3   // of each client's list
	longestText      = 200 // of one string of the peer's
)

// explain says for each client which condition failed first, for a log line
// of bounded length.
func (l clientList) explain(p *peer) string {
	if len(l) == 0 {
		return "no client is configured"
	}
	var parts []string
	for _, c := range l[:min(len(l), explainedClients)] {
		c := c.config
		text := ""
		switch c.unmet(p) {
		case networkUnmet:
			text = fmt.Sprintf("source %v is not in %s", p.source, few(c.Networks))
		case certificateMissing:
			text = "no certificate"
		case fingerprintUnmet:
			text = fmt.Sprintf("fingerprint is not among its %d", len(c.Fingerprints))
		case sanUnmet:
			text = "no SAN dNSName matches " + few(c.SANDNS)
		case sanIPUnmet:
			text = "no SAN iPAddress is " + c.wantedIPs()
		case sanURIUnmet:
			text = "no SAN URI is " + few(c.SANURI)
		case subjectUnmet:
			text = "the subject is not " + few(c.Subjects)
		case issuerUnmet:
			text = "the issuer is not " + few(c.Issuers)
		case commonNameUnmet:
			text = "the common name does not match " + few(c.CommonNames)
		case policyUnmet:
			text = "no certificate policy is " + few(c.PolicyOIDs)
		}
		parts = append(parts, clip(c.Name)+": "+text)
	}
	if n := len(l) - len(parts); n > 0 {
		parts = append(parts, fmt.Sprintf("and %d more clients", n))
	}
	return strings.Join(parts, "; ")
}

// wantedIPs says which SAN iPAddress would do.
func (c *Client) wantedIPs() string {
	switch {
	case !c.SANIPSource:
		return few(c.SANIP)
	case len(c.SANIP) == 0:
		return "the source"
	}
	return "the source or " + few(c.SANIP)
}

// few lists the first items.
func few[T any](items []T) string {
	var parts []string
	for _, it := range items[:min(len(items), explainedItems)] {
		parts = append(parts, clip(fmt.Sprint(it)))
	}
	if n := len(items) - len(parts); n > 0 {
		parts = append(parts, fmt.Sprintf("%d more", n))
	}
	return strings.Join(parts, ", ")
}

func clip(s string) string {
	if len(s) > longestText {
		return s[:longestText] + "…"
	}
	return s
}

// describe gives the certificate as attributes of a log line; the fingerprint
// has the form in which the configuration takes it.
func describe(leaf *x509.Certificate) []any {
	if leaf == nil {
		return []any{"certificate", "none"}
	}
	attributes := []any{"subject", subjectOf(leaf), "issuer", issuerOf(leaf), "san_dns", few(leaf.DNSNames)}
	if len(leaf.IPAddresses) > 0 {
		attributes = append(attributes, "san_ip", few(leaf.IPAddresses))
	}
	if uris := urisIn(leaf); len(uris) > 0 {
		attributes = append(attributes, "san_uri", few(uris))
	}
	return append(attributes, "fingerprint", Fingerprint(leaf))
}

// Fingerprint returns the SHA-256 of a certificate's DER form as
// "sha256:12:AB:…", the form of the configuration.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	var b strings.Builder
	b.WriteString("sha256")
	for _, octet := range sum {
		fmt.Fprintf(&b, ":%02X", octet)
	}
	return b.String()
}
