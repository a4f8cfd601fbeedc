package dynauth

import (
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"radsec-gw/logs"
	"radsec-gw/wire"
)

// This file has the log lines about requests that an operator should act on.

// logLimits limits each of the lines to once a minute.
type logLimits struct {
	receive, unknown, unverified, stale, staleReply, flag, nas, mismatch, full, silent, claim, unwritten, reply logs.Limiter

	omitted [wire.NumOmissions]logs.Limiter
}

// warn logs a line, at most once a minute.
func (s *Server) warn(l *logs.Limiter, text string, fields func() []any) {
	l.Log(func() logs.Line {
		return logs.Line{Log: s.log, Level: slog.LevelWarn, Text: text, Fields: fields()}
	})
}

func (s *Server) logUnknownSender(from *origin) {
	s.warn(&s.limits.unknown, "a CoA or Disconnect was dropped: it comes from an address that is neither a [[server]]'s nor in networks of a [[dynamic_authorization.sender]]; add it if it may send them",
		func() []any { return []any{"sender", from.address.String(), "to", localText(from)} })
}

func localText(p *origin) string {
	if !p.local.IsValid() {
		return ""
	}
	return p.local.String()
}

// logUnverified logs a request that no secret of its senders verifies.
func (s *Server) logUnverified(it *item) {
	text := "a CoA or Disconnect was dropped because it does not verify: its sender has another secret, or it was altered"
	if errors.Is(it.err, wire.ErrNoMessageAuthenticator) {
		text = "a CoA or Disconnect was dropped because it has no Message-Authenticator, which require_message_authenticator of [dynamic_authorization] asks for"
	}
	s.warn(&s.limits.unverified, text, func() []any {
		return []any{"sender", it.from.address.String(), "of", senderNames(it.list), "kind", it.view.Kind().String(), "error", it.err}
	})
}

// senderNames returns the names of those who may have sent a request.
func senderNames(list []sender) string {
	var names []string
	for _, one := range list {
		names = append(names, one.name)
	}
	return strings.Join(names, ", ")
}

// logStale logs a request whose Event-Timestamp is outside the window, or missing.
func (s *Server) logStale(it *item, t *Timestamps) {
	now := time.Now()
	stamp, ok := it.view.EventTimestamp()
	if !ok {
		s.warn(&s.limits.stale, "a CoA or Disconnect was dropped because it has no Event-Timestamp, which require_event_timestamp asks for",
			func() []any {
				return []any{"sender", it.from.address.String(), "kind", it.view.Kind().String()}
			})
		return
	}
	s.warn(&s.limits.stale, "a CoA or Disconnect was dropped for its Event-Timestamp: it is outside event_timestamp_window, so it was replayed, or the clocks of its sender and of this machine differ", func() []any {
		return []any{"sender", it.from.address.String(), "kind", it.view.Kind().String(),
			"event_timestamp", time.Unix(int64(stamp), 0).UTC().Format(time.RFC3339), "now", now.UTC().Format(time.RFC3339), "window", t.Window.String()}
	})
}

// logStaleReply logs an answer whose Event-Timestamp is outside the window.
func (s *Server) logStaleReply(l *Link, age time.Duration, t *Timestamps) {
	text := "the answer of a NAS has an Event-Timestamp outside event_timestamp_window, and is passed on: the clocks of the NAS and of this machine differ"
	if t.DropReplies {
		text = "the answer of a NAS was dropped for its Event-Timestamp, which is outside event_timestamp_window: the clocks of the NAS and of this machine differ. The NAS has acted"
	}
	s.warn(&s.limits.staleReply, text, func() []any {
		return []any{"client", l.client.name, "connection", l.Remote.String(), "age", age.Round(time.Second).String(), "window", t.Window.String()}
	})
}

// fields returns what identifies a request in a log line, and more fields after it.
func (req *request) fields(more ...any) []any {
	return append([]any{"sender", req.sender, "from", req.from.address.String(), "kind", req.view.Kind().String()}, more...)
}

// logNotSent logs a request that goes down no connection.
func (s *Server) logNotSent(req *request, n *names, c choice) {
	limiter, text := &s.limits.nas, "a CoA or Disconnect names no session and no NAS of a connected client, or only what many have alike, and gets a NAK with Error-Cause 502: its NAS is not connected, or what it says was not in the NAS's own requests"
	if c.client != nil {
		text = "a CoA or Disconnect is for a NAS that is not connected now, and gets a NAK with Error-Cause 502"
	}
	switch c.cause {
	case causeNASMismatch:
		limiter, text = &s.limits.mismatch, "a CoA or Disconnect gets a NAK with Error-Cause 403: what it says of its session and its NAS belongs to different connections, or to several alike; name the NAS as it names itself"
	case causeNotRoutable:
		if c.client != nil && !c.client.Reverse() {
			limiter, text = &s.limits.flag, "a CoA or Disconnect for a client without reverse_coa gets a NAK with Error-Cause 502; set reverse_coa = true in its [[client]] if its NASes accept requests on their connections"
		}
	}
	s.warn(limiter, text, func() []any {
		client := ""
		if c.client != nil {
			client = c.client.name
		}
		return req.fields("client", client, "nas_identifier", string(n.nasIdentifier), "operator_nas_identifier", string(n.operatorNAS),
			"nas_ip_address", addressText(n.nasIP)+addressText(n.nasIPv6), "acct_session_id", string(n.session),
			"has_user_name", n.userName != nil, "has_calling_station_id", n.calling != nil, "to", localText(&req.from))
	})
}

// addressText returns the text of an address; "" when the octets are not one.
func addressText(octets []byte) string {
	if a, ok := netip.AddrFromSlice(octets); ok {
		return a.String()
	}
	return ""
}

// connectionFields returns the fields of a request that has a connection.
func (req *request) connectionFields(more ...any) []any {
	return req.fields(append([]any{"client", req.link.client.name, "connection", req.link.Remote.String()}, more...)...)
}

func (s *Server) logFull(req *request) {
	s.warn(&s.limits.full, "a CoA or Disconnect gets a NAK with Error-Cause 506: 256 requests are unanswered on its NAS's connection, and it has no other with space; does the NAS answer?",
		func() []any { return req.connectionFields() })
}

func (s *Server) logSilent(req *request) {
	s.warn(&s.limits.silent, "a NAS has not answered a CoA or Disconnect within the timeout of [dynamic_authorization], or its answer was dropped, and its sender gets none: does the NAS accept requests on its own RadSec connection (reverse CoA)?",
		func() []any { return req.connectionFields() })
}

func (s *Server) logOthersSilent(req *request) {
	s.warn(&s.limits.silent, "another gateway has not sent the answer to a CoA or Disconnect within the timeout of [dynamic_authorization], and its sender gets none: the NAS has not answered, or the gateways have lost each other",
		func() []any { return req.fields() })
}

// logClaim logs a client that has the names of another client's NAS.
func (s *Server) logClaim(l *Link, n *names, owner string) {
	s.warn(&s.limits.claim, "a client sends requests with the name or address of a NAS that is another client's; CoA and Disconnect for it still go to that one. Give the NASes different names, or find out who pretends",
		func() []any {
			return []any{"client", l.client.name, "connection", l.Remote.String(), "owner", owner,
				"nas_identifier", string(n.nasIdentifier), "nas_ip_address", addressText(n.nasIP) + addressText(n.nasIPv6)}
		})
}

func (s *Server) logUnwritten(req *request, err error) {
	s.warn(&s.limits.unwritten, "a CoA or Disconnect cannot be sent down its connection",
		func() []any { return req.connectionFields("error", err) })
}

func (s *Server) logReplyLost(req *request, err error) {
	s.warn(&s.limits.reply, "the answer of a NAS cannot be passed on, and the sender of the request gets none",
		func() []any { return req.connectionFields("error", err) })
}

// logOmitted logs attributes that were omitted from a packet. Values are not logged: they
// may be keys.
func (s *Server) logOmitted(req *request, list *[wire.NumOmissions]wire.Omitted) {
	if list == nil {
		return
	}
	for why := range list {
		if what := &list[why]; what.Count > 0 {
			s.warn(&s.limits.omitted[why], "an attribute of a CoA or Disconnect, or of its answer, was omitted: its hidden value is malformed, or hidden under another secret",
				func() []any { return req.connectionFields("attribute", what.Name(), "omitted", what.Count) })
		}
	}
}
