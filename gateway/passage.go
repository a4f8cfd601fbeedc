package gateway

import (
	"fmt"
	"slices"

	"radsec-gw/config"
	"radsec-gw/relay"
	"radsec-gw/rules"
	"radsec-gw/udpback"
	"radsec-gw/web/status"
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

// RuleNames returns the names of those of the rules that requests of a kind, or the replies
// to them, pass, in the order in which they are applied.
func (p *Plan) RuleNames(names []string, kind wire.Kind) (list []string) {
	for i := range p.rules.rules {
		name := p.rules.rules[i].Name
		if slices.Contains(names, name) && rules.NewChain(p.rules.list[i]).Applies(kind) {
			list = append(list, name)
		}
	}
	return list
}

// Refuses returns why a client may not send a request, after its rules; "" if it may.
func (p *Plan) Refuses(client *config.Client, v *wire.View) (why string, err error) {
	if !slices.Contains(kindsOf(client.Packets), v.Kind()) {
		return fmt.Sprintf("packets of client %q does not list its kind", client.Name), nil
	}
	filter, err := realmFilter(p.Config, client)
	if err != nil {
		return "", err
	}
	if realm, ok := filter.Allows(v); !ok {
		return fmt.Sprintf("realms of client %q does not list %s", client.Name, status.RealmText(string(realm))), nil
	}
	return "", nil
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
