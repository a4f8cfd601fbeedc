package identity

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/netip"
	"slices"
)

// PSK is the pre-shared key that a peer has instead of a certificate (RFC 9813).
type PSK struct {
	Identity string   // as the peer sent it
	Key      [32]byte // SHA-256 of the key
}

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
	return nil, &Refusal{Reason: ClientUnknown, Text: fmt.Sprintf("no client that may connect from %v has the PSK identity %q: expected the psk_identity of one", source, Clip(string(identity), longestText))}
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
		return "it has no PSK"
	case p.PSK == nil:
		return "no PSK"
	case c.PSKIdentity != p.PSK.Identity:
		return fmt.Sprintf("PSK identity is not %q", Clip(c.PSKIdentity, longestText))
	}
	return "the PSK is another one"
}
