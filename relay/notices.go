package relay

import (
	"log/slog"
	"time"

	"radsec-gw/logs"
)

// notices are the log lines of what an operator must act on, each let through
// once a minute with the number suppressed.
type notices struct {
	route, identifier, reply, stale, path, realm logs.Limiter
}

// noRoute tells of a realm that no route takes.
func (g *Gateway) noRoute(x *exchange, realm []byte) {
	g.notice.route.Say(g.back.Now(), func() logs.Line {
		return logs.Line{Log: g.log, Level: slog.LevelWarn, Text: "no route takes this request; add a [[route]] for its realm, or one with realms = [\"*\"]",
			Fields: []any{"client", x.client.Name, "connection", x.link.remote.String(), "kind", x.Kind.String(), "realm", string(realm)}}
	})
}

// wrongRealm tells of a realm that its client may not send.
func (g *Gateway) wrongRealm(x *exchange, realm []byte) {
	g.notice.realm.Say(g.back.Now(), func() logs.Line {
		return logs.Line{Log: g.log, Level: slog.LevelWarn, Text: "a client sent a request of a realm that is not among its realms; add it there if the client may send it",
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

// staleTimestamp tells of a CoA or Disconnect that is too old or too new, or does
// not say how old it is where it must.
func (g *Gateway) staleTimestamp(x *exchange, window time.Duration, now time.Time) {
	g.notice.stale.Say(g.back.Now(), func() logs.Line {
		line := logs.Line{Log: g.log, Level: slog.LevelWarn,
			Fields: []any{"client", x.client.Name, "connection", x.link.remote.String(), "kind", x.Kind.String()}}
		stamp, ok := x.view.EventTimestamp()
		if !ok {
			line.Text = "a request was dropped because it has no Event-Timestamp, which require_event_timestamp asks for"
			return line
		}
		line.Text = "a request was dropped for its Event-Timestamp: it is outside event_timestamp_window, so it was sent again by somebody, or the clocks of its sender and of this machine differ"
		line.Fields = append(line.Fields, "event_timestamp", time.Unix(int64(stamp), 0).UTC().Format(time.RFC3339),
			"now", now.UTC().Format(time.RFC3339), "window", window.String())
		return line
	})
}

// wrongPath tells of a CoA or Disconnect from a client that is no server of the user's realm.
func (g *Gateway) wrongPath(x *exchange) {
	g.notice.path.Say(g.back.Now(), func() logs.Line {
		return logs.Line{Log: g.log, Level: slog.LevelWarn, Text: "a request failed the reverse-path check: its sender is none of the servers of the user's realm",
			Fields: []any{"client", x.client.Name, "connection", x.link.remote.String(), "kind", x.Kind.String()}}
	})
}
