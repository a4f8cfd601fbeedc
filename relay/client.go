package relay

import (
	"sync/atomic"

	"radsec-gw/dynauth"
	"radsec-gw/metrics"
	"radsec-gw/routing"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// Client is a configured RadSec client. Its connections share it. Its configuration can be
// replaced while they are open.
type Client struct {
	reverse *dynauth.Client // static after construction
	config  atomic.Pointer[ClientConfig]
}

// ClientConfig is the configuration of a client: its secret and what it may send. It is
// immutable.
type ClientConfig struct {
	Name   string
	Secret *wire.ClientSecret
	// OverDTLS is the same for sessions of RADIUS/DTLS, which has another secret where the
	// configuration gives none (RFC 7360 §2.1); nil: nothing differs.
	OverDTLS *ClientConfig
	Allowed  [wire.NumKinds]bool // the kinds it may send; Status-Server is always answered
	Realms   *routing.Filter     // the realms that it may send, after its rules; nil: all
	// Attributes are the rules for its requests, before they are routed, and for the replies
	// to it.
	Attributes AttributeRules
	// Policy says what a packet of each kind must prove.
	Policy [wire.NumKinds]wire.RequestPolicy
	// ReversePath says how a CoA or Disconnect is answered if its sender is not one of the
	// servers that an Access-Request for the user's realm would go to.
	ReversePath ReversePath
	Source      *ClientSource         // that its requests are sent from; nil: the servers' own
	Reverse     *dynauth.ClientConfig // for what is sent down its connections; nil: nothing is
	// Quota bounds how many of the servers' Identifiers the client uses; nil if it is the
	// only client.
	Quota   *udpback.Quota
	Metrics *metrics.Client
}

// NewClient returns a client with its first configuration.
func NewClient(cfg *ClientConfig) *Client {
	c := &Client{reverse: dynauth.NewClient(cfg.Name, cfg.reverse())}
	c.config.Store(cfg)
	return c
}

// Reconfigure replaces the client's configuration with another of the same name, for all
// requests that arrive from now on, including those on open connections.
func (c *Client) Reconfigure(cfg *ClientConfig) {
	c.config.Store(cfg)
	c.reverse.Configure(cfg.reverse())
}

// reverse returns the configuration of reverse CoA.
func (c *ClientConfig) reverse() *dynauth.ClientConfig {
	if c.Reverse == nil {
		return new(dynauth.ClientConfig)
	}
	return c.Reverse
}

// Reverse returns the client as package dynauth knows it.
func (c *Client) Reverse() *dynauth.Client { return c.reverse }

// Config returns the client's current configuration.
func (c *Client) Config() *ClientConfig { return c.config.Load() }
