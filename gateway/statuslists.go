package gateway

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"radsec-gw/config"
	"radsec-gw/identity"
	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/web"
	"radsec-gw/web/status"
)

// The states of a route.
const (
	routeServed   = "served"
	routeDegraded = "degraded"
	routeUnserved = "unserved"
	routeRefuses  = "refuses" // it has no servers, on purpose
)

// portKey is one port of a configured server.
type portKey struct{ server, port string }

// portState is what the routes need to know of a port of a server: usable at one of its
// addresses, up at all of them.
type portState struct {
	usable, up bool
	since      time.Time // since when it is not usable
}

// routeList returns the routes of the configuration, with what the states of their servers'
// ports mean for them.
func (g *Gateway) routeList(current *generation, servers []status.Server) []status.Route {
	states := map[portKey]portState{}
	for i := range servers {
		p := &servers[i]
		key := portKey{p.Configured, p.Port}
		s, known := states[key]
		up := p.State == metrics.StateUp.String()
		usable := up || p.State == metrics.StateSuspect.String() || p.State == metrics.StateFailing.String()
		if !known {
			s.up = true
		}
		s.up, s.usable = s.up && up, s.usable || usable
		if p.Since != nil && p.Since.After(s.since) {
			s.since = *p.Since
		}
		states[key] = s
	}
	list := make([]status.Route, 0, len(current.Config.Routes))
	for i := range current.Config.Routes {
		list = append(list, routeOf(i, &current.Config.Routes[i], states))
	}
	return list
}

// routeOf returns one route.
func routeOf(index int, r *config.Route, states map[portKey]portState) status.Route {
	out := status.Route{Number: index + 1, Realms: []string{}, Packets: r.Packets, Balance: r.Balance, Servers: r.Servers, Accounting: r.Accounting, Spool: r.Spool, OnReject: r.OnReject, State: routeServed, Unserved: []string{}}
	for _, realm := range slices.Concat(r.Realms, r.Operators) {
		out.Realms = append(out.Realms, logs.Clip(status.RealmText(realm)))
	}
	if len(r.Servers) == 0 {
		out.Servers, out.State = []string{}, routeRefuses
		return out
	}
	for port := range web.PortsOf(r.Forwarded()) {
		usable, since := false, time.Time{}
		for _, server := range r.Servers {
			s, known := states[portKey{server, string(port)}]
			if !known {
				continue
			}
			usable = usable || s.usable
			if s.since.After(since) { // unserved since the last of them is down
				since = s.since
			}
			if !s.up {
				out.State = routeDegraded
			}
		}
		if usable {
			continue
		}
		out.Unserved = append(out.Unserved, string(port))
		if !since.IsZero() && (out.Since == nil || since.Before(*out.Since)) {
			out.Since = timeOrNil(since)
		}
	}
	if len(out.Unserved) > 0 {
		out.State = routeUnserved
	}
	return out
}

// listenerList returns the listeners, in the order of the configuration.
func listenerList(current *generation, connections []status.Connection, now time.Time) []status.Listener {
	open := map[string]int64{}
	for i := range connections {
		open[connections[i].Listener]++
	}
	list := make([]status.Listener, 0, len(current.files.fronts))
	for i, f := range current.files.fronts {
		l := status.Listener{Name: f.Name, Transport: f.Transport, Addresses: []string{}, Connections: open[f.Name], MaxConnections: f.Listen.MaxConnections,
			Clients: append([]string{}, f.Listen.Clients...), Certificates: len(f.certificates)}
		if f.Transport == config.TransportTLS {
			l.MaxConnections = current.Descriptors.share(current.Config, l.MaxConnections)
		}
		l.Addresses = append(l.Addresses, current.radsec[i].addrs()...)
		for _, c := range f.certificates {
			if l.ExpiresAt == nil || c.pair.Leaf.NotAfter.Before(*l.ExpiresAt) {
				l.ExpiresAt = timeOrNil(c.pair.Leaf.NotAfter)
			}
			l.Error = cmp.Or(l.Error, c.refused(now))
		}
		list = append(list, l)
	}
	return list
}

// addFiles sets the files, certificates and revocation lists.
func (a *assembler) addFiles(s *status.Snapshot, current *generation, now time.Time) {
	m := current.files
	if a.of != m {
		a.of, a.certs, a.lists = m, certificatesOf(m), listsOf(m)
	}
	s.Certificates, s.RevocationLists = slices.Clone(a.certs), slices.Clone(a.lists)
	first := time.Time{}
	for i := range s.Certificates {
		c := &s.Certificates[i]
		c.ExpiresIn = int64(c.ExpiresAt.Sub(now) / time.Second)
		if first.IsZero() || c.ExpiresAt.Before(first) {
			first = c.ExpiresAt
		}
	}
	s.Summary.ExpiresFirstAt, s.Summary.LoadedAt = timeOrNil(first), current.readAt.UTC()
	stale, _ := a.g.staleLists()
	for i := range s.RevocationLists {
		l := &s.RevocationLists[i]
		l.Stale = l.NextUpdate != nil && now.After(*l.NextUpdate)
		l.Refused = slices.ContainsFunc(stale, func(one identity.StaleList) bool {
			return one.Refused && logs.Clip(one.Issuer) == l.Issuer && l.NextUpdate != nil && one.NextUpdate.Equal(*l.NextUpdate)
		})
	}
	slices.SortStableFunc(s.RevocationLists, func(a, b status.RevocationList) int {
		switch {
		case a.Stale == b.Stale:
			return 0
		case a.Stale:
			return -1
		}
		return 1
	})
	for _, f := range current.Files() {
		at, key := m.readAt, f.Key
		if f.limit == 0 {
			at = current.readAt
		}
		if f.Path == current.Config.Path { // it may be listed because it holds secrets
			key = ""
		}
		s.Files = append(s.Files, status.File{Path: logs.Clip(asWritten(current.Config, f.Path)), Key: key, ReadAt: at.UTC()})
	}
}

// certificatesOf lists the certificates of a material: the gateway's own before those of
// issuers, then by expiry.
func certificatesOf(m *material) (list []status.Certificate) {
	add := func(what, path string, chain []*x509.Certificate) {
		for i, c := range chain {
			list = append(list, status.Certificate{For: what, Place: i + 1, File: logs.Clip(asWritten(m.cfg, path)),
				Subject: logs.Clip(c.Subject.String()), Issuer: logs.Clip(c.Issuer.String()), ValidFrom: c.NotBefore.UTC(), ExpiresAt: c.NotAfter.UTC(),
				Fingerprint: identity.Fingerprint(c)})
		}
	}
	for _, c := range m.own {
		add(c.purpose(), c.path, c.chain())
	}
	for _, f := range m.issuerFiles {
		add(purposeOf(f.key), f.path, f.certificates)
	}
	slices.SortStableFunc(list, func(a, b status.Certificate) int {
		return cmp.Or(cmp.Compare(rankOf(a.For), rankOf(b.For)), a.ExpiresAt.Compare(b.ExpiresAt))
	})
	return list
}

// rankOf puts the gateway's own certificates before those of issuers.
func rankOf(purpose string) int {
	if purpose == "server" || purpose == "metrics" {
		return 0
	}
	return 1
}

// purpose returns what the certificate is for.
func (c *ownCertificate) purpose() string {
	if c.key == "metrics.certificate" {
		return "metrics"
	}
	return "server"
}

// purposeOf returns what the file that a key names is for.
func purposeOf(key string) string {
	if table, rest, _ := strings.Cut(key, "."); table == "listen" || strings.HasPrefix(table, "listener[") {
		what, _, _ := strings.Cut(rest, "[")
		return what
	}
	return "ca"
}

// listsOf lists the newest revocation list of each issuer.
func listsOf(m *material) (list []status.RevocationList) {
	for _, l := range newestLists(m.crls, m.issuers()) {
		list = append(list, status.RevocationList{Issuer: logs.Clip(l.Issuer.String()), IssuedAt: l.ThisUpdate.UTC(), NextUpdate: timeOrNil(l.NextUpdate),
			Revoked: len(l.RevokedCertificateEntries)})
	}
	slices.SortFunc(list, func(a, b status.RevocationList) int {
		return cmp.Or(cmp.Compare(a.Issuer, b.Issuer), a.IssuedAt.Compare(b.IssuedAt), cmp.Compare(fmt.Sprint(a.NextUpdate), fmt.Sprint(b.NextUpdate)))
	})
	return list
}
