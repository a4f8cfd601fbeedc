package gateway

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"time"

	"radsec-gw/config"
	"radsec-gw/identity"
)

// Finder finds the configured clients that certificates belong to.
type Finder struct {
	plan     *Plan
	verifier *identity.Verifier
}

// NewFinder returns a Finder for the plan's clients.
func (p *Plan) NewFinder() (*Finder, error) {
	cfg := identity.Config{Auth: clientAuthOf(p.Config.Listen.ClientAuth), ClientCA: p.files.clientCAs, Intermediates: p.files.intermediates, CRLs: p.files.crls,
		RefuseStaleCRL: p.Config.Listen.CRLStale == config.CRLStaleRefuse}
	if p.files.pair.Leaf != nil {
		cfg.Own = p.files.pair.Leaf.Raw
	}
	for i := range p.Config.Clients {
		c, err := buildIdentity(&p.Config.Clients[i], p.files.ownCAs[i])
		if err != nil {
			return nil, err
		}
		cfg.Clients = append(cfg.Clients, &c.Client)
	}
	v, err := identity.NewVerifier(&cfg, nil)
	return &Finder{p, v}, err
}

// Find returns the client that a peer with these certificates, its own first, would be now
// if it connected from an address that this client may have; an error says why it would be
// refused.
func (f *Finder) Find(certs []*x509.Certificate, now time.Time) (*config.Client, error) {
	var refused *identity.Refusal
	for i := range f.plan.Config.Clients {
		c := &f.plan.Config.Clients[i]
		for _, source := range addressesOf(c, certs[0]) {
			at, _, refusal := f.verifier.Assess(identity.NewPeer(source, certs), certs, now)
			if refusal == nil && at == i {
				return c, nil
			}
			if refused == nil {
				refused = refusal
			}
		}
	}
	if refused != nil {
		return nil, fmt.Errorf("%s", refused.Text)
	}
	return nil, fmt.Errorf("no client matches")
}

// addressesOf returns addresses that a client with a certificate may connect from.
func addressesOf(c *config.Client, leaf *x509.Certificate) (list []netip.Addr) {
	for _, ip := range leaf.IPAddresses {
		if a, ok := netip.AddrFromSlice(ip); ok {
			list = append(list, a.Unmap())
		}
	}
	return append(list, AddressOf(c))
}

// AddressOf returns an address that a client may connect from.
func AddressOf(c *config.Client) netip.Addr {
	if len(c.Networks) > 0 {
		return c.Networks[0].Addr()
	}
	return netip.MustParseAddr("192.0.2.1") // of a network for documentation (RFC 5737)
}
