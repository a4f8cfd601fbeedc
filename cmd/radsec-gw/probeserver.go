package main

import (
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
func probedServer(given, name string, kind probe.Kind) (secret string, to probe.UDP, err error) {
	path, err := configPath(given)
	if err != nil {
		return "", to, err
	}
	cfg, err := config.Load(path, files.NewReader().Snapshot(context.Background()))
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
		port, key := serverPort(s, kind)
		if port == 0 {
			return "", to, fmt.Errorf("server %q has %s = 0: it is not sent %s", s.Name, key, kind)
		}
		if host, err = firstAddress(host); err != nil {
			return "", to, err
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

// serverPort returns the port of a server that a request of the kind is sent to, and its
// key. Status-Server goes to the first port that there is.
func serverPort(s *config.Server, kind probe.Kind) (port uint16, key string) {
	switch {
	case kind == probe.CoA || kind == probe.Disconnect:
		return s.CoAPort, "coa_port"
	case kind == probe.Accounting || kind == probe.Status && s.AuthPort == 0:
		return s.AcctPort, "acct_port"
	}
	return s.AuthPort, "auth_port"
}

// firstAddress returns the address of a host name that the gateway uses first: IPv4 before
// IPv6, in ascending order.
func firstAddress(host string) (string, error) {
	if _, err := netip.ParseAddr(host); err == nil {
		return host, nil
	}
	list, err := net.DefaultResolver.LookupNetIP(context.Background(), "ip", host)
	if err != nil {
		return "", fmt.Errorf("the server's address: %w", err)
	}
	for i := range list {
		list[i] = list[i].Unmap()
	}
	return slices.MinFunc(list, netip.Addr.Compare).String(), nil
}
