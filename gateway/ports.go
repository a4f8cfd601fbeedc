package gateway

import (
	"slices"

	"radsec-gw/config"
)

// Servers lists the servers in the order of the file, each without the ports to which
// no route sends anything.
func (p *Plan) Servers() (all []config.Server) {
	for i := range p.Config.Servers {
		all = append(all, withUsedPorts(p.Config, &p.Config.Servers[i]))
	}
	return all
}

// withUsedPorts returns a copy of the server without the ports to which no route sends
// anything. The defaults name three ports, and few servers have all of them: a port that is
// not used must not be opened, checked or shown as down.
func withUsedPorts(cfg *config.Config, s *config.Server) config.Server {
	used := func(packets ...string) bool {
		return slices.ContainsFunc(cfg.Routes, func(r config.Route) bool {
			return slices.Contains(r.Servers, s.Name) &&
				slices.ContainsFunc(packets, func(p string) bool { return slices.Contains(r.Forwarded(), p) })
		})
	}
	out := *s
	if !used(config.PacketAccess) {
		out.AuthPort = 0
	}
	if !used(config.PacketAccounting) {
		out.AcctPort = 0
	}
	if !used(config.PacketCoA, config.PacketDisconnect) {
		out.CoAPort = 0
	}
	return out
}
