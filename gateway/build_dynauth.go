package gateway

import (
	"fmt"
	"net/netip"

	"radsec-gw/config"
	"radsec-gw/dynauth"
	"radsec-gw/relay"
	"radsec-gw/routing"
	"radsec-gw/wire"
)

// buildDynAuth translates the configuration of reverse CoA. All servers may send.
func buildDynAuth(cfg *config.Config, servers []configuredServer) (*dynauth.Config, error) {
	d := &cfg.DynamicAuthorization
	out := &dynauth.Config{
		RequireMA: d.RequireMessageAuthenticator, Timeout: d.Timeout, MaxLearned: d.MaxLearned, Lifetime: d.LearnedLifetime,
		Timestamps: dynauth.Timestamps{Window: cfg.Routing.EventTimestampWindow, Require: cfg.Routing.RequireEventTimestamp,
			DropReplies: cfg.Routing.ReplyEventTimestamp == config.ReplyDrop},
	}
	for _, s := range servers {
		out.Servers = append(out.Servers, s.server)
	}
	for i := range d.Senders {
		s := &d.Senders[i]
		secret, err := wire.NewServerSecret(s.Secret.Bytes())
		if err != nil {
			return nil, fmt.Errorf("sender %q: %w", s.Name, err)
		}
		out.Senders = append(out.Senders, dynauth.Sender{Name: s.Name, Networks: unmapped(s.Networks), Secret: secret})
	}
	return out, nil
}

// unmapped returns networks with those of IPv4-mapped IPv6 addresses as the IPv4 networks that they
// are.
func unmapped(networks []netip.Prefix) (list []netip.Prefix) {
	for _, p := range networks {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		list = append(list, p)
	}
	return list
}

// reverseOf translates what reverse CoA needs of a client's configuration, most of which has
// been translated for relay before.
func reverseOf(c *config.Client, from *relay.ClientConfig, attributes *programs) *dynauth.ClientConfig {
	out := &dynauth.ClientConfig{Reverse: c.ReverseCoA, Secret: from.Secret, Identifiers: c.NASIdentifier,
		Request: attributes.chain(c.RulesReverseRequest), Reply: attributes.chain(c.RulesReverseReply)}
	for _, name := range c.OperatorName {
		out.Operators = append(out.Operators, routing.Key(name))
	}
	if s := from.Source; s != nil {
		out.Source, out.Pool, out.PoolBySerial, out.SourceSecret = s.Addr, s.Pool, s.BySerial, s.Secret
	}
	return out
}

// configureDynAuth puts the configuration of reverse CoA in use.
func (g *Gateway) configureDynAuth(cfg *dynauth.Config, clients []*relay.Client) {
	var list []*dynauth.Client
	for _, c := range clients {
		list = append(list, c.Reverse())
	}
	g.dynauth.Configure(cfg, list)
}
