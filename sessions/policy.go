package sessions

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"time"

	"radsec-gw/identity"
	"radsec-gw/metrics"
)

// Policy says which client a peer is, under one configuration. It is immutable, and replaced
// as a whole, so that no decision uses parts of two configurations.
type Policy struct {
	Verifier *identity.Verifier

	clients    []member
	identities identity.Clients // of clients, in the same order; the verifier returns indexes into it
}

// member is a configured client and its state.
type member struct {
	config *Client
	state  *State
}

// NewPolicy returns a policy for clients, the first of which that matches counts, with the
// other settings of cfg. It uses what previous has computed, which may be nil.
func NewPolicy(cfg identity.Config, clients []*Client, shared *Shared, previous *Policy) (*Policy, error) {
	p := &Policy{}
	names := map[string]bool{}
	for _, c := range clients {
		if names[c.Name] {
			return nil, fmt.Errorf("two clients have the name %q", c.Name)
		}
		names[c.Name] = true
		p.clients = append(p.clients, member{c, shared.Of(c.Name)})
		p.identities = append(p.identities, &c.Client)
	}
	cfg.Clients = p.identities
	var before *identity.Verifier
	if previous != nil {
		before = previous.Verifier
	}
	var err error
	p.Verifier, err = identity.NewVerifier(&cfg, before)
	return p, err
}

// Lists reports whether any client may connect from source.
func (p *Policy) Lists(source netip.Addr) bool { return p.identities.Lists(source) }

// Unlisted returns the refusal of a source that no client lists; nil if one does.
func (p *Policy) Unlisted(source netip.Addr) *Refusal {
	if p.Lists(source) {
		return nil
	}
	return Refusef(metrics.HandshakeUnknownNetwork, "%s", p.Verifier.Unlisted(source))
}

// HavePSK reports whether any client that may connect from source has a PSK.
func (p *Policy) HavePSK(source netip.Addr) bool { return p.identities.HavePSK(source) }

// PSK returns the key of an identity that a peer at source has sent, or a refusal.
func (p *Policy) PSK(source netip.Addr, identity []byte) ([]byte, *Refusal) {
	key, r := p.identities.PSK(source, identity)
	if r != nil {
		return nil, refusalOf(r)
	}
	return key, nil
}

// Verify returns the refusal of certificates that no client may present; nil if one may.
func (p *Policy) Verify(certs []*x509.Certificate, now time.Time) *Refusal {
	if r := p.Verifier.Verify(certs, now); r != nil {
		return refusalOf(r)
	}
	return nil
}

// assess returns the client that a peer is, and until when its certificate is valid; or a
// refusal.
func (p *Policy) assess(who *identity.Peer, certs []*x509.Certificate, now time.Time) (*member, time.Time, *Refusal) {
	i, until, r := p.Verifier.Assess(who, certs, now)
	if r != nil {
		return nil, until, refusalOf(r)
	}
	return &p.clients[i], until, nil
}
