package gateway

import (
	"fmt"
	"math"
	"time"

	"radsec-gw/config"
	"radsec-gw/metrics"
	"radsec-gw/relay"
	"radsec-gw/routing"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// buildRules makes the servers, the groups and the routing table. It reuses an existing
// server with the same name, address and secret, which keeps its sockets and its health;
// reconfigure applies the other changes. On an error it closes the servers that it has made.
func buildRules(p *Plan, back *udpback.Backend, m *metrics.Metrics, marker relay.MarkerKey, existing []configuredServer) (servers []configuredServer, rules *relay.Rules, err error) {
	defer func() {
		if err != nil {
			closeUnused(without(servers, existing), existing)
		}
	}()
	cfg := p.Config
	byName := map[string]*udpback.Server{}
	for i := range cfg.Servers {
		config := withUsedPorts(cfg, &cfg.Servers[i])
		s, err := reuseServer(&config, back, existing)
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
		route, err := buildRoute(cfg, &cfg.Routes[i], back, byName)
		if err != nil {
			return servers, nil, fmt.Errorf("route[%d].servers: %w", i, err)
		}
		if labels != nil {
			route.Metrics = m.Route(labels[i])
		}
		route.Attributes = p.rules.ofRoute(cfg, &cfg.Routes[i])
		rules.Facts = rules.Facts || route.Attributes != nil
		rules.Routes = append(rules.Routes, route)
	}
	return servers, rules, nil
}

// buildRoute makes the groups of a route; one without servers refuses its requests.
func buildRoute(cfg *config.Config, r *config.Route, back *udpback.Backend, byName map[string]*udpback.Server) (relay.Route, error) {
	answers := r.Accounting == config.AccountingAnswer
	if len(r.Servers) == 0 {
		return relay.Route{Name: realmsLabel(r), AnswersAccounting: answers}, nil
	}
	var members []*udpback.Server
	for _, name := range r.Servers {
		members = append(members, byName[name])
	}
	shared, err := groupConfig(r)
	if err != nil {
		return relay.Route{}, err
	}
	group, err := back.NewGroup(shared, members...)
	if err != nil {
		return relay.Route{}, err
	}
	nases, err := buildNASes(cfg, r, shared, back, byName)
	out := relay.Route{Name: realmsLabel(r), Group: group, OnUnreachable: unreachableOf(r.OnUnreachable), NASes: nases, AnswersAccounting: answers}
	if r.Spool {
		out.SpoolAfter = r.SpoolAfter
	}
	return out, err
}

// unlimited means no bound to a package for which 0 means its default.
const unlimited = time.Duration(math.MaxInt64 / 4)

// groupConfig translates what all groups of a route share.
func groupConfig(r *config.Route) (udpback.GroupConfig, error) {
	balance, err := udpback.BalanceNamed(r.Balance)
	c := udpback.GroupConfig{Balance: balance, MoveAfter: r.MoveOnAfter, Patience: r.Patience, NextOnReject: r.OnReject == config.RejectNext}
	if c.Patience == 0 {
		c.Patience = unlimited
	}
	return c, err
}

// buildTable makes the routing table. The group number of a route is its place in the
// file.
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

// buildMarker returns the marker that detects loops, or nil if loop_marker is false. own is
// the key of this process, used if the configuration has none that replicas share.
func buildMarker(cfg *config.Config, own relay.MarkerKey) *relay.Marker {
	if !cfg.Routing.LoopMarker {
		return nil
	}
	if shared := cfg.Routing.LoopMarkerSecret; shared.Len() > 0 {
		own = relay.SharedMarkerKey(shared.Bytes())
	}
	var names []string
	for i := range cfg.Servers {
		names = append(names, cfg.Servers[i].Name)
	}
	return relay.NewMarker(own, names)
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
