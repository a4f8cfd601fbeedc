package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"radsec-gw/config"
	"radsec-gw/files"
	"radsec-gw/probe"
)

// probedServer returns the secret of a server of the configuration, and where a request of
// the kind is sent. name may have the form NAME@ADDRESS for a server with expand. The
// certificates that the configuration names are not read.
func probedServer(ctx context.Context, given, name string, kind probe.Kind) (secret string, to probe.UDP, err error) {
	path, err := configPath(given)
	if err != nil {
		return "", to, err
	}
	cfg, err := config.Load(path, files.NewReader().Snapshot(ctx))
	if err := mistakesOfServers(cfg, err); err != nil {
		return "", to, err
	}
	var names []string
	for i := range cfg.Servers {
		s := &cfg.Servers[i]
		names = append(names, s.Name)
		host := s.Address
		if label, ok := strings.CutPrefix(name, s.Name+"@"); ok && s.Expand {
			host = label
		} else if name != s.Name {
			continue
		}
		port, keys := serverPort(s, kind)
		if port == 0 {
			return "", to, fmt.Errorf("server %q has %s = 0: it is not sent %s", s.Name, keys, kind)
		}
		if host, err = firstAddress(ctx, net.DefaultResolver, host, s.Source); err != nil {
			return "", to, fmt.Errorf("server %q: %w", s.Name, err)
		}
		return string(s.Secret.Bytes()), probe.UDP{Name: name, Address: net.JoinHostPort(host, strconv.Itoa(int(port))),
			Source: s.Source, RequireMessageAuthenticator: s.RequireMessageAuthenticator}, nil
	}
	return "", to, fmt.Errorf("%s has no [[server]] %q; expected one of %s", path, name, strings.Join(names, ", "))
}

// mistakesOfServers returns the error of config.Load, unless it is only about other parts of
// the configuration, such as a private key that this user may not read.
func mistakesOfServers(cfg *config.Config, err error) error {
	var list config.Mistakes
	if cfg == nil || !errors.As(err, &list) {
		return err
	}
	list = slices.DeleteFunc(list, func(m config.Mistake) bool { return !strings.HasPrefix(m.Key, "server") })
	if len(list) == 0 {
		return nil
	}
	return list
}

// serverPort returns the port of a server that a request of the kind is sent to, 0 if there
// is none, and the keys that it may be set by. Status-Server goes to the port for Access if
// there is one, otherwise to that for accounting (RFC 5997 §3).
func serverPort(s *config.Server, kind probe.Kind) (port uint16, keys string) {
	switch {
	case kind == probe.CoA || kind == probe.Disconnect:
		return s.CoAPort, "coa_port"
	case kind == probe.Accounting:
		return s.AcctPort, "acct_port"
	case kind == probe.Status:
		return cmp.Or(s.AuthPort, s.AcctPort), "auth_port = 0 and acct_port"
	}
	return s.AuthPort, "auth_port"
}

// resolver is what firstAddress needs of a net.Resolver.
type resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// firstAddress returns the address of a host name that the gateway uses first: IPv4 before
// IPv6, in ascending order, and only those of the family of source, if that is valid.
func firstAddress(ctx context.Context, names resolver, host string, source netip.Addr) (string, error) {
	if _, err := netip.ParseAddr(host); err == nil {
		return host, nil // of the family of source, or config.Load had refused it
	}
	network, family := "ip", ""
	switch {
	case source.Is4():
		network, family = "ip4", "IPv4 "
	case source.IsValid():
		network, family = "ip6", "IPv6 "
	}
	list, err := names.LookupNetIP(ctx, network, host)
	if missing := new(net.AddrError); errors.As(err, &missing) || err == nil && len(list) == 0 {
		return "", fmt.Errorf("expected an %saddress of %s, to which source = %s can send, got none", family, host, source)
	}
	if err != nil {
		return "", fmt.Errorf("looking up the %saddress: %w", family, err)
	}
	for i := range list {
		list[i] = list[i].Unmap()
	}
	return slices.MinFunc(list, netip.Addr.Compare).String(), nil
}
