package relay

import "radsec-gw/udpback"

// notices are the log lines of what an operator must act on, each let through
// once a minute with the number left out.
type notices struct {
	route, identifier, reply, stale, path udpback.Complaint
}

// noRoute tells of a realm that no route takes.
func (g *Gateway) noRoute(x *exchange, realm []byte) {
	if n, ok := g.notice.route.Due(g.back.Now()); ok {
		g.log.Warn("no route takes this request; add a [[route]] for its realm, or one with realms = [\"*\"]",
			"client", x.client.Name, "connection", x.link.remote.String(), "kind", x.Kind.String(), "realm", string(realm), "left_out", n)
	}
}

// noIdentifier tells of servers that have no room for more requests.
func (g *Gateway) noIdentifier(x *exchange, err error) {
	if n, ok := g.notice.identifier.Due(g.back.Now()); ok {
		g.log.Error("no Identifier for this request: the servers do not keep up, or max_sockets is too low", "error", err,
			"client", x.client.Name, "kind", x.Kind.String(), "left_out", n)
	}
}

// replyLost tells of a reply that cannot be passed on.
func (g *Gateway) replyLost(x *exchange, err error) {
	if n, ok := g.notice.reply.Due(g.back.Now()); ok {
		g.log.Error("a server's reply cannot be passed on", "client", x.client.Name, "kind", x.Kind.String(), "error", err, "left_out", n)
	}
}

// staleTimestamp tells of a CoA or Disconnect that is too old or too new.
func (g *Gateway) staleTimestamp(x *exchange) {
	if n, ok := g.notice.stale.Due(g.back.Now()); ok {
		g.log.Warn("a request was dropped for its Event-Timestamp: do the clocks of the client and of this machine agree?",
			"client", x.client.Name, "kind", x.Kind.String(), "left_out", n)
	}
}

// wrongPath tells of a CoA or Disconnect from a client that is no server of the user's realm.
func (g *Gateway) wrongPath(x *exchange) {
	if n, ok := g.notice.path.Due(g.back.Now()); ok {
		g.log.Warn("a request failed the reverse-path check: its sender is none of the servers of the user's realm",
			"client", x.client.Name, "connection", x.link.remote.String(), "kind", x.Kind.String(), "left_out", n)
	}
}
