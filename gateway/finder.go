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
	plan      *Plan
	verifiers []*identity.Verifier // of each front
}

// NewFinder returns a Finder for the plan's clients.
func (p *Plan) NewFinder() (*Finder, error) {
	f := &Finder{plan: p}
	for _, one := range p.files.fronts {
		v, err := one.verifier(p.Config, p.files.ownCAs)
		if err != nil {
			return nil, err
		}
		f.verifiers = append(f.verifiers, v)
	}
	return f, nil
}

// Find returns the client that a peer with these certificates, its own first, would be now
// if it connected from an address that this client may have, to the first front that lets it
// in; an error says why it would be refused.
func (f *Finder) Find(certs []*x509.Certificate, now time.Time) (*config.Client, error) {
	var refused *identity.Refusal
	for k, front := range f.plan.files.fronts {
		place := -1 // among the clients of the front
		for i := range f.plan.Config.Clients {
			c := &f.plan.Config.Clients[i]
			if !front.Accepts(c) {
				continue
			}
			place++
			for _, source := range addressesOf(c, certs[0]) {
				at, _, refusal := f.verifiers[k].Assess(identity.NewPeer(source, certs), certs, now)
				if refusal == nil && at == place {
					return c, nil
				}
				if refused == nil {
					refused = refusal
				}
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
