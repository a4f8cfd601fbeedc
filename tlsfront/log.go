package tlsfront

import (
	"log/slog"
	"net/netip"
	"time"

	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/sessions"
)

// unlistedPeriod is how often a source that no client lists is logged.
const unlistedPeriod = time.Hour

// limitedLogs limits the log lines that peers cause for each source: a peer that connects
// in a loop does not fill the disk, and does not hide other peers. The metrics still
// count every connection.
type limitedLogs struct {
	connections *logs.Sources
	unlisted    *logs.Sources

	accepting, descriptors, slots logs.Limiter
}

func newLimitedLogs(log *slog.Logger) limitedLogs {
	return limitedLogs{
		connections: logs.NewSources(log, "RadSec connections"),
		unlisted:    logs.NewRareSources(log, "connections from addresses that no client lists", unlistedPeriod),
	}
}

// log logs a line that remote has caused, unless there were too many.
func (s *Server) log(remote netip.AddrPort, level slog.Level, msg string, args ...any) {
	s.logFunc(remote, level, msg, func() []any { return args })
}

// logFunc is like log, but calls attributes only if the line is logged.
func (s *Server) logFunc(remote netip.AddrPort, level slog.Level, msg string, attributes func() []any) {
	s.limited.connections.Log(sourceOf(remote.Addr()), level, msg, attributes)
}

// logRejected logs a connection that reject has closed. An address that no client lists
// may be a load balancer or a monitor that checks the port for ever: it is logged once an
// hour, and at debug otherwise.
func (s *Server) logRejected(remote netip.AddrPort, r *sessions.Refusal) {
	const msg = "RadSec connection refused"
	args := []any{"peer", remote, "result", r.Result, "error", r.Text}
	level := slog.LevelWarn
	if r.Result == metrics.HandshakeUnknownNetwork {
		if s.limited.unlisted.Log(sourceOf(remote.Addr()), level, msg, func() []any { return args }) {
			return
		}
		level = slog.LevelDebug
	}
	s.log(remote, level, msg, args...)
}

// logNoDescriptors logs, once a minute, that connections are refused because there are no
// file descriptors. err is nil if MaxDescriptors is reached.
func (s *Server) logNoDescriptors(err error) {
	s.limited.descriptors.Log(func() logs.Line {
		fields := []any{"connections", s.admission.connections()}
		if limit := s.policy.Load().cfg.DescriptorLimit; limit > 0 {
			fields = append(fields, "descriptors", limit)
		}
		if err != nil {
			fields = append(fields, "error", err)
		}
		return logs.Line{Log: s.cfg.Log, Level: slog.LevelError, Fields: fields,
			Text: "RadSec connections are refused because there are not enough file descriptors; raise the limit (LimitNOFILE in the systemd unit, ulimit -n), or lower [listen].max_connections"}
	})
}

// logSlotsFull logs, once a minute, that handshakes have to wait for a slot.
func (s *Server) logSlotsFull() {
	s.limited.slots.Log(func() logs.Line {
		return logs.Line{Log: s.cfg.Log, Level: slog.LevelWarn, Fields: s.admission.usage(),
			Text: "all handshake slots are in use; handshakes of the largest source are displaced. If these are honest clients, raise [listen].max_handshakes"}
	})
}

// logCannotAccept logs, once a minute, that a listener cannot accept connections.
func (s *Server) logCannotAccept(address string, err error) {
	s.limited.accepting.Log(func() logs.Line {
		return logs.Line{Log: s.cfg.Log, Level: slog.LevelError, Text: "cannot accept a RadSec connection; trying again",
			Fields: []any{"address", address, "error", err}}
	})
}
