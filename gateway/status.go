package gateway

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"

	"radsec-gw/dynauth"
	"radsec-gw/identity"
	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/udpback"
	"radsec-gw/udpback/health"
	"radsec-gw/web"
	"radsec-gw/web/status"
)

// assembler makes the value that the status page shows. It is used by one goroutine at a
// time.
type assembler struct {
	g *Gateway

	of    *material // that lists and certificates are of
	lists []status.RevocationList
	certs []status.Certificate
}

// snapshot returns the state of the gateway. changed says when a counter has changed.
func (a *assembler) snapshot(now time.Time, changed func(string) web.Changes) *status.Snapshot {
	g := a.g
	current := g.current.Load()
	clients, servers, events := g.metrics.Clients(), g.metrics.Servers(), g.logs.Recent()
	s := &status.Snapshot{Time: now.UTC(), Events: eventsOf(events)}
	s.Servers = serverList(current.servers, servers)
	s.Routes = g.routeList(current, s.Servers)
	s.Clients = g.clientList(current, clients, now)
	s.Connections = g.connectionList()
	s.Listeners = listenerList(current, s.Connections, now)
	s.ReverseCoA, s.NASes = g.reverseCoA(current, now)
	s.Spool, s.SpoolRoutes = g.spoolStatus(current, now)
	s.Cluster = g.clusterStatus()
	a.addFiles(s, current, now)
	s.RevocationURLs = g.fetchList(current)
	a.addRefusals(s, clients, servers, events, changed)
	summarize(s, clients, servers)
	s.Summary.DescriptorLimit, s.Summary.MaxConnections, s.Summary.LogLinesLost = current.Descriptors.Limit, current.Descriptors.Connections, g.linesLost()
	unfinished := g.metrics.TLS().Unfinished()
	s.Summary.SilentConnections, s.Summary.Handshakes, s.Summary.HandshakesWaiting, s.Summary.SlotsFull = unfinished.Silent, unfinished.Handshaking, unfinished.Queued, unfinished.SlotsFull
	g.addProblems(s, current, now, changed)
	return s
}

// serverList returns the ports of the configured servers.
func serverList(configured []configuredServer, counts []metrics.ServerCounts) []status.Server {
	type key struct {
		name string
		port metrics.Port
	}
	byPort := make(map[key]*metrics.ServerCounts, len(counts))
	for i := range counts {
		byPort[key{counts[i].Name, counts[i].Port}] = &counts[i]
	}
	list := make([]status.Server, 0, len(counts))
	for _, s := range configured {
		for _, p := range s.server.Status() {
			list = append(list, serverOf(&p, byPort[key{p.Server, p.Port}]))
		}
	}
	return list
}

// serverOf returns one port of a server; counts may be nil.
func serverOf(p *udpback.PortStatus, counts *metrics.ServerCounts) status.Server {
	out := status.Server{
		Name: p.Server, Configured: metrics.ServerOf(p.Server), Port: string(p.Port), Address: logs.Clip(p.Address), State: p.State.String(), Since: timeOrNil(p.Since), Why: p.Why, Checked: p.HasChecks,
		LastCheckAt: timeOrNil(p.LastCheck), LastCheckAnswerAt: timeOrNil(p.LastCheckAnswer), LastReplyAt: timeOrNil(p.LastReply), LastAnswerAt: timeOrNil(p.LastAnswer),
		InFlight: p.Outstanding, Capacity: p.Capacity, UnverifiedNow: p.Unverified,
	}
	switch {
	case p.NoSocket != "" && p.State != health.Maintenance: // it was not asked
		out.Why = p.NoSocket
	case p.Unverified > 0 && p.State == health.Suspect: // the server is not silent
		out.Why = fmt.Sprintf("its replies do not verify (%d in a row); it is being checked, and new requests prefer other servers", p.Unverified)
	}
	if counts != nil {
		out.Sent, out.Resent = counts.Counts[metrics.ServerSent], counts.Counts[metrics.ServerResent]
		out.Unanswered, out.Moved = counts.Counts[metrics.ServerTimeouts], counts.Counts[metrics.ServerMoved]
		out.Answered, out.Unverified = counts.Answered, counts.Bad
		out.Unsigned = counts.Replies[metrics.ReplyMissingMessageAuthenticator]
		out.Mismatched = counts.Replies[metrics.ReplyBadResponseAuthenticator] + counts.Replies[metrics.ReplyBadMessageAuthenticator]
	}
	return out
}

// clientList returns the configured clients.
func (g *Gateway) clientList(current *generation, counts []metrics.ClientCounts, now time.Time) []status.Client {
	byName := make(map[string]*metrics.ClientCounts, len(counts))
	for i := range counts {
		byName[counts[i].Name] = &counts[i]
	}
	last := g.metrics.LastConnections()
	list := make([]status.Client, 0, len(current.Config.Clients))
	for i := range current.Config.Clients {
		c := status.Client{Name: current.Config.Clients[i].Name}
		if n := byName[c.Name]; n != nil {
			c.Connections, c.Requests, c.Accepts, c.Rejects = n.Connections, n.Requests, n.Accepts, n.Rejects
			c.Relayed = n.Fates[metrics.FateRelayed] + n.Fates[metrics.FateStatusAnswered] + n.Fates[metrics.FateAccountingAnswered] + n.Fates[metrics.FateSpooled]
			c.Other = c.Requests - c.Relayed
		}
		if l, known := last[c.Name]; known {
			c.LastSeenAt, c.Remote, c.Subject = timeOrNil(l.Ended), l.Newest.Remote.String(), logs.Clip(l.Newest.Subject)
			c.ExpiresAt, c.PSKIdentity = timeOrNil(l.Newest.NotAfter), l.Newest.PSKIdentity
		}
		if c.Connections > 0 {
			c.LastSeenAt = timeOrNil(now)
		}
		list = append(list, c)
	}
	return list
}

// connectionList returns the open connections, those first whose certificates expire first.
func (g *Gateway) connectionList() []status.Connection {
	open := g.metrics.Connections()
	list := make([]status.Connection, 0, len(open))
	for _, c := range open {
		list = append(list, status.Connection{Client: c.Client, Listener: c.Listener, Remote: c.Remote.String(), Subject: logs.Clip(c.Subject), PSKIdentity: c.PSKIdentity, ExpiresAt: timeOrNil(c.NotAfter),
			TLS: c.Version, Since: c.Since.UTC()})
	}
	return list
}

// mostNASes bounds the NASes of a snapshot: there may be many thousands.
const mostNASes = 1000

// reverseCoA returns the state of reverse CoA and the NASes that were seen last; nil if no
// socket listens for it and no client takes part.
func (g *Gateway) reverseCoA(current *generation, now time.Time) (*status.ReverseCoA, []status.NAS) {
	s := &status.ReverseCoA{Listening: []string{}, Pending: g.metrics.DynAuth().Pending()}
	for i := range current.Config.Clients {
		if current.Config.Clients[i].ReverseCoA {
			s.Clients++
		}
	}
	if s.Clients == 0 && len(current.dynamic) == 0 {
		return nil, nil
	}
	for _, l := range current.dynamic {
		s.Listening = append(s.Listening, l.Addr().String())
	}
	rows, total := g.dynauth.Learned(mostNASes)
	s.NASes = total
	return s, nasList(rows, now)
}

// nasList returns the learned NASes.
func nasList(rows []dynauth.Row, now time.Time) []status.NAS {
	list := make([]status.NAS, 0, len(rows))
	for _, r := range rows {
		list = append(list, status.NAS{Name: logs.Clip(r.NAS), Client: r.Client, Connection: cmp.Or(r.Connection, "closed"), LastSeenAt: now.Add(-r.Age).UTC()})
	}
	return list
}

// summarize sets the figures that follow from the lists and the counts.
func summarize(s *status.Snapshot, clients []metrics.ClientCounts, servers []metrics.ServerCounts) {
	sum := &s.Summary
	for i := range clients {
		c := &clients[i]
		sum.Connections += c.Connections
		sum.Requests += c.Requests
		sum.Relayed += c.Fates[metrics.FateRelayed]
		sum.Accepts, sum.Rejects, sum.Challenges = sum.Accepts+c.Accepts, sum.Rejects+c.Rejects, sum.Challenges+c.Challenges
	}
	for i := range servers {
		sum.InFlight += servers[i].Outstanding
	}
	sum.ServersTotal, sum.RoutesTotal, sum.ClientsTotal = len(s.Servers), len(s.Routes), len(s.Clients)
	for i := range s.Servers {
		if s.Servers[i].State == metrics.StateUp.String() {
			sum.ServersUp++
		}
	}
	for i := range s.Routes {
		if s.Routes[i].State != routeUnserved {
			sum.RoutesServed++
		}
	}
	for i := range s.Clients {
		if s.Clients[i].Connections > 0 {
			sum.ClientsConnected++
		}
	}
}

// addProblems adds the problems that the lists do not show.
func (g *Gateway) addProblems(s *status.Snapshot, current *generation, now time.Time, changed func(string) web.Changes) {
	add := func(severity, kind, source, subject, text string, since time.Time) {
		s.Problems = append(s.Problems, status.Problem{Severity: severity, Kind: kind, Source: source, Subject: subject, Text: text, Since: timeOrNil(since)})
	}
	addReloads(s, add, &g.reloadLog)
	for _, f := range current.files.findings(now) {
		switch f.Severity {
		case identity.Fatal:
			add(status.Error, "certificate_refused", status.FromGateway, asWritten(current.Config, current.Config.Listen.Certificate), f.Text, time.Time{})
		case identity.Harmful:
			add(status.Warning, "certificate_harmful", status.FromGateway, asWritten(current.Config, current.Config.Listen.Certificate), f.Text, time.Time{})
		}
	}
	if w := current.Shortage(current.Config); w != "" {
		add(status.Warning, "descriptors_short", status.FromGateway, "", w, current.readAt)
	}
	if c := changed("connection " + metrics.HandshakeNoDescriptor.String()); c.Lasts(now) {
		add(status.Error, "descriptors_exhausted", status.FromGateway, "", "connections are refused because there are not enough file descriptors: raise the limit (LimitNOFILE= of systemd, ulimit -n), or lower [listen].max_connections", c.Began)
	}
	if c := changed(counterLost); c.Lasts(now) {
		add(status.Error, "log_lines_lost", status.FromGateway, "", fmt.Sprintf("log lines are lost, %d since the start: nobody reads standard error, or what it is written to is full", g.linesLost()), c.Began)
	}
	if c := changed(counterSlotsFull); c.Lasts(now) {
		add(status.Warning, "handshake_slots_full", status.FromPeer, "", "handshakes find all slots of max_handshakes taken, and those of the largest source are displaced; if these are honest clients, raise [listen].max_handshakes", c.Began)
	}
	if most := int64(current.Descriptors.Connections); most > 0 && s.Summary.Connections >= most*9/10 {
		add(status.Warning, "connections_near_limit", status.FromPeer, "", fmt.Sprintf("%d of at most %d connections are open", s.Summary.Connections, most), time.Time{})
	}
	if g.Draining() {
		add(status.Warning, "draining", status.FromGateway, "", "the gateway is about to stop: it accepts no connections and finishes its requests", time.Time{})
	}
}

// mostMistakes is how many mistakes of a reload are problems of their own.
const mostMistakes = 3

// addReloads adds the reloads, and what is not in use because one has failed.
func addReloads(s *status.Snapshot, add func(severity, kind, source, subject, text string, since time.Time), reloads *reloadLog) {
	list, failed := reloads.all()
	s.Reloads = list
	for i := range list {
		if list[i].By != byStart {
			at := list[i].At
			s.Summary.LastReloadAt, s.Summary.LastReload = &at, list[i].Result
			break
		}
	}
	for _, f := range failed {
		severity, kind, text := status.Error, "reload_refused", "the reload was refused, and what was read before stays in use: "
		if f.Result == reloadKept {
			severity, kind, text = status.Warning, "certificate_kept", "a new certificate is not used: "
		}
		shown := f.Mistakes[:min(len(f.Mistakes), mostMistakes)]
		for i, m := range shown {
			if n := f.total - len(shown); n > 0 && i == len(shown)-1 {
				m += fmt.Sprintf("; and %d more, see the reloads", n)
			}
			add(severity, kind, status.FromGateway, f.What, text+m, f.since)
		}
	}
}

// severityOf returns the severity of a log line.
func severityOf(l slog.Level) string {
	if l >= slog.LevelError {
		return status.Error
	}
	return status.Warning
}
