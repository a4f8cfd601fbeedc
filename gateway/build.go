package gateway

import (
	"crypto/x509"
	"fmt"
	"math"
	"reflect"
	"slices"
	"time"

	"radsec-gw/config"
	"radsec-gw/identity"
	"radsec-gw/metrics"
	"radsec-gw/relay"
	"radsec-gw/routing"
	"radsec-gw/tlsfront"
	"radsec-gw/udpback"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// This file translates the configuration into the packages' own terms, once, at
// the edge. No package but this one knows the file's types.

// knownServer is a server and the configuration it was made from, that without
// the ports that no route uses.
type knownServer struct {
	config config.Server
	server *udpback.Server
}

// buildRules makes the servers, the groups and the routing table. A server of known
// with the same name, address and secret is taken over, with its sockets and its
// health; reconfigure gives it what else has changed. On an error nothing new is left
// open.
func buildRules(cfg *config.Config, back *udpback.Back, m *metrics.Metrics, marker relay.MarkerKey, known []knownServer) (servers []knownServer, rules *relay.Rules, err error) {
	defer func() {
		if err != nil {
			discard(without(servers, known), known)
		}
	}()
	byName := map[string]*udpback.Server{}
	for i := range cfg.Servers {
		config := withUsedPorts(cfg, &cfg.Servers[i])
		s, err := takeServer(&config, back, known)
		if err != nil {
			return servers, nil, err
		}
		byName[s.config.Name] = s.server
		servers = append(servers, s)
	}
	table, err := buildTable(cfg)
	if err != nil {
		return servers, nil, err
	}
	rules = &relay.Rules{
		Table: table, OnUnroutable: unreachableOf(cfg.Routing.OnUnroutable),
		Timestamps: relay.Timestamps{
			Window: cfg.Routing.EventTimestampWindow, Require: cfg.Routing.RequireEventTimestamp,
			DropReplies: cfg.Routing.ReplyEventTimestamp == config.ReplyDrop,
		},
		Marker: buildMarker(cfg, marker),
	}
	labels := routeLabels(cfg.Routes)
	for i := range cfg.Routes {
		r := &cfg.Routes[i]
		var members []*udpback.Server
		for _, name := range r.Servers {
			members = append(members, byName[name])
		}
		group, err := back.NewGroup(groupConfig(r), members...)
		if err != nil {
			return servers, nil, fmt.Errorf("route[%d].servers: %w", i, err)
		}
		route := relay.Route{Group: group, OnUnreachable: unreachableOf(r.OnUnreachable)}
		if route.NASes, err = buildNASes(cfg, r, back, byName); err != nil {
			return servers, nil, fmt.Errorf("route[%d].servers: %w", i, err)
		}
		if labels != nil {
			route.Metrics = m.Route(labels[i])
		}
		rules.Routes = append(rules.Routes, route)
	}
	return servers, rules, nil
}

// forEver stands for no bound where 0 is a package's default.
const forEver = time.Duration(math.MaxInt64 / 4)

func groupConfig(r *config.Route) udpback.GroupConfig {
	c := udpback.GroupConfig{Balance: balanceOf(r.Balance), MoveAfter: r.MoveOnAfter, Patience: r.Patience}
	if c.Patience == 0 {
		c.Patience = forEver
	}
	return c
}

// takeServer finds the server in known, or makes it.
func takeServer(s *config.Server, back *udpback.Back, known []knownServer) (knownServer, error) {
	for _, k := range known {
		if sameServer(&k.config, s) {
			return knownServer{config: *s, server: k.server}, nil
		}
	}
	c, err := serverConfig(s)
	if err != nil {
		return knownServer{config: *s}, err
	}
	return knownServer{config: *s, server: back.NewServer(c)}, nil
}

// sameServer reports whether a server stays what it is: the same machine with the same
// secret, whatever else a reload changes.
func sameServer(a, b *config.Server) bool {
	return a.Name == b.Name && a.Address == b.Address && a.Expand == b.Expand && reflect.DeepEqual(a.Secret, b.Secret)
}

// reconfigure gives the servers that were taken over what the file says of them now.
func reconfigure(servers, known []knownServer) {
	for i := range servers {
		s := &servers[i]
		was := slices.IndexFunc(known, func(k knownServer) bool { return k.server == s.server })
		if was < 0 || reflect.DeepEqual(known[was].config, s.config) {
			continue
		}
		if c, err := serverConfig(&s.config); err == nil { // the secret is the one that was good before
			s.server.Reconfigure(c)
		}
	}
}

// without returns those of servers that are not among known.
func without(servers, known []knownServer) (rest []knownServer) {
	for _, s := range servers {
		if s.server != nil && !slices.ContainsFunc(known, func(k knownServer) bool { return k.server == s.server }) {
			rest = append(rest, s)
		}
	}
	return rest
}

// discard closes servers that were made for nothing. The metrics say of those in
// force again how they are.
func discard(made, inForce []knownServer) {
	closeServers(made)
	announce(inForce)
}

func announce(servers []knownServer) {
	for _, s := range servers {
		s.server.Announce()
	}
}

func closeServers(servers []knownServer) {
	for _, s := range servers {
		s.server.Close()
	}
}

// buildTable makes the routing table; a route's group number is its place in the file.
func buildTable(cfg *config.Config) (*routing.Table, error) {
	var rules []routing.Rule
	for i := range cfg.Routes {
		r := &cfg.Routes[i]
		rules = append(rules, routing.Rule{Realms: r.Realms, Operators: r.Operators, Kinds: kindsOf(r.Packets), Group: i})
	}
	return routing.New(rules, routingOptions(cfg))
}

func routingOptions(cfg *config.Config) routing.Options {
	o := routing.Options{CoAByUserName: cfg.Routing.CoAByUserName}
	for _, f := range cfg.Routing.RealmFormats {
		o.Formats = append(o.Formats, formatOf(f))
	}
	return o
}

func formatOf(s string) routing.Format {
	switch s {
	case config.FormatPrefix:
		return routing.Prefix
	case config.FormatMachine:
		return routing.Machine
	}
	return routing.Suffix
}

func serverConfig(s *config.Server) (udpback.ServerConfig, error) {
	secret, err := wire.NewServerSecret(s.Secret.Octets())
	if err != nil {
		return udpback.ServerConfig{}, fmt.Errorf("server %q: %w", s.Name, err)
	}
	schedule := udpback.Schedule{Initial: s.RetransmitInitial, Max: s.RetransmitMax, Count: s.RetransmitCount, Duration: s.RetransmitDuration}
	if schedule.Max == 0 { // in the file 0 means no bound (RFC 5080 §2.2.1), in the package its default
		schedule.Max = forEver
	}
	if schedule.Count == 0 {
		schedule.Count = math.MaxInt32
	}
	return udpback.ServerConfig{
		Name: s.Name, Address: s.Address, ResolveInterval: s.ResolveInterval, Expand: s.Expand,
		AuthPort: s.AuthPort, AcctPort: s.AcctPort, CoAPort: s.CoAPort,
		Secret: secret, RequireMA: s.RequireMessageAuthenticator, NAS: nasOf(s),
		MaxSockets: s.MaxSockets, Schedule: schedule,
		Health: health.Config{
			Check: checkOf(s.Health), User: s.HealthUser, Password: string(s.HealthPassword.Octets()),
			SuspectAfter: s.SuspectAfter, FailingAfter: s.FailingAfter, Watchdog: s.WatchdogInterval,
			ProbeInterval: s.ProbeInterval, DownAfter: s.DownAfter, UpAfter: s.UpAfter,
		},
	}, nil
}

// buildFront translates what holds for the RadSec side, but for its listeners.
func buildFront(cfg *config.Config, files *material, m *metrics.Metrics) (tlsfront.Config, error) {
	l := &cfg.Listen
	front := tlsfront.Config{
		Certificate:             files.pair,
		ClientCA:                files.cas,
		Intermediates:           files.between,
		CRLs:                    files.crls,
		RefuseStaleCRL:          l.CRLStale == config.CRLStaleRefuse,
		TicketKeys:              files.tickets,
		ClientAuth:              clientAuthOf(l.ClientAuth),
		MinVersion:              l.MinTLS,
		CipherSuites:            l.CipherSuites,
		RadiusVersions:          l.RadiusVersions,
		ProxyNetworks:           l.ProxyProtocol,
		SilentTimeout:           l.SilentTimeout,
		HandshakeTimeout:        l.HandshakeTimeout,
		PacketTimeout:           l.PacketTimeout,
		WriteTimeout:            l.WriteTimeout,
		IdleTimeout:             l.IdleTimeout,
		MaxConnections:          l.MaxConnections,
		MaxPerSource:            l.MaxConnectionsPerSource,
		MaxHandshakes:           l.MaxHandshakes,
		MaxPacketsPerConnection: l.MaxPacketsPerConnection,
		MaxOutstanding:          l.MaxOutstanding,
		Metrics:                 m,
	}
	for i := range cfg.Clients {
		c, err := buildIdentity(&cfg.Clients[i], files.clients[i])
		if err != nil {
			return front, err
		}
		front.Clients = append(front.Clients, c)
	}
	return front, nil
}

// buildIdentity translates who a client is.
func buildIdentity(c *config.Client, cas []*x509.Certificate) (*tlsfront.Client, error) {
	t := &tlsfront.Client{Client: identity.Client{
		Name: c.Name, Networks: c.Networks, Fingerprints: c.Fingerprints,
		SANDNS: c.SANDNS, SANIP: c.SANIP.Addresses, SANIPSource: c.SANIP.Source, SANURI: c.SANURI,
		NAIRealms: c.SANNAIRealm, CA: cas, Subjects: c.Subject, Issuers: c.Issuer, CommonNames: c.CommonName,
	},
		MaxConnections: c.MaxConnections, PacketsPerSecond: c.PacketsPerSecond, OctetsPerSecond: c.OctetsPerSecond,
	}
	for _, text := range c.SubjectRDN {
		rdn, err := identity.ParseRDN(text)
		if err != nil {
			return nil, fmt.Errorf("client %q: subject_rdn: %w", c.Name, err)
		}
		t.SubjectRDNs = append(t.SubjectRDNs, rdn)
	}
	for _, text := range c.PolicyOID {
		oid, err := x509.ParseOID(text)
		if err != nil {
			return nil, fmt.Errorf("client %q: policy_oid %q: %w", c.Name, text, err)
		}
		t.PolicyOIDs = append(t.PolicyOIDs, oid)
	}
	return t, nil
}

// buildClients translates what each client may send and must prove.
func buildClients(cfg *config.Config, m *metrics.Metrics) (list []*relay.ClientConfig, err error) {
	for i := range cfg.Clients {
		c, err := buildClient(cfg, i, m)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// takeClients returns the client of each configuration: that of known with the name,
// which has its connections, or a new one.
func takeClients(configs []*relay.ClientConfig, known []*relay.Client) (clients []*relay.Client) {
	for _, cfg := range configs {
		i := slices.IndexFunc(known, func(c *relay.Client) bool { return c.Config().Name == cfg.Name })
		if i >= 0 {
			clients = append(clients, known[i])
		} else {
			clients = append(clients, relay.NewClient(cfg))
		}
	}
	return clients
}

func clientAuthOf(s string) identity.ClientAuth {
	switch s {
	case config.AuthOptional:
		return identity.OptionalCertificate
	case config.AuthNone:
		return identity.NoCertificate
	}
	return identity.RequireCertificate
}

// buildClient translates what a client may send and must prove. One of several
// clients gets a share of the servers' Identifiers.
func buildClient(cfg *config.Config, i int, m *metrics.Metrics) (*relay.ClientConfig, error) {
	c := &cfg.Clients[i]
	secret, err := wire.NewClientSecret(c.Secret.Octets())
	if err != nil {
		return nil, fmt.Errorf("client %q: %w", c.Name, err)
	}
	out := &relay.ClientConfig{Name: c.Name, Secret: secret, Metrics: m.Client(c.Name), ReversePath: reversePathOf(c.ReversePath)}
	if len(c.Realms) > 0 {
		if out.Realms, err = routing.NewFilter(c.Realms, c.Operators, routingOptions(cfg)); err != nil {
			return nil, fmt.Errorf("client %q: %w", c.Name, err)
		}
	}
	if len(cfg.Clients) > 1 {
		out.Share = new(udpback.Share)
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
	return out, nil
}

// requiresMA says whether the policy demands a Message-Authenticator in requests
// of the kind. An Accounting-Request need not have one (RFC 3579 §3.3); a
// Status-Server always must (RFC 5997 §3).
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

func kindsOf(packets []string) []wire.Kind {
	var out []wire.Kind
	for _, p := range packets {
		if k, ok := wire.ParseKind(p); ok {
			out = append(out, k)
		}
	}
	return out
}

func unreachableOf(s string) relay.Unreachable {
	switch s {
	case config.AnswerSilent:
		return relay.Silent
	case config.AnswerProtocolError:
		return relay.ProtocolError
	}
	return relay.Reject
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

func balanceOf(s string) udpback.Balance {
	switch s {
	case config.BalanceLeastOutstanding:
		return udpback.LeastOutstanding
	case config.BalanceSticky:
		return udpback.Sticky
	}
	return udpback.Failover
}

func checkOf(s string) health.Check {
	switch s {
	case config.HealthAccessRequest:
		return health.CheckAccessRequest
	case config.HealthNone:
		return health.CheckNone
	}
	return health.CheckStatusServer
}
