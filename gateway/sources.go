package gateway

import (
	"errors"
	"fmt"
	"net/netip"

	"radsec-gw/config"
	"radsec-gw/identity"
	"radsec-gw/relay"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// relaySource translates where a client's requests are sent from; nil: from the servers' own
// sources.
func relaySource(c *config.Client) (s *relay.ClientSource, err error) {
	if !c.Source.IsValid() && !c.SourcePool.IsValid() {
		return nil, nil
	}
	s = &relay.ClientSource{Addr: c.Source, Pool: c.SourcePool, BySerial: c.SourceFrom == config.SourceFromSerial}
	if c.ServerSecret.Len() > 0 {
		s.Secret, err = wire.NewServerSecret(c.ServerSecret.Bytes())
	}
	return s, err
}

// SourceOf returns the local address that the requests of a client with a certificate are
// sent to the servers from, and what it is computed from if it is one of a pool; the zero
// Addr if the client has no source of its own (ID6, ID7).
func SourceOf(c *config.Client, f *identity.Facts) (source netip.Addr, key []byte) {
	if !c.SourcePool.IsValid() {
		return c.Source, nil
	}
	key = sourceKey(*f, c.SourceFrom == config.SourceFromSerial)
	return udpback.PoolAddress(c.SourcePool, key), key
}

// sourceKey returns what a certificate's address in a pool is computed from.
func sourceKey(f identity.Facts, bySerial bool) []byte {
	if bySerial {
		return f.SerialKey()
	}
	return f.NameKey()
}

// checkSources returns why requests cannot be sent from the sources of clients; of a pool one
// address is tried (ID8).
func checkSources(cfg *config.Config) error {
	var all []error
	for i := range cfg.Clients {
		key, addr, ok := clientSource(&cfg.Clients[i])
		if !ok {
			continue
		}
		if err := udpback.CheckSource(addr); err != nil {
			all = append(all, fmt.Errorf("client %q: %s: %w", cfg.Clients[i].Name, key, err))
		}
	}
	return errors.Join(all...)
}

// clientSource returns the key that gives the source of a client, and an address of it.
func clientSource(c *config.Client) (key string, addr netip.Addr, ok bool) {
	switch {
	case c.Source.IsValid():
		return "source", c.Source, true
	case c.SourcePool.IsValid():
		return "source_pool", udpback.PoolAddress(c.SourcePool, nil), true
	}
	return "", addr, false
}

// SourceWarnings lists the sources of clients that this machine does not have: serve would
// not start here.
func SourceWarnings(cfg *config.Config) (list []string) {
	for i := range cfg.Clients {
		if key, addr, ok := clientSource(&cfg.Clients[i]); ok {
			if err := udpback.CheckSource(addr); err != nil {
				list = append(list, cfg.MistakeAt(fmt.Sprintf("client[%d].%s", i, key), err.Error()).String())
			}
		}
	}
	return list
}
