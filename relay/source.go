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

// source has the source of a connection. It belongs to the read loop.
type source struct {
	of      *ClientConfig   // that acquired is of; nil: none yet
	current *udpback.Source // nil: the servers' own, or the address is another certificate's
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
	addr, holder := s.Addr, []byte(nil)
	if s.Pool.IsValid() {
		holder = c.origin.sourceKey(s.BySerial)
		addr = udpback.PoolAddress(s.Pool, holder)
	}
	acquired, err := c.relay.back.AcquireSource(addr, s.Secret, holder, cfg.Name)
	if err != nil {
		return err // tried again for the next request: the other may have gone
	}
	c.source = source{of: cfg, current: acquired}
	return nil
}

// releaseSource releases the connection's source.
func (c *Connection) releaseSource() {
	if c.source.current != nil {
		c.relay.back.ReleaseSource(c.source.current)
	}
	c.source = source{}
}
