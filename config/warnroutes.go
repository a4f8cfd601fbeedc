package config

import "slices"

// warnRoutes warns of routes whose settings do not fit their servers.
func (c *Config) warnRoutes(warn warner) {
	if !c.Routing.LoopMarker && c.Routing.LoopMarkerSecret.Len() > 0 {
		warn("routing.loop_marker_secret", "has no effect: loop_marker is false")
	}
	for i := range c.Routes {
		r, path := &c.Routes[i], joinIndex("route", i)
		servers := c.ServersOf(r)
		expanded := slices.IndexFunc(servers, func(s *Server) bool { return s.Expand })
		if expanded >= 0 && r.Balance == BalanceFailover && !c.given(joinKey(path, "balance")) {
			warn(path, "server %q has expand = true, and balance is \"failover\" by default: the first of its addresses gets every request while it is up; if that is meant, set balance to \"failover\", otherwise to %s", servers[expanded].Name, oneOf(Balances()[1:]))
		}
		warnNASes(warn, r, servers, path)
		warnAnswers(warn, r, servers, path)
		c.warnUnknownNAS(warn, r)
		if !r.moves() || len(servers) < 2 && expanded < 0 || r.Patience == 0 {
			continue
		}
		c.warnPatience(warn, r, servers, joinKey(path, "patience"))
	}
}

// warnAnswers warns that accounting ends at the gateway, and of a route whose rejected
// requests have no other server to go to.
func warnAnswers(warn warner, r *Route, servers []*Server, path string) {
	if r.Accounting == AccountingAnswer {
		warn(joinKey(path, "accounting"), "accounting of these realms ends here: the gateway acknowledges it, and nobody keeps it")
	}
	if r.OnReject == RejectNext && len(servers) < 2 && !slices.ContainsFunc(servers, func(s *Server) bool { return s.Expand }) {
		warn(joinKey(path, "on_reject"), "has no effect: a rejected request has no other server to go to; name two servers or more, or remove the key")
	}
}

// warnPatience warns, once, of a patience that is too long or too short for a server's
// schedule.
func (c *Config) warnPatience(warn warner, r *Route, servers []*Server, at string) {
	for _, s := range servers {
		switch {
		case r.Patience > s.RetransmitDuration:
			warn(at, "has no effect with server %q: its requests are given up after %v (retransmit_duration), before they have waited %v; to have them go to the next server, set less; to keep them where they are, \"0s\" says so",
				s.Name, s.RetransmitDuration, r.Patience)
		case r.Patience <= s.RetransmitInitial:
			warn(at, "%v is not above the %v after which server %q is sent a request again (retransmit_initial): one lost packet, and a slow answer, sends it to the next server as well",
				r.Patience, s.RetransmitInitial, s.Name)
		default:
			continue
		}
		return
	}
}

// ServersOf returns the servers of a route, in its order.
func (c *Config) ServersOf(r *Route) (list []*Server) {
	for _, name := range r.Servers {
		for i := range c.Servers {
			if c.Servers[i].Name == name {
				list = append(list, &c.Servers[i])
			}
		}
	}
	return list
}

// moves reports whether the route takes requests that may go from one server to the
// next: CoA and Disconnect stay (RFC 5176 §2.3).
func (r *Route) moves() bool {
	forwarded := r.Forwarded()
	return slices.Contains(forwarded, PacketAccess) || slices.Contains(forwarded, PacketAccounting)
}
