package gateway

import (
	"fmt"
	"slices"

	"radsec-gw/config"
	"radsec-gw/relay"
	"radsec-gw/rules"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// Passage returns the attribute rules between a client and a server, by which a route
// forwards requests of a kind; route is -1 and server "" where only those of the client are
// wanted.
func (p *Plan) Passage(client *config.Client, route int, server string, kind wire.Kind, facts *rules.Facts) (relay.Passage, error) {
	secret, err := wire.NewClientSecret(client.Secret.Bytes())
	if err != nil {
		return relay.Passage{}, fmt.Errorf("client %q: %w", client.Name, err)
	}
	out := relay.Passage{Kind: kind, Facts: facts, Secret: secret, Client: p.rules.ofClient(client)}
	if route >= 0 {
		out.Server = p.rules.ofRoute(p.Config, &p.Config.Routes[route]).Of(udpback.ServerID(server))
	}
	return out, nil
}

// RuleLines returns what the rules with these names do, in the order in which they are
// applied: a line for each step, after the name of the rule.
func (p *Plan) RuleLines(names []string) (lines []string) {
	for i := range p.rules.rules {
		r := &p.rules.rules[i]
		if !slices.Contains(names, r.Name) {
			continue
		}
		for _, line := range p.rules.list[i].Lines() {
			lines = append(lines, r.Name+": "+line)
		}
	}
	return lines
}

// RouteOf returns the place of the route that a request is forwarded by, and the realm that
// decides; false if there is none.
func (p *Plan) RouteOf(v *wire.View) (route int, realm []byte, ok bool) {
	table, err := buildTable(p.Config)
	if err != nil {
		return 0, nil, false
	}
	return table.Route(v)
}
