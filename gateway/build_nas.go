package gateway

import (
	"radsec-gw/config"
	"radsec-gw/relay"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// buildNASes makes a group for each NAS of a route, and one for its other servers, as
// shared says. It returns nil if none of its servers is a NAS.
func buildNASes(cfg *config.Config, r *config.Route, shared udpback.GroupConfig, back *udpback.Backend, byName map[string]*udpback.Server) (*relay.NASes, error) {
	var all []relay.NAS
	var others []*udpback.Server
	for _, s := range cfg.ServersOf(r) {
		if !s.NAS {
			others = append(others, byName[s.Name])
			continue
		}
		group, err := back.NewGroup(shared, byName[s.Name])
		if err != nil {
			return nil, err
		}
		all = append(all, relay.NAS{Group: group, Identifiers: s.NASIdentifier, Addresses: s.NASIPAddress})
	}
	switch {
	case len(all) == 0:
		return nil, nil
	case len(others) == 0:
		return relay.NewNASes(all, nil), nil
	}
	rest, err := back.NewGroup(shared, others...)
	return relay.NewNASes(all, rest), err
}

// nasOf returns the identification that is added to a CoA or Disconnect for a NAS if it has
// none; nil for a server that is not a NAS.
func nasOf(s *config.Server) *wire.NAS {
	if !s.NAS {
		return nil
	}
	nas := new(wire.NAS)
	if len(s.NASIdentifier) > 0 {
		nas.Identifier = s.NASIdentifier[0]
	} else if len(s.NASIPAddress) > 0 {
		nas.Address = s.NASIPAddress[0].AsSlice()
	}
	return nas
}
