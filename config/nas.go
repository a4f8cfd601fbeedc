package config

import (
	"net/netip"
	"slices"
)

// readNAS reads whether the server is a NAS, and its names in CoA and Disconnect.
func readNAS(t *table, s *Server) {
	t.flag("nas", &s.NAS)
	readIdentifiers(t, &s.NASIdentifier)
	given := t.texts("nas_ip_address", func(path, text string) {
		a, err := netip.ParseAddr(text)
		switch {
		case err != nil || a.Zone() != "":
			t.r.wrong(path, `expected an IP address such as "192.0.2.1" or "2001:db8::1", got %q`, text)
		case slices.Contains(s.NASIPAddress, a.Unmap()):
			t.r.wrong(path, "%q is listed twice: remove one", text)
		default:
			s.NASIPAddress = append(s.NASIPAddress, a.Unmap())
		}
	})
	switch {
	case !s.NAS && len(s.NASIdentifier)+len(s.NASIPAddress) > 0:
		t.r.wrong(t.path, "nas_identifier and nas_ip_address go with nas = true only")
	case !s.NAS:
	case s.CoAPort == 0:
		t.r.wrong(joinKey(t.path, "nas"), "expected a coa_port above zero with nas = true: a NAS is sent CoA and Disconnect only")
	case !given:
		if a, err := netip.ParseAddr(s.Address); err == nil && a.Zone() == "" {
			s.NASIPAddress = []netip.Addr{a.Unmap()}
		} else if len(s.NASIdentifier) == 0 {
			t.r.wrong(joinKey(t.path, "nas"), "expected nas_identifier or nas_ip_address with nas = true where address is a host name: CoA and Disconnect have to name the NAS (RFC 8559 §4.2)")
		}
	case len(s.NASIdentifier)+len(s.NASIPAddress) == 0:
		t.r.wrong(joinKey(t.path, "nas"), "expected nas_identifier or nas_ip_address with nas = true, got empty ones: CoA and Disconnect have to name the NAS (RFC 8559 §4.2)")
	}
}

// readIdentifiers reads nas_identifier.
func readIdentifiers(t *table, to *[]string) {
	t.texts("nas_identifier", func(path, id string) {
		switch {
		case id == "" || len(id) > 253:
			t.r.wrong(path, "expected 1 to 253 bytes, got %d", len(id))
		case slices.Contains(*to, id):
			t.r.wrong(path, "%q is listed twice: remove one", id)
		default:
			*to = append(*to, id)
		}
	})
}

// dynamic reports whether the route takes CoA or Disconnect.
func (r *Route) dynamic() bool {
	return slices.Contains(r.Packets, PacketCoA) || slices.Contains(r.Packets, PacketDisconnect)
}

// warnNASes warns of two NASes of a route that are called the same.
func warnNASes(warn warner, r *Route, servers []*Server, path string) {
	if !r.dynamic() {
		return
	}
	names := map[string]*Server{}
	for _, s := range servers {
		called := slices.Clone(s.NASIdentifier)
		for _, a := range s.NASIPAddress {
			called = append(called, a.String())
		}
		for _, name := range called {
			if first := names[name]; first != nil && first != s {
				warn(path, "servers %q and %q are both called %q: a CoA or Disconnect for that goes to %q", first.Name, s.Name, name, first.Name)
				return
			}
			names[name] = s
		}
	}
}

// warnUnknownNAS warns, once a route, of a server of which nothing says whether it is
// a NAS. Some NASes refuse a request with a Proxy-State.
func (c *Config) warnUnknownNAS(warn warner, r *Route) {
	if !c.Routing.LoopMarker || !r.dynamic() {
		return
	}
	for i := range c.Servers {
		s, path := &c.Servers[i], joinIndex("server", i)
		if slices.Contains(r.Servers, s.Name) && !s.NAS && !c.given(joinKey(path, "nas")) {
			warn(path, "server %q gets CoA and Disconnect with a Proxy-State (loop_marker), which some NASes refuse, such as hostapd: set nas = true if it is a NAS, nas = false if it is a proxy", s.Name)
			return
		}
	}
}
