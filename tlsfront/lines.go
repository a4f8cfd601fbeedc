package tlsfront

import (
	"log/slog"
	"net/netip"
	"time"

	"radsec-gw/logs"
	"radsec-gw/metrics"
)

// unlistedPeriod is how often one source that no client lists is told of.
const unlistedPeriod = time.Hour

// limitedLogs are the log lines that peers cause, limited for each source: a peer that
// connects in a loop fills neither the disk nor the operator's eyes, and hides no
// other. The metrics count every connection all the same.
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

// log writes a log line that remote has caused, unless there were too many.
func (s *Server) log(remote netip.AddrPort, level slog.Level, msg string, args ...any) {
	s.logFunc(remote, level, msg, func() []any { return args })
}

// logFunc is say for a line whose attributes cost something to find: they are
// asked for when the line is written.
func (s *Server) logFunc(remote netip.AddrPort, level slog.Level, msg string, attributes func() []any) {
	s.limited.connections.Log(sourceOf(remote.Addr()), level, msg, attributes)
}

// logRefused tells of a connection that was refused before its handshake. An
// address that no client lists is told of once an hour, as it may be a load
// balancer or a monitor that looks at the port for ever; the others at debug.
func (s *Server) logRefused(remote netip.AddrPort, result metrics.Handshake, text string) {
	const msg = "RadSec connection refused"
	args := []any{"peer", remote, "result", result, "error", text}
	level := slog.LevelWarn
	if result == metrics.HandshakeUnknownNetwork {
		if s.limited.unlisted.Log(sourceOf(remote.Addr()), level, msg, func() []any { return args }) {
			return
		}
		level = slog.LevelDebug
	}
	s.log(remote, level, msg, args...)
}

// logNoDescriptors tells, once a minute, that descriptors are what keeps
// connections out. err is nil when it is the share that connections may take.
func (s *Server) logNoDescriptors(err error) {
	s.limited.descriptors.Log(func() logs.Line {
		fields := []any{"connections", s.admission.connections()}
		if limit := descriptorLimit(); limit != nil {
			fields = append(fields, "descriptors", limit)
		}
		if err != nil {
			fields = append(fields, "error", err)
		}
		return logs.Line{Log: s.cfg.Log, Level: slog.LevelError, Fields: fields,
			Text: "RadSec connections are refused for want of file descriptors; raise the limit (LimitNOFILE in the systemd unit, ulimit -n), or lower [listen].max_connections"}
	})
}

// logSlotsFull tells, once a minute, that handshakes have to wait for a slot.
func (s *Server) logSlotsFull() {
	s.limited.slots.Log(func() logs.Line {
		return logs.Line{Log: s.cfg.Log, Level: slog.LevelWarn, Fields: s.admission.usage(),
			Text: "all handshake slots are taken; the largest source gives way to others. If these are honest clients, raise [listen].max_handshakes"}
	})
}

// logCannotAccept tells of a listener that takes no connections, once a minute.
func (s *Server) logCannotAccept(address string, err error) {
	s.limited.accepting.Log(func() logs.Line {
		return logs.Line{Log: s.cfg.Log, Level: slog.LevelError, Text: "a RadSec connection cannot be accepted; trying again",
			Fields: []any{"address", address, "error", err}}
	})
}
