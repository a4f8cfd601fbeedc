package gateway

import (
	"fmt"
	"slices"

	"radsec-gw/config"
	"radsec-gw/metrics"
	"radsec-gw/relay"
	"radsec-gw/routing"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// buildClients translates the part of each client's configuration that relay needs.
func buildClients(cfg *config.Config, attributes *programs, m *metrics.Metrics) (list []*relay.ClientConfig, err error) {
	for i := range cfg.Clients {
		c, err := buildClient(cfg, i, attributes, m)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// reuseClients returns a client for each configuration: the existing one with that name,
// which has its connections, or a new one.
func reuseClients(configs []*relay.ClientConfig, existing []*relay.Client) (clients []*relay.Client) {
	for _, cfg := range configs {
		i := slices.IndexFunc(existing, func(c *relay.Client) bool { return c.Config().Name == cfg.Name })
		if i >= 0 {
			clients = append(clients, existing[i])
		} else {
			clients = append(clients, relay.NewClient(cfg))
		}
	}
	return clients
}

// realmFilter returns the realms that a client may send; nil: all.
func realmFilter(cfg *config.Config, c *config.Client) (*routing.Filter, error) {
	if len(c.Realms) == 0 {
		return nil, nil
	}
	return routing.NewFilter(c.Realms, c.Operators, routingOptions(cfg))
}

// buildClient translates the part of a client's configuration that relay needs. If there
// are several clients, each has a quota of the servers' Identifiers.
func buildClient(cfg *config.Config, i int, attributes *programs, m *metrics.Metrics) (*relay.ClientConfig, error) {
	c := &cfg.Clients[i]
	secret, err := wire.NewClientSecret(c.Secret.Bytes())
	if err != nil {
		return nil, fmt.Errorf("client %q: %w", c.Name, err)
	}
	out := &relay.ClientConfig{Name: c.Name, Secret: secret, Metrics: m.Client(c.Name), ReversePath: reversePathOf(c.ReversePath), Attributes: attributes.ofClient(c)}
	if out.Realms, err = realmFilter(cfg, c); err != nil {
		return nil, fmt.Errorf("client %q: %w", c.Name, err)
	}
	if out.Source, err = relaySource(c); err != nil {
		return nil, fmt.Errorf("client %q: server_secret: %w", c.Name, err)
	}
	if len(cfg.Clients) > 1 {
		out.Quota = new(udpback.Quota)
	}
	for _, k := range kindsOf(c.Packets) {
		out.Allowed[k] = true
	}
	for k := range out.Policy {
		out.Policy[k] = wire.RequestPolicy{
			RequireMA:    requiresMA(c.RequireMessageAuthenticator, wire.Kind(k)),
			RequireEAPMA: c.RequireEAPMessageAuthenticator,
			VerifyRA:     c.VerifyRequestAuthenticator,
		}
	}
	out.Reverse = reverseOf(c, out, attributes)
	if slices.Contains(c.Transports, config.TransportDTLS) {
		over := *out
		if over.Secret, err = wire.NewClientSecret(cfg.SecretOver(i, config.TransportDTLS).Bytes()); err != nil {
			return nil, fmt.Errorf("client %q: %w", c.Name, err)
		}
		out.OverDTLS, out.Reverse.SecretOverDTLS = &over, over.Secret
	}
	return out, nil
}

// requiresMA reports whether the policy requires a Message-Authenticator in requests of the
// kind. An Accounting-Request never needs one (RFC 3579 §3.3); a Status-Server always does
// (RFC 5997 §3).
func requiresMA(policy string, k wire.Kind) bool {
	switch k {
	case wire.KindStatus:
		return true
	case wire.KindAccess:
		return policy != config.RequireNever
	case wire.KindCoA, wire.KindDisconnect:
		return policy == config.RequireAll
	}
	return false
}

func reversePathOf(s string) relay.ReversePath {
	switch s {
	case config.ReversePathDrop:
		return relay.ReversePathDrop
	case config.ReversePathNAK:
		return relay.ReversePathNAK
	}
	return relay.ReversePathOff
}
