package dynauth

import (
	"iter"
	"maps"
	"net/netip"
	"slices"
	"sync/atomic"

	"radsec-gw/locks"
	"radsec-gw/rules"
	"radsec-gw/wire"
)

// Client is a configured RadSec client. Its connections share it, and it stays the same when
// its configuration changes.
type Client struct {
	// static after construction
	name   string
	shared Name // what other gateways know it by

	config atomic.Pointer[ClientConfig]

	keys, nases atomic.Int64 // learned from its requests

	mu       locks.Mutex[locks.DynAuthClient] // guards the fields below, and leaving of each Link
	links    map[*Link]struct{}               // the open ones
	byDevice map[string][]*Link               // likewise
	bySource map[netip.Addr][]*Link           // those that have an address
}

// ClientConfig is what reverse CoA needs of a client's configuration. It is immutable.
type ClientConfig struct {
	Reverse bool // requests may be sent down its connections (RC1)
	Secret  *wire.ClientSecret
	// SecretOverDTLS is that of sessions of RADIUS/DTLS; nil: the same.
	SecretOverDTLS *wire.ClientSecret
	// Identifiers are the NAS-Identifiers that are the client's though it may not have sent
	// any.
	Identifiers []string
	// Operators are Operator-Names as a [[route]] would have them, folded by routing.Key;
	// "*.realm" is for all realms below one.
	Operators []string
	// Source is the address that servers know the client by, and Pool the range that has
	// one for each of its certificates; the zero values: none.
	Source       netip.Addr
	Pool         netip.Prefix
	PoolBySerial bool // which one follows from the certificate's issuer and serial
	// SourceSecret is what the servers share with Source or Pool; nil: their own secrets.
	SourceSecret   *wire.ServerSecret
	Request, Reply *rules.Chain // rules for what is sent down to it, and for its answers
}

// NewClient returns a client with its first configuration.
func NewClient(name string, cfg *ClientConfig) *Client {
	c := &Client{name: name, shared: nameOf(clientSpace, []byte(name)), links: map[*Link]struct{}{}, byDevice: map[string][]*Link{}, bySource: map[netip.Addr][]*Link{}}
	c.config.Store(cfg)
	return c
}

// secretOf returns the client's secret on this connection.
func (l *Link) secretOf(cfg *ClientConfig) *wire.ClientSecret {
	if l.DTLS && cfg.SecretOverDTLS != nil {
		return cfg.SecretOverDTLS
	}
	return cfg.Secret
}

// Configure replaces the configuration, for open connections too.
func (c *Client) Configure(cfg *ClientConfig) {
	old := c.config.Swap(cfg)
	if old.Source == cfg.Source && old.Pool == cfg.Pool && old.PoolBySerial == cfg.PoolBySerial {
		return
	}
	c.mu.Lock()
	open := slices.Collect(maps.Keys(c.links))
	c.mu.Unlock()
	for _, l := range open {
		if one := l.config.Load(); one != nil {
			l.SetSource(one.sourceNow())
		}
	}
}

// Reverse reports whether requests may be sent down the client's connections.
func (c *Client) Reverse() bool { return c.config.Load().Reverse }

// addLink adds an open connection, and reports whether it is the only one.
func (c *Client) addLink(l *Link) (only bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.links[l] = struct{}{}
	c.byDevice[l.Device] = append(c.byDevice[l.Device], l)
	if l.source.IsValid() {
		c.bySource[l.source] = append(c.bySource[l.source], l)
	}
	return len(c.links) == 1
}

func (c *Client) removeLink(l *Link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.links, l)
	removeFrom(c.byDevice, l.Device, l)
	removeFrom(c.bySource, l.source, l)
}

// removeFrom removes a Link from an index.
func removeFrom[K comparable](index map[K][]*Link, k K, l *Link) {
	rest := slices.DeleteFunc(index[k], func(one *Link) bool { return one == l })
	if len(rest) == 0 {
		delete(index, k)
		return
	}
	index[k] = rest
}

// lastUsed returns the open connection that was used last, nil if there is none.
func (c *Client) lastUsed() *Link {
	c.mu.Lock()
	defer c.mu.Unlock()
	return lastUsed(maps.Keys(c.links))
}

// ofSource returns the connection that was used last of those with a source, nil if there is
// none. one reports whether they are all of one device.
func (c *Client) ofSource(a netip.Addr) (l *Link, one bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l = lastUsed(slices.Values(c.bySource[a]))
	return l, l == nil || !slices.ContainsFunc(c.bySource[a], func(other *Link) bool { return other.Device != l.Device })
}

// linksOf returns the open connections with a source.
func (c *Client) linksOf(a netip.Addr) []*Link {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.bySource[a])
}

// sibling returns another connection of the device of l for which free holds, nil if there is
// none.
func (c *Client) sibling(l *Link, free func(*Link) bool) *Link {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, other := range c.byDevice[l.Device] {
		if other != l && !other.closed.Load() && free(other) {
			return other
		}
	}
	return nil
}

func lastUsed(links iter.Seq[*Link]) (found *Link) {
	for l := range links {
		if !l.closed.Load() && (found == nil || l.used.Load() > found.used.Load()) {
			found = l
		}
	}
	return found
}

// directory has the clients by what the configuration says of them. It is immutable.
type directory struct {
	clients      []*Client
	byIdentifier map[string]*Client // the first that has it
	byOperator   map[string][]*Client
	bySource     map[netip.Addr]*Client
	pools        []*Client // that have one
	reverse      int       // how many have reverse CoA
}

func newDirectory(clients []*Client) *directory {
	d := &directory{clients: clients, byIdentifier: map[string]*Client{}, byOperator: map[string][]*Client{}, bySource: map[netip.Addr]*Client{}}
	for _, c := range clients {
		cfg := c.config.Load()
		if cfg.Reverse {
			d.reverse++
		}
		if cfg.Source.IsValid() {
			d.bySource[cfg.Source.Unmap()] = c
		}
		if cfg.Pool.IsValid() {
			d.pools = append(d.pools, c)
		}
		for _, id := range cfg.Identifiers {
			if d.byIdentifier[id] == nil {
				d.byIdentifier[id] = c
			}
		}
		for _, o := range cfg.Operators {
			d.byOperator[o] = append(d.byOperator[o], c)
		}
	}
	return d
}

// source returns the client that a local address is the source of, nil if there is none.
func (d *directory) source(a netip.Addr) *Client {
	if !a.IsValid() {
		return nil
	}
	if c := d.bySource[a]; c != nil {
		return c
	}
	for _, c := range d.pools {
		if c.config.Load().Pool.Contains(a) {
			return c
		}
	}
	return nil
}
