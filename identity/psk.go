package identity

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
)

// PSK is the pre-shared key that a peer has instead of a certificate (RFC 9813).
type PSK struct {
	Identity string   // as the peer sent it
	Key      [32]byte // SHA-256 of the key
}

// Key is a pre-shared key. However it is printed, it is not shown.
type Key []byte

// Format handles every verb of fmt.
func (Key) Format(f fmt.State, _ rune) { io.WriteString(f, "[key]") }

// NewPSKPeer returns the peer that connected from source and has shown that it has a PSK.
func NewPSKPeer(source netip.Addr, psk PSK) *Peer { return &Peer{Source: source, PSK: &psk} }

// HavePSK reports whether any client that may connect from source has a PSK.
func (l Clients) HavePSK(source netip.Addr) bool {
	return slices.ContainsFunc(l, func(c *Client) bool { return c.PSKIdentity != "" && c.inNetworks(source) })
}

// PSK returns the key of an identity that a peer at source has sent, or a refusal. Only the
// clients that may connect from source are looked at (RFC 9813 §6.2.1); what the peer sent is
// compared byte by byte, and used for nothing else.
func (l Clients) PSK(source netip.Addr, identity []byte) ([]byte, *Refusal) {
	for _, c := range l {
		if c.PSKIdentity != "" && c.inNetworks(source) && c.PSKIdentity == string(identity) {
			return c.PSK, nil
		}
	}
	return nil, &Refusal{Reason: ClientUnknown, Text: fmt.Sprintf("no client that may connect from %v has the PSK identity %q: expected %s", source, Clip(string(identity), longestIdentity), l.identities(source))}
}

// longestIdentity is how much of an identity is logged that is unknown: it may be a key that was
// configured in its place.
const longestIdentity = 24

// identities lists those of the clients that may connect from a source.
func (l Clients) identities(source netip.Addr) string {
	var list []string
	for _, c := range l {
		if c.PSKIdentity != "" && c.inNetworks(source) {
			list = append(list, strconv.Quote(c.PSKIdentity))
		}
	}
	if len(list) == 0 {
		return "a certificate: no client with a PSK may connect from there"
	}
	return Few(list)
}

// meetsPSK reports whether a peer has the client's PSK, or neither has one.
func (c *Client) meetsPSK(p *Peer) bool {
	if p.PSK == nil || c.PSKIdentity == "" {
		return p.PSK == nil && c.PSKIdentity == ""
	}
	key := sha256.Sum256(c.PSK)
	return c.PSKIdentity == p.PSK.Identity && subtle.ConstantTimeCompare(key[:], p.PSK.Key[:]) == 1
}

// pskText says why a peer does not meet the client's PSK.
func (c *Client) pskText(p *Peer) string {
	switch {
	case c.PSKIdentity == "":
		return "its peers have a certificate, not a PSK"
	case p.PSK == nil:
		return "the peer used no PSK"
	case c.PSKIdentity != p.PSK.Identity:
		return fmt.Sprintf("PSK identity is not %q", Clip(c.PSKIdentity, longestText))
	}
	return "the key is not the one that is configured now"
}
