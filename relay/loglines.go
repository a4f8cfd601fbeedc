package relay

import (
	"log/slog"
	"net/netip"
	"time"

	"radsec-gw/logs"
	"radsec-gw/routing"
	"radsec-gw/wire"
)

// This file has the log lines about requests that an operator should act on.

// logLimits limits each of the lines to once a minute.
type logLimits struct {
	route, identifier, maintenance, reply, stale, path, realm, loop, nas, rule, source logs.Limiter

	omitted [wire.NumOmissions]logs.Limiter
}

// logFields returns what identifies a request in a log line, and more fields after it.
func (req *request) logFields(more ...any) []any {
	return append([]any{"client", req.client.Name, "connection", req.conn.remote.String(), "kind", req.Kind.String()}, more...)
}

// logNoRoute logs a request that no route matches, and what to do about it.
func (r *Relay) logNoRoute(req *request, realm []byte) {
	r.limits.route.Log(func() logs.Line {
		text, fields := "no route matches this request; add a [[route]] for its realm, or one with realms = [\"*\"]", []any{"realm", string(realm)}
		switch operator := req.view.OperatorName(); {
		case req.decision.ok:
			text = "the [[route]] of this request has no servers, so it is refused; give it servers if that is not meant"
		case operator != nil && req.dynamic():
			text, fields = noOperator(operator)
		case r.rules.Load().Table.NeedsOperator(&req.view):
			text, fields = noOperatorName, nil
		}
		return logs.Line{Log: r.log, Level: slog.LevelWarn, Text: text, Fields: req.logFields(fields...)}
	})
}

// noOperatorName says what to do about a CoA or Disconnect without Operator-Name.
const noOperatorName = "a CoA or Disconnect has no Operator-Name, and is not routed by anything else; its sender must add one, or set coa_by_user_name = true in [routing] to route by the realm of its User-Name"

// logWrongRealm logs a request of a realm that its client may not send.
func (r *Relay) logWrongRealm(req *request, realm []byte) {
	r.limits.realm.Log(func() logs.Line {
		text, fields := notAmongRealms(req, realm)
		if r.rules.Load().Table.NeedsOperator(&req.view) {
			text, fields = noOperatorName, nil
		}
		return logs.Line{Log: r.log, Level: slog.LevelWarn, Text: text, Fields: req.logFields(fields...)}
	})
}

// notAmongRealms says what to do about a request whose realm its client may not send.
func notAmongRealms(req *request, realm []byte) (text string, fields []any) {
	operator := req.view.OperatorName()
	entry, isRealm := routing.Operator(operator)
	switch {
	case req.dynamic() && operator != nil && entry == "":
		return "a client that may send some realms only sent a request whose Operator-Name has no known namespace, such as \"1\" before a realm, or nothing after it (RFC 5580 §4.1); its sender must correct it", []any{"operator_name", string(operator)}
	case req.dynamic() && operator != nil && !isRealm:
		return "a client sent a request whose Operator-Name is not among its operators; add it to operators of its [[client]] if it may send it", []any{"operator", entry}
	case len(realm) == 0:
		return "a client that may send some realms only sent a request without a realm; add \"\" to realms of its [[client]] if it may send such requests", nil
	}
	return "a client sent a request of a realm that is not among its realms; add it to realms of its [[client]] if it may send it", []any{"realm", string(realm)}
}

// noOperator says what to do about a CoA or Disconnect whose Operator-Name no route matches.
func noOperator(name []byte) (text string, fields []any) {
	entry, isRealm := routing.Operator(name)
	switch {
	case entry == "":
		return "no route matches this request: its Operator-Name is expected to begin with a namespace, \"1\" before a realm (RFC 5580 §4.1), followed by a name; its sender must correct it",
			[]any{"operator_name", string(name)}
	case isRealm:
		return "no route matches this request: its Operator-Name names a realm; add a [[route]] for that with its kind in packets", []any{"realm", entry}
	}
	return "no route matches this request: its Operator-Name is not a realm; add a [[route]] that has it in operators, with its kind in packets", []any{"operator", entry}
}

// logLoop logs a request that has looped. server is the name of the server that this
// gateway sent it to before, or "" if it has only passed too many gateways.
func (r *Relay) logLoop(req *request, realm []byte, server string) {
	r.limits.loop.Log(func() logs.Line {
		text := "a request has returned that this gateway sent to a server before; that server, or one that it forwards to, sends it to this gateway again: check how it routes the realm"
		fields := []any{"server", server, "client", req.client.Name, "connection", req.conn.remote.String(), "kind", req.Kind.String(), "realm", string(realm)}
		if server == "" {
			text, fields = "a request has passed too many gateways: some servers probably send it to each other", fields[2:]
		}
		return logs.Line{Log: r.log, Level: slog.LevelWarn, Text: text, Fields: fields}
	})
}

// logRule logs a request that a rule refuses or cannot change.
func (r *Relay) logRule(req *request, err error) {
	r.limits.rule.Log(func() logs.Line {
		return logs.Line{Log: r.log, Level: slog.LevelWarn, Text: "a [[rule]] refuses this request, or cannot change it",
			Fields: req.logFields("error", err, "user_name_octets", len(req.view.UserName()))}
	})
}

// logSourceTaken logs a request whose source is that of another certificate.
func (r *Relay) logSourceTaken(req *request) {
	r.limits.source.Log(func() logs.Line {
		line := logs.Line{Log: r.log, Level: slog.LevelError, Text: "two certificates have the same address in source_pool, and the other is connected: the requests of this one are refused; make source_pool larger, or give one of them a [[client]] with source; check -clients lists such certificates",
			Fields: req.logFields("source_pool", req.client.Source.Pool.String())}
		if !req.client.Source.Pool.IsValid() {
			line.Text = "source is the address of a certificate in the source_pool of another client, and that is connected: the requests of this one are refused; give it a source outside of source_pool"
			line.Fields = req.logFields("source", req.client.Source.Addr.String())
		}
		return line
	})
}

// logNoNAS logs a CoA or Disconnect for a NAS that its route does not have.
func (r *Relay) logNoNAS(req *request) {
	r.limits.nas.Log(func() logs.Line {
		return logs.Line{Log: r.log, Level: slog.LevelWarn, Text: "a request names no NAS of its route, or none of several; expected nas_identifier or nas_ip_address of one [[server]] with nas = true",
			Fields: req.logFields("nas_identifier", string(req.view.NASIdentifier()), "nas_ip_address", addressText(req.view.NASIPAddress()), "operator_nas_identifier", string(req.view.OperatorNASIdentifier()))}
	})
}

// addressText returns the text of an address; "" when the octets are not one.
func addressText(octets []byte) string {
	if a, ok := netip.AddrFromSlice(octets); ok {
		return a.String()
	}
	return ""
}

// logNoIdentifier logs a request for which the servers have no free Identifier.
func (r *Relay) logNoIdentifier(req *request, err error) {
	r.limits.identifier.Log(func() logs.Line {
		return logs.Line{Log: r.log, Level: slog.LevelError, Text: "no Identifier for this request: the servers do not keep up, or max_sockets is too low",
			Fields: []any{"error", err, "client", req.client.Name, "kind", req.Kind.String()}}
	})
}

// logMaintenance logs a request all of whose servers are in maintenance.
func (r *Relay) logMaintenance(req *request) {
	r.limits.maintenance.Log(func() logs.Line {
		return logs.Line{Log: r.log, Level: slog.LevelError, Text: "every server for this request is in maintenance, so it was not served: end the maintenance of one, or add a server to the route",
			Fields: []any{"client", req.client.Name, "kind", req.Kind.String()}}
	})
}

// logReplyLost logs a reply that cannot be passed on.
func (r *Relay) logReplyLost(req *request, err error) {
	r.limits.reply.Log(func() logs.Line {
		server, _, _ := req.Served()
		return logs.Line{Log: r.log, Level: slog.LevelError, Text: "a server's reply cannot be passed on",
			Fields: []any{"client", req.client.Name, "connection", req.conn.remote.String(), "server", server, "kind", req.Kind.String(), "error", err}}
	})
}

// omissionText has the log line of each omission.
var omissionText = [wire.NumOmissions]string{
	wire.OmittedMarker:      "a request was sent to its server without the gateway's loop_marker, for which there is no space in 4096 octets; a loop of such requests is not detected",
	wire.OmittedUnreadable:  "an attribute was omitted: it is malformed, and must not pass between RADIUS/1.0 and RADIUS/1.1 as it is; its sender must correct it",
	wire.OmittedOtherSecret: "an attribute was omitted: it was hidden under another secret, or for another request; does another proxy on its way pass it on unchanged?",
	wire.OmittedPassword:    "an attribute was omitted: expected a User-Password of 16 to 128 octets in whole blocks of 16, or of at most 128 in RADIUS/1.1",
	wire.OmittedEAP:         "an attribute was omitted: accounting has no EAP-Message (RFC 2869 §5.19)",
}

// omitted counts and logs the attributes that were omitted from a packet with this code, to
// a server or from it. Values are not logged: many are keys.
func (r *Relay) omitted(req *request, server string, code wire.Code, list *[wire.NumOmissions]wire.Omitted) {
	for why := range wire.NumOmissions {
		what := &list[why]
		if what.Count == 0 {
			continue
		}
		req.client.Metrics.Omitted(why, what.Count)
		r.limits.omitted[why].Log(func() logs.Line {
			return logs.Line{Log: r.log, Level: slog.LevelWarn, Text: omissionText[why],
				Fields: []any{"client", req.client.Name, "connection", req.conn.remote.String(), "server", server, "kind", req.Kind.String(),
					"packet", wire.CodeName(code), "attribute", what.Name(), "omitted", what.Count}}
		})
	}
}

// logStaleTimestamp logs a CoA or Disconnect whose Event-Timestamp is outside the window,
// or missing although it is required.
func (r *Relay) logStaleTimestamp(req *request, window time.Duration, now time.Time) {
	r.limits.stale.Log(func() logs.Line {
		line := logs.Line{Log: r.log, Level: slog.LevelWarn,
			Fields: req.logFields()}
		stamp, ok := req.view.EventTimestamp()
		if !ok {
			line.Text = "a request was dropped because it has no Event-Timestamp, which require_event_timestamp asks for"
			return line
		}
		line.Text = "a request was dropped for its Event-Timestamp: it is outside event_timestamp_window, so it was replayed, or the clocks of its sender and of this machine differ"
		line.Fields = append(line.Fields, "event_timestamp", time.Unix(int64(stamp), 0).UTC().Format(time.RFC3339),
			"now", now.UTC().Format(time.RFC3339), "window", window.String())
		return line
	})
}

// logWrongPath logs a CoA or Disconnect from a client that is not a server of the user's
// realm.
func (r *Relay) logWrongPath(req *request) {
	r.limits.path.Log(func() logs.Line {
		return logs.Line{Log: r.log, Level: slog.LevelWarn, Text: "a request failed the reverse-path check: its sender is not one of the servers of the user's realm",
			Fields: req.logFields()}
	})
}
