package relay

import (
	"log/slog"

	"radsec-gw/logs"
)

// notices are the log lines of what an operator must act on, each let through
// once a minute with the number suppressed.
type notices struct {
	route, identifier, reply, stale, path logs.Limiter
}

// noRoute tells of a realm that no route takes.
func (g *Gateway) noRoute(x *exchange, realm []byte) {
	g.notice.route.Say(g.back.Now(), func() logs.Line {
		return logs.Line{Log: g.log, Level: slog.LevelWarn, Text: "no route takes this request; add a [[route]] for its realm, or one with realms = [\"*\"]",
			Fields: []any{"client", x.client.Name, "connection", x.link.remote.String(), "kind", x.Kind.String(), "realm", string(realm)}}
	})
}

// noIdentifier tells of servers that have no room for more requests.
func (g *Gateway) noIdentifier(x *exchange, err error) {
	g.notice.identifier.Say(g.back.Now(), func() logs.Line {
		return logs.Line{Log: g.log, Level: slog.LevelError, Text: "no Identifier for this request: the servers do not keep up, or max_sockets is too low",
			Fields: []any{"error", err, "client", x.client.Name, "kind", x.Kind.String()}}
	})
}

// replyLost tells of a reply that cannot be passed on.
func (g *Gateway) replyLost(x *exchange, err error) {
	g.notice.reply.Say(g.back.Now(), func() logs.Line {
		return logs.Line{Log: g.log, Level: slog.LevelError, Text: "a server's reply cannot be passed on",
			Fields: []any{"client", x.client.Name, "kind", x.Kind.String(), "error", err}}
	})
}

// staleTimestamp tells of a CoA or Disconnect that is too old or too new.
func (g *Gateway) staleTimestamp(x *exchange) {
	g.notice.stale.Say(g.back.Now(), func() logs.Line {
		return logs.Line{Log: g.log, Level: slog.LevelWarn, Text: "a request was dropped for its Event-Timestamp: do the clocks of the client and of this machine agree?",
			Fields: []any{"client", x.client.Name, "kind", x.Kind.String()}}
	})
}

// wrongPath tells of a CoA or Disconnect from a client that is no server of the user's realm.
func (g *Gateway) wrongPath(x *exchange) {
	g.notice.path.Say(g.back.Now(), func() logs.Line {
		return logs.Line{Log: g.log, Level: slog.LevelWarn, Text: "a request failed the reverse-path check: its sender is none of the servers of the user's realm",
			Fields: []any{"client", x.client.Name, "connection", x.link.remote.String(), "kind", x.Kind.String()}}
	})
}
