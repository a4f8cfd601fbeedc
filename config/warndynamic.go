package config

import (
	"bytes"
	"net/netip"
	"slices"
)

// warnDynamic warns of what is likely a mistake about the CoA and Disconnect that are sent to
// the gateway over UDP.
func (c *Config) warnDynamic(warn warner) {
	const at = "dynamic_authorization.address"
	d := &c.DynamicAuthorization
	reverse := func(cl Client) bool { return cl.ReverseCoA }
	if len(d.Address) > 0 && !slices.ContainsFunc(c.Clients, reverse) {
		warn(at, "no client has reverse_coa = true, so that every request which is sent here gets a NAK with Error-Cause 502")
	}
	for i, a := range d.Address {
		if !a.Addr().IsUnspecified() && exposed(a.Addr()) {
			warn(joinIndex(at, i), "%s is %s", a, exposure)
		}
	}
	for i := range d.Senders {
		s, path := &d.Senders[i], joinIndex("dynamic_authorization.sender", i)
		if n := s.Secret.Len(); n <= 12 {
			warn(joinKey(path, "secret"), "sender %q has a secret of %d bytes: take 16 or more, at random", s.Name, n)
		}
		c.warnSender(warn, s, joinKey(path, "networks"))
	}
	c.warnReverse(warn)
	c.warnSelf(warn)
}

// warnSender warns of a sender that is the one address of a server, with another secret. In a
// range the server is likely one of many, and nobody expects its secret to be that of all.
func (c *Config) warnSender(warn warner, sender *Sender, path string) {
	for i, network := range sender.Networks {
		for k := range c.Servers {
			s := &c.Servers[k]
			a, err := netip.ParseAddr(s.Address)
			if err == nil && network.IsSingleIP() && network.Addr().Unmap() == a.Unmap() && !bytes.Equal(s.Secret.Bytes(), sender.Secret.Bytes()) {
				warn(joinIndex(path, i), "%s is server %q, which may send with its own secret in any case, and sender %q has another: requests from there may have either", a, s.Name, sender.Name)
			}
		}
	}
}

// warnReverse warns of clients that are sent CoA which cannot arrive, and of names that two of
// them have.
func (c *Config) warnReverse(warn warner) {
	first := map[string]string{} // client, by the name of its NAS
	for i := range c.Clients {
		cl, path := &c.Clients[i], joinIndex("client", i)
		if cl.ReverseCoA && len(c.DynamicAuthorization.Address) == 0 {
			warn(joinKey(path, "reverse_coa"), "has no effect: dynamic_authorization.address is empty, so that nobody can send the gateway CoA for client %q", cl.Name)
		}
		for j, name := range cl.NASIdentifier {
			if other, twice := first[name]; twice {
				warn(joinIndex(joinKey(path, "nas_identifier"), j), "%q is a name of client %q, too, which is listed before this one: CoA and Disconnect for it go there", name, other)
				continue
			}
			first[name] = cl.Name
		}
	}
}

// warnSelf warns of servers that get CoA and Disconnect where the gateway itself listens for
// them.
func (c *Config) warnSelf(warn warner) {
	for i := range c.Servers {
		s := &c.Servers[i]
		a, err := netip.ParseAddr(s.Address)
		if err != nil || !c.getsDynamic(s) {
			continue
		}
		to := netip.AddrPortFrom(a.Unmap(), s.CoAPort)
		for _, own := range c.DynamicAuthorization.Address {
			if reaches(to, own) {
				warn(joinKey(joinIndex("server", i), "coa_port"), "server %q is at %s, where the gateway itself listens for CoA and Disconnect (dynamic_authorization.address): it would send those of its clients to itself", s.Name, to)
				break
			}
		}
	}
}

// getsDynamic reports whether a route sends a server CoA or Disconnect.
func (c *Config) getsDynamic(s *Server) bool {
	return slices.ContainsFunc(c.Routes, func(r Route) bool { return r.dynamic() && slices.Contains(r.Servers, s.Name) })
}

// reaches reports whether what is sent to an address arrives at a listener of this machine.
// The unspecified address has those of all interfaces, of which only the loopback is known
// here.
func reaches(to, listener netip.AddrPort) bool {
	own := listener.Addr().Unmap()
	atAny := own.IsUnspecified() && to.Addr().IsLoopback() && (own.Is6() || to.Addr().Is4())
	return to.Port() == listener.Port() && (own == to.Addr() || atAny)
}
