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

// lines are the log lines that peers cause, limited for each source: a peer that
// connects in a loop fills neither the disk nor the operator's eyes, and hides no
// other. The metrics count every connection all the same.
type lines struct {
	connections *logs.Sources
	unlisted    *logs.Sources
	accepting   logs.Limiter
}

func newLines(log *slog.Logger) lines {
	return lines{
		connections: logs.NewSources(log, "RadSec connections"),
		unlisted:    logs.NewRareSources(log, "connections from addresses that no client lists", unlistedPeriod),
	}
}

// say writes a log line that remote has caused, unless there were too many.
func (s *Server) say(remote netip.AddrPort, level slog.Level, msg string, args ...any) {
	s.sayThat(remote, level, msg, func() []any { return args })
}

// sayThat is say for a line whose attributes cost something to find: they are
// asked for when the line is written.
func (s *Server) sayThat(remote netip.AddrPort, level slog.Level, msg string, attributes func() []any) {
	s.lines.connections.Say(sourceOf(remote.Addr()), level, msg, attributes)
}

// sayRefused tells of a connection that was refused before its handshake. An
// address that no client lists is told of once an hour, as it may be a load
// balancer or a monitor that looks at the port for ever; the others at debug.
func (s *Server) sayRefused(remote netip.AddrPort, result metrics.Handshake, text string) {
	const msg = "RadSec connection refused"
	args := []any{"peer", remote, "result", result, "error", text}
	level := slog.LevelWarn
	if result == metrics.HandshakeUnknownNetwork {
		if s.lines.unlisted.Say(sourceOf(remote.Addr()), level, msg, func() []any { return args }) {
			return
		}
		level = slog.LevelDebug
	}
	s.say(remote, level, msg, args...)
}

// sayCannotAccept tells of a listener that takes no connections, once a minute.
func (s *Server) sayCannotAccept(address string, err error) {
	s.lines.accepting.Say(time.Since(s.began), func() logs.Line {
		return logs.Line{Log: s.cfg.Log, Level: slog.LevelError, Text: "a RadSec connection cannot be accepted; trying again",
			Fields: []any{"address", address, "error", err}}
	})
}
