package relay

import (
	"sync/atomic"

	"radsec-gw/metrics"
	"radsec-gw/routing"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// Client is a RadSec client, by whatever configuration it has at the moment. Its
// connections share it.
type Client struct {
	config atomic.Pointer[ClientConfig]
}

// ClientConfig is what one configuration says of a client: its secret and what it may
// send. It is immutable.
type ClientConfig struct {
	Name    string
	Secret  *wire.ClientSecret
	Allowed [wire.NumKinds]bool // the kinds it may send; Status-Server is always answered
	Realms  *routing.Filter     // the realms that it may send; nil: all
	// Policy says what a packet of each kind must prove.
	Policy [wire.NumKinds]wire.RequestPolicy
	// ReversePath says what a CoA or Disconnect gets whose sender is not one of the
	// servers that an Access-Request for the user's realm would go to.
	ReversePath ReversePath
	// Quota bounds what the client takes of the servers' Identifiers; nil when it
	// is the only client.
	Quota   *udpback.Quota
	Metrics *metrics.Client
}

// NewClient returns a client with its first configuration.
func NewClient(cfg *ClientConfig) *Client {
	c := new(Client)
	c.config.Store(cfg)
	return c
}

// Reconfigure gives the client another configuration of the same name: requests that
// arrive from now on follow it, on connections that are open, too.
func (c *Client) Reconfigure(cfg *ClientConfig) { c.config.Store(cfg) }

// Config returns the client's current configuration.
func (c *Client) Config() *ClientConfig { return c.config.Load() }
