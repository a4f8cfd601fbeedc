package udpback

import (
	"errors"
	"log/slog"
	"syscall"
	"time"

	"radsec-gw/udpback/datagram"

	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// failed notes that sending on a socket, or receiving, has failed. What follows from
// it is left to the socket's sweep, soon: the caller may be on a packet's way.
func (s *socket) failed(err error) {
	switch {
	case errors.Is(err, errNowhere):
		return // told of when the socket could not be opened
	case !s.current():
		s.ep.metrics.Count(metrics.ServerSocketErrors, 1) // what waits has been ordered to leave
		return
	case errors.Is(err, syscall.ECONNREFUSED):
		s.ep.logSocketError(err)
		s.portUnreachable()
		return
	}
	s.ep.logSocketError(err)
	now := s.ep.server.backend.Now()
	blocked := datagram.IsUnreachable(err)
	if blocked || datagram.IsLocal(err) { // the silence that follows is not the server's
		s.mu.Lock()
		s.sendFailedAt = now
		s.mu.Unlock()
	}
	if !blocked {
		return
	}
	s.ep.unreachableAt.Store(int64(now))
	if datagram.IsSourceGone(err) {
		s.order(renewSocket|moveSocket|moveServer, now)
	} else {
		s.order(renewSocket|moveServer, now)
	}
}

// hintOf says what to look at after an error of a socket.
func hintOf(err error) string {
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "too many files are open: raise LimitNOFILE= of the service (ulimit -n), or lower max_connections"
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		return "a packet filter or security policy of this machine forbids it"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.EHOSTDOWN), errors.Is(err, syscall.ENETDOWN):
		return "there is no way to the server's address: look at the routes and the links"
	case errors.Is(err, syscall.ENOPROTOOPT):
		return "the host at the server's address takes no UDP: is the address right?"
	case datagram.IsSourceGone(err):
		return "this machine's own address has changed"
	case errors.Is(err, syscall.ENOBUFS), errors.Is(err, syscall.ENOMEM):
		return "the system is short of memory for packets"
	}
	return "look at the network between here and the server"
}

// logSocketError counts a failed system call. One line a minute says so.
func (e *endpoint) logSocketError(err error) {
	e.metrics.Count(metrics.ServerSocketErrors, 1)
	if errors.Is(err, syscall.ECONNREFUSED) {
		e.warn(&e.refusedLimit, "nobody listens on the server's port: is the RADIUS server running?", err)
		e.health.Refused()
		return
	}
	e.failedLimit.Log(func() logs.Line {
		return logs.Line{Log: e.log, Level: slog.LevelWarn, Text: "sending to or receiving from the server failed", Fields: []any{"address", e.addressText(), "error", err, "hint", hintOf(err)}}
	})
}

func (e *endpoint) warn(c *logs.Limiter, text string, err error) {
	c.Log(func() logs.Line {
		return logs.Line{Log: e.log, Level: slog.LevelWarn, Text: text, Fields: []any{"address", e.addressText(), "error", err}}
	})
}

// logUnverified tells the operator of a reply that does not verify. One line a minute
// for each cause.
func (e *endpoint) logUnverified(err error) {
	e.health.Unverified()
	text, c := "", &e.unverifiedLimit
	switch {
	case errors.Is(err, wire.ErrNoMessageAuthenticator):
		text, c = "a reply from the server has no Message-Authenticator and was dropped; update the server or have it sign, or set require_message_authenticator = false for it and accept the risk (CVE-2024-3596)", &e.unsignedLimit
	case !e.health.HasAnswered():
		text = "a reply from the server does not verify, nor did any before; the likeliest cause is that the secret here and on the server differ"
	case e.outstanding.Load() >= e.capacity()*3/4:
		text = "a reply from the server does not verify, though others do; nearly all Identifiers are in use, so it is likely an answer that was too late, to a request that was given up: the server does not keep up"
	default:
		text = "a reply from the server does not verify, though others did; it may be an answer that was too late, or forged, or the secret was changed on one side"
	}
	e.warn(c, text, err)
}

// logStale tells the operator of a reply whose Event-Timestamp is outside of the
// window. It verifies: what it says of the port's health is not in doubt.
func (e *endpoint) logStale(c *candidate, now time.Time) {
	e.staleLimit.Log(func() logs.Line {
		text := "a reply from the server was passed on although its Event-Timestamp is outside event_timestamp_window: the clocks of the server and of this machine differ, or it was sent again by somebody"
		if c.dropStale {
			text = "a reply from the server was dropped, as reply_event_timestamp asks, because its Event-Timestamp is outside event_timestamp_window: the clocks of the server and of this machine differ, or it was sent again by somebody"
		}
		stamp, _ := c.view.EventTimestamp()
		return logs.Line{Log: e.log, Level: slog.LevelWarn, Text: text, Fields: []any{"address", e.addressText(),
			"event_timestamp", time.Unix(int64(stamp), 0).UTC().Format(time.RFC3339), "now", now.UTC().Format(time.RFC3339), "window", c.window.String()}}
	})
}
