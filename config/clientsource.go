package config

import (
	"bytes"
	"net/netip"
)

// readClientSource reads the addresses that a client's requests are sent from.
func readClientSource(t *table, c *Client) {
	var text string
	if t.text("source", &text) && text != "" {
		if a, err := netip.ParseAddr(text); err != nil || a.IsUnspecified() || a.IsMulticast() {
			t.r.wrong(joinKey(t.path, "source"), "expected an IP address of this machine, got %q", text)
		} else {
			c.Source = a.Unmap()
		}
	}
	pool := ""
	if t.text("source_pool", &pool) && pool != "" {
		p, err := netip.ParsePrefix(pool)
		switch {
		case err != nil || p.Addr().Is4In6() || p.Addr().IsMulticast():
			t.r.wrong(joinKey(t.path, "source_pool"), `expected a range of addresses of this machine such as "127.1.0.0/16", got %q`, pool)
		case p != p.Masked():
			t.r.wrong(joinKey(t.path, "source_pool"), "expected a range without bits beyond its length, got %q: did you mean %q?", pool, p.Masked())
		case p.Addr().BitLen()-p.Bits() < smallestPool:
			t.r.wrong(joinKey(t.path, "source_pool"), "expected a range of at least %d addresses, got %q: use source for a single one", 1<<smallestPool, pool)
		case c.PSKIdentity != "":
			t.r.wrong(joinKey(t.path, "source_pool"), "expected source, because the addresses of a pool are computed from certificates, and a client with a PSK has none")
		case text != "":
			t.r.wrong(joinKey(t.path, "source_pool"), "expected source or source_pool, got both")
		default:
			c.SourcePool = p
		}
	}
	t.choice("source_from", &c.SourceFrom, SourceFromSAN, SourceFromSerial)
	given := text != "" || pool != "" || t.isWrongType("source") || t.isWrongType("source_pool")
	if secret := t.secret("server_secret", &c.ServerSecret, false); secret && !given {
		t.r.wrong(t.path, "server_secret: expected source or source_pool beside it: a server tells clients apart by their addresses")
	}
}

// isWrongType reports whether a key is there and is not a string, which is a mistake of its
// own.
func (t *table) isWrongType(key string) bool {
	_, isText := t.values[key].(string)
	return t.values[key] != nil && !isText
}

// smallestPool is the binary logarithm of the fewest addresses of a source_pool.
const smallestPool = 2

// warnSources warns of clients whose requests a server cannot tell from others by their
// address.
func (c *Config) warnSources(warn warner) {
	first := map[netip.Addr]*Client{} // with a source
	for i := range c.Clients {
		cl := &c.Clients[i]
		if !cl.Source.IsValid() {
			continue
		}
		other := first[cl.Source]
		if other == nil {
			first[cl.Source] = cl
		} else if !bytes.Equal(cl.ServerSecret.Bytes(), other.ServerSecret.Bytes()) {
			warn(joinKey(joinIndex("client", i), "source"), "client %q has the same source and another server_secret: a server knows one secret for an address", other.Name)
		}
	}
	for i := range c.Clients {
		if c.Clients[i].SourcePool.IsValid() {
			c.warnPool(warn, &c.Clients[i], joinKey(joinIndex("client", i), "source_pool"))
		}
	}
}

// warnPool warns of what else has an address of a client's source_pool.
func (c *Config) warnPool(warn warner, cl *Client, path string) {
	if c.Listen.ClientAuth != AuthRequire && !cl.ByCertificate() {
		warn(path, "all connections of client %q without a certificate, which listen.client_auth = %q lets in, have one address of it", cl.Name, c.Listen.ClientAuth)
	}
	for i := range c.Clients {
		if other := &c.Clients[i]; other.Source.IsValid() && cl.SourcePool.Contains(other.Source) {
			warn(path, "it contains %s, the source of client %q: if a certificate has this address, requests of one of the two are refused while the other is connected", other.Source, other.Name)
		}
	}
	for i := range c.Servers {
		if s := &c.Servers[i]; s.Source.IsValid() && cl.SourcePool.Contains(s.Source) {
			warn(path, "it contains %s, the source of server %q: a certificate may have the address that the requests of clients without a source come from", s.Source, s.Name)
		}
	}
}
