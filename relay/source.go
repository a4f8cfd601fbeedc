package relay

import (
	"net/netip"

	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// ClientSource says which local address the requests of a client are sent from (ID6). It is
// immutable.
type ClientSource struct {
	Addr     netip.Addr         // of all of its connections
	Pool     netip.Prefix       // instead of Addr: each certificate has an address of it; the zero Prefix: none
	BySerial bool               // which one follows from the certificate's issuer and serial, not its first name
	Secret   *wire.ServerSecret // that servers know the address with; nil: that of each server
}

// address returns the address of the requests of one holder, nil where all have the same.
func (s *ClientSource) address(holder []byte) netip.Addr {
	if s.Pool.IsValid() {
		return udpback.PoolAddress(s.Pool, holder)
	}
	return s.Addr
}

// source has the source of a connection. It belongs to the read loop.
type source struct {
	of      *ClientConfig   // that acquired is of; nil: none yet
	current *udpback.Source // nil: the servers' own, or the address is another certificate's
	claim   *sourceClaim    // on current
}

// sourceClaim is the claim of a connection on its source. It is immutable.
type sourceClaim struct {
	client *Client
	of     *ClientSource
	holder []byte
}

// Holds reports whether the client's configuration, which may be a later one than the
// connection knows, still gives it this source.
func (c *sourceClaim) Holds(addr netip.Addr) bool {
	now := c.client.Config().Source
	if now == nil || now.Pool.IsValid() != c.of.Pool.IsValid() || now.Pool.IsValid() && now.BySerial != c.of.BySerial {
		return false
	}
	return now.address(c.holder) == addr
}

// setSource sets the source of a request, and acquires that of its connection when the
// first request needs it, or the client has another configuration. The error is
// udpback.ErrSourceTaken.
func (c *Connection) setSource(req *request) error {
	cfg := req.client
	if c.source.of != cfg {
		if err := c.acquireSource(cfg); err != nil {
			return err
		}
	}
	req.Source = c.source.current
	return nil
}

func (c *Connection) acquireSource(cfg *ClientConfig) error {
	c.releaseSource()
	s := cfg.Source
	if s == nil {
		c.source.of = cfg
		return nil
	}
	claim := &sourceClaim{client: c.client, of: s}
	if s.Pool.IsValid() {
		claim.holder = c.origin.sourceKey(s.BySerial)
	}
	acquired, err := c.relay.back.AcquireSource(s.address(claim.holder), s.Secret, claim.holder, cfg.Name, claim)
	if err != nil {
		if c.link != nil {
			c.link.SetSource(netip.Addr{}) // it is another certificate's
		}
		return err // tried again for the next request: the other may have gone
	}
	c.source = source{of: cfg, current: acquired, claim: claim}
	if c.link != nil {
		c.link.SetSource(acquired.Addr)
	}
	return nil
}

// releaseSource releases the connection's source.
func (c *Connection) releaseSource() {
	if c.source.current != nil {
		c.relay.back.ReleaseSource(c.source.current, c.source.claim)
	}
	c.source = source{}
}
