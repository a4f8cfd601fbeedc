package identity

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"net/netip"
	"strings"

	"radsec-gw/certs"
)

const (
	explainedClients = 8   // in one log line
	explainedItems   = 3   // of each client's list
	longestText      = 200 // of one string that the peer chose
)

// explain returns, for each client, the first condition that is not met. The text is
// for a log line: its length is bounded.
func (l Clients) explain(p *Peer) string {
	if len(l) == 0 {
		return "no client is configured"
	}
	var parts []string
	for _, c := range l[:min(len(l), explainedClients)] {
		parts = append(parts, Clip(c.Name, longestText)+": "+c.unmetText(p))
	}
	if n := len(l) - len(parts); n > 0 {
		parts = append(parts, fmt.Sprintf("and %d more clients", n))
	}
	return strings.Join(parts, "; ")
}

// elsewhere names the first client that the peer is at another listener; "" if there is none.
func (v *Verifier) elsewhere(p *Peer) string {
	for _, o := range v.others {
		if o.unmet(p) == allMet {
			return fmt.Sprintf("; client %s matches, but %s", Clip(o.Name, longestText), o.Why)
		}
	}
	return ""
}

// Unlisted returns the text of the refusal of a source that no client may connect from.
func (v *Verifier) Unlisted(source netip.Addr) string {
	text := "no client lists this source address: " + v.clients.explain(&Peer{Source: source})
	if len(v.clients) == 0 {
		text = "this listener accepts no client: see clients of the listener, and transports of each [[client]]"
	}
	for _, o := range v.others {
		if o.inNetworks(source) {
			return text + fmt.Sprintf("; client %s may connect from there, but %s", Clip(o.Name, longestText), o.Why)
		}
	}
	return text
}

// unmetText describes the first condition that p does not meet.
func (c *Client) unmetText(p *Peer) string {
	switch unmet := c.unmet(p); unmet {
	case allMet:
		return ""
	case networkUnmet:
		return fmt.Sprintf("source %v is not in %s", p.Source, Few(c.Networks))
	case pskUnmet:
		return c.pskText(p)
	case certificateMissing:
		return "no certificate"
	default:
		return onCertificate[unmet].text(c)
	}
}

// wantedCA describes the CA that the certificate must be issued by.
func (c *Client) wantedCA() string {
	if len(c.CA) == 0 {
		return "the certificate was issued by the ca of another client, not by client_ca"
	}
	return "the certificate was not issued below its ca, " + few(c.CA, subjectOf)
}

// wantedIPs describes the SAN iPAddress that is required.
func (c *Client) wantedIPs() string {
	switch {
	case !c.SANIPSource:
		return Few(c.SANIP)
	case len(c.SANIP) == 0:
		return "the source"
	}
	return "the source or " + Few(c.SANIP)
}

// Few lists the first items, for a log line.
func Few[T any](items []T) string {
	return few(items, func(it T) string { return fmt.Sprint(it) })
}

// few is Few with a function that formats items.
func few[T any](items []T, text func(T) string) string {
	var parts []string
	for _, it := range items[:min(len(items), explainedItems)] {
		parts = append(parts, Clip(text(it), longestText))
	}
	if n := len(items) - len(parts); n > 0 {
		parts = append(parts, fmt.Sprintf("%d more", n))
	}
	return strings.Join(parts, ", ")
}

// Clip shortens a text that a peer chose to most bytes, for a log line; "…" stands for the
// rest.
func Clip(s string, most int) string {
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// Describe returns the certificate as attributes of a log line. The fingerprint has the
// form of the configuration.
func Describe(leaf *x509.Certificate) []any {
	if leaf == nil {
		return []any{"certificate", "none"}
	}
	attributes := []any{"subject", subjectOf(leaf), "issuer", issuerOf(leaf), "san_dns", Few(leaf.DNSNames)}
	if len(leaf.IPAddresses) > 0 {
		attributes = append(attributes, "san_ip", Few(leaf.IPAddresses))
	}
	if uris := urisIn(leaf); len(uris) > 0 {
		attributes = append(attributes, "san_uri", Few(uris))
	}
	if realms := realmsIn(leaf); len(realms) > 0 {
		attributes = append(attributes, "san_nairealm", Few(realms))
	}
	return append(attributes, "fingerprint", Fingerprint(leaf))
}

// Fingerprint returns the SHA-256 of a certificate's DER form as
// "sha256:12:AB:…", the form of the configuration.
func Fingerprint(c *x509.Certificate) string { return fingerprintOf(c.Raw) }

func fingerprintOf(der []byte) string { return certs.FormatFingerprint(sha256.Sum256(der)) }

// subjectOf returns a certificate's subject, shortened. A subject of many kilobytes is
// not formatted at all.
func subjectOf(c *x509.Certificate) string { return nameOf(c.RawSubject, c.Subject.String) }
func issuerOf(c *x509.Certificate) string  { return nameOf(c.RawIssuer, c.Issuer.String) }

// longestName is the longest DER form of a name that is formatted.
const longestName = 2 << 10

func nameOf(der []byte, text func() string) string {
	if len(der) > longestName {
		return fmt.Sprintf("(a name of %d bytes)", len(der))
	}
	return Clip(text(), longestText)
}
