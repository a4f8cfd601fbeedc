package udpback

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/udpback/datagram"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// portLog writes log lines about one port, of most kinds at most one a minute.
type portLog struct {
	// static after construction
	ep  *endpoint
	out *slog.Logger

	refused, failed, noSource   logs.Limiter // errors of sockets, by their cause
	unverified, unsigned, stale logs.Limiter // replies that do not verify, or are too old
	suspect                     logs.Limiter
	clientSource, unknown       logs.Limiter // sources of clients that cannot be used, or get no reply
	suspectLogged               atomic.Bool  // the last suspicion was logged
	lateOnce                    sync.Once
}

func (l *portLog) init(e *endpoint) {
	l.ep, l.out = e, e.server.backend.log.With("server", e.server.Name, "port", e.label)
}

// socketLimit counts and reports that there is no socket for an address of an expanded
// name.
func (l *portLog) socketLimit() {
	l.ep.metrics.Count(metrics.ServerSocketErrors, 1)
	b := l.ep.server.backend
	b.socketLimitReached.Log(func() logs.Line {
		return logs.Line{Log: l.out, Level: slog.LevelError, Text: "no more sockets may be opened to servers, and an address of a name with expand has none: its requests go to other addresses",
			Fields: []any{"address", l.ep.addressText(), "most", b.socketLimit.Load(), "hint", "raise LimitNOFILE= of the service (ulimit -n), or lower max_connections"}}
	})
}

// transition reports a change of the port's health. A port that alternates between up and
// suspect is reported once a minute.
func (l *portLog) transition(t health.Transition) {
	if errors.Is(t.NoAddress, errAddressGone) { // reported where it was found
		return
	}
	address := slog.String("address", l.ep.addressText())
	switch {
	case t.Alive: // reported when it is up
	case t.Maintenance:
		if l.ep.health.State() == health.Down && !l.ep.inMaintenance() {
			l.out.Error("the server is down after its maintenance", address)
		}
	case t.InMaintenance && t.From != t.To:
		l.suspectLogged.Store(false)
		l.out.Info("the server, which is in maintenance, has changed", "was", t.From.String(), "is", t.To.String(), address)
	case t.NoStatusServer:
		l.out.Warn("the server answers requests and never Status-Server; its health follows from its requests alone, as with health = \"none\"", address)
	case t.To == health.Up && t.Assumed:
		l.suspectLogged.Store(false)
		l.out.Info("the server is assumed to be up until something else is known", "was", t.From.String(), address)
	case t.To == health.Up && t.From == health.Suspect:
		if l.suspectLogged.Swap(false) {
			l.out.Info("the server answers again", "was", t.From.String(), address)
		}
	case t.To == health.Up:
		l.out.Info("the server answers again", "was", t.From.String(), address)
	case t.To == health.Suspect:
		suppressed, ok := l.suspect.Allow()
		l.suspectLogged.Store(ok)
		if ok {
			text, fields := "the server is silent; checking it, new requests prefer other servers", []any{address}
			if t.Unverified > 0 {
				text, fields = "the server's replies do not verify; checking it, new requests prefer other servers", []any{"hint", t.Hint(), address}
			}
			if suppressed > 0 {
				fields = append(fields, "suppressed", suppressed)
			}
			l.out.Warn(text, fields...)
		}
	case t.To == health.Failing:
		l.out.Error("the server is failing: new requests prefer other servers", "hint", t.Hint(), address)
	case t.To == health.Down:
		l.out.Error("the server is down", "hint", t.Hint(), address, l.ep.server.sourceAttr())
	}
}

// lateAnswer counts an answer that arrived after its request had gone to another server,
// and before that one's answer. The first that took longer than the route's patience is
// reported.
func (l *portLog) lateAnswer(took, patience time.Duration) {
	l.ep.metrics.Count(metrics.ServerRepliesAfterMove, 1)
	if took < patience {
		return
	}
	l.lateOnce.Do(func() {
		l.out.Warn("the server answered after its request had gone to another server as well; where answers take that long, as when a user must confirm a login, set patience of the route above it",
			"address", l.ep.addressText(), "answered_after", took.Round(time.Millisecond), "patience", fmt.Sprint(patience))
	})
}

// hintOf returns advice on an error of a socket to the server.
func (s *Server) hintOf(err error) string {
	switch {
	case s.lacksSource(err):
		return s.noSource()
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "too many files are open: raise LimitNOFILE= of the service (ulimit -n), or lower max_connections"
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		return "a packet filter or security policy of this machine forbids it"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.EHOSTDOWN), errors.Is(err, syscall.ENETDOWN):
		return "there is no route to the server's address: check the routes and the links"
	case errors.Is(err, syscall.ENOPROTOOPT):
		return "the host at the server's address takes no UDP: is the address right?"
	case datagram.IsSourceGone(err):
		return "this machine's own address has changed"
	case errors.Is(err, syscall.ENOBUFS), errors.Is(err, syscall.ENOMEM):
		return "the system is short of memory for packets"
	}
	return "check the network between here and the server"
}

// nobodyListens is said of a port that an ICMP message reports as closed.
const nobodyListens = "nobody listens on the server's port: is the RADIUS server running?"

// socketError counts and reports a failed system call.
func (l *portLog) socketError(err error) {
	l.ep.metrics.Count(metrics.ServerSocketErrors, 1)
	if errors.Is(err, syscall.ECONNREFUSED) {
		l.ep.health.Fault(nobodyListens)
		l.warn(&l.refused, nobodyListens, err)
		l.ep.health.Refused()
		return
	}
	if l.ep.server.source.IsValid() && datagram.IsUnreachable(err) {
		l.ep.source.explain(l.ep, err)
		return
	}
	l.socketFailed(err)
}

const socketFailed = "sending to or receiving from the server failed"

// socketFailed reports an error of a socket whose cause follows from it.
func (l *portLog) socketFailed(err error) {
	hint := l.ep.server.hintOf(err)
	l.ep.health.Fault(err.Error() + ": " + hint)
	l.failed.Log(func() logs.Line {
		return logs.Line{Log: l.out, Level: slog.LevelWarn, Text: socketFailed, Fields: []any{"address", l.ep.addressText(), "error", err, "hint", hint}}
	})
}

// sourceMissing reports an error that comes from the lack of the server's source. What it
// suppresses is counted by its next line and not reported later: by then a reload may have
// configured another source.
func (l *portLog) sourceMissing(level slog.Level, text string, err error) {
	hint := l.ep.server.noSource()
	l.ep.health.Fault(hint)
	if l.ep.retired.Load() {
		return
	}
	if suppressed, ok := l.noSource.Allow(); ok {
		fields := []any{"address", l.ep.addressText(), "error", err, "hint", hint}
		if suppressed > 0 {
			fields = append(fields, "suppressed", suppressed)
		}
		l.out.Log(context.Background(), level, text, fields...)
	}
}

// clientSourceMissing counts and reports that this machine does not have the source of a
// client.
func (l *portLog) clientSourceMissing(source *Source, err error) {
	l.ep.metrics.Count(metrics.ServerSocketErrors, 1)
	l.warnSource(&l.clientSource, "the source address of a client cannot be used; its requests are refused until this machine has it", source, "error", err)
}

// otherFamily reports that a server cannot be reached from the source of a client.
func (l *portLog) otherFamily(source *Source) {
	l.warnSource(&l.clientSource, "the server cannot be reached from the source address of a client: one is IPv4, the other IPv6; give the client a source of the server's family, or the route another server", source, "address", l.ep.addressText())
}

// sourceLimit counts and reports that no socket may be opened for a source.
func (l *portLog) sourceLimit() {
	l.ep.metrics.Count(metrics.ServerSocketErrors, 1)
	b := l.ep.server.backend
	b.socketLimitReached.Log(func() logs.Line {
		return logs.Line{Log: l.out, Level: slog.LevelError, Text: "no more sockets may be opened to servers, and those of other sources are all in use: the requests of a client wait",
			Fields: []any{"most", b.socketLimit.Load(), "hint", "raise LimitNOFILE= of the service (ulimit -n), or lower max_connections"}}
	})
}

// unknownSource reports that the server answers others, and has never answered a source.
func (l *portLog) unknownSource(source *Source) {
	l.warnSource(&l.unknown, "the server does not reply to the source address of a client, although it replies to others; does it know this address as a client, and a route back to it?", source, "address", l.ep.addressText())
}

// unverifiedAtSource reports a reply to a client's source that does not verify.
func (l *portLog) unverifiedAtSource(source *Source, err error) {
	l.warnSource(&l.unverified, "a reply from the server to the source address of a client does not verify; the likeliest cause is that server_secret of the client and the secret on the server for this address differ", source, "error", err)
}

func (l *portLog) warnSource(c *logs.Limiter, text string, source *Source, fields ...any) {
	c.Log(func() logs.Line {
		return logs.Line{Log: l.out, Level: slog.LevelWarn, Text: text, Fields: append([]any{"client", source.Client, "source", source.Addr.String()}, fields...)}
	})
}

func (l *portLog) warn(c *logs.Limiter, text string, err error) {
	c.Log(func() logs.Line {
		return logs.Line{Log: l.out, Level: slog.LevelWarn, Text: text, Fields: []any{"address", l.ep.addressText(), "error", err}}
	})
}

// unverifiedReply reports a reply that does not verify, once a minute for each of two
// causes.
//
// source is the client's that it arrived at; nil: it arrived at the server's own.
func (l *portLog) unverifiedReply(source *Source, err error) {
	l.ep.health.Unverified(errors.Is(err, wire.ErrNoMessageAuthenticator))
	text, c := "", &l.unverified
	switch {
	case source != nil && source.Secret != nil && !errors.Is(err, wire.ErrNoMessageAuthenticator):
		l.unverifiedAtSource(source, err)
		return
	case errors.Is(err, wire.ErrNoMessageAuthenticator):
		text, c = "a reply from the server has no Message-Authenticator and was dropped; update the server or have it sign, or set require_message_authenticator = false for it and accept the risk (CVE-2024-3596)", &l.unsigned
	case !l.ep.health.HasAnswered():
		text = "a reply from the server does not verify, nor did any before; the likeliest cause is that the secret here and on the server differ"
	case l.ep.outstanding.Load() >= l.ep.capacity()*3/4:
		text = "a reply from the server does not verify, though others do; nearly all Identifiers are in use, so it is likely an answer that was too late, to a request that was given up: the server does not keep up"
	default:
		text = "a reply from the server does not verify, though others did; it may be an answer that was too late, or forged, or the secret was changed on one side"
	}
	l.warn(c, text, err)
}

// staleReply reports a reply whose Event-Timestamp is outside the window. It verifies, so
// it counts for the port's health.
func (l *portLog) staleReply(c *candidate, now time.Time) {
	l.stale.Log(func() logs.Line {
		text := "a reply from the server was passed on although its Event-Timestamp is outside event_timestamp_window: the clocks of the server and of this machine differ, or it was sent again by somebody"
		if c.dropStale {
			text = "a reply from the server was dropped, as reply_event_timestamp asks, because its Event-Timestamp is outside event_timestamp_window: the clocks of the server and of this machine differ, or it was sent again by somebody"
		}
		stamp, _ := c.view.EventTimestamp()
		return logs.Line{Log: l.out, Level: slog.LevelWarn, Text: text, Fields: []any{"address", l.ep.addressText(),
			"event_timestamp", time.Unix(int64(stamp), 0).UTC().Format(time.RFC3339), "now", now.UTC().Format(time.RFC3339), "window", c.window.String()}}
	})
}
