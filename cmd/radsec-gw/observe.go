package main

import (
	"net"

	"radsec-gw/audit"
	"radsec-gw/config"
	"radsec-gw/logs"
)

// logConfig is what the file says of log lines.
func logConfig(l *config.Log) logs.Config {
	return logs.Config{Level: l.Level, JSON: l.Format == "json"}
}

// hubConfig is what the file says of the lines of individual requests.
func (g *gateway) hubConfig(l *config.Log) audit.Config {
	show := map[string]audit.Show{config.ShowHash: audit.Hash, config.ShowFull: audit.Full, config.ShowCut: audit.Cut, config.ShowNone: audit.None}
	return audit.Config{
		Out: g.logs.Output(), Log: g.log, JSON: l.Format == "json", Metrics: g.metrics,
		Requests: l.Requests, User: show[l.User], Station: show[l.Station], Salt: l.HashSalt.Octets(),
		Federation: l.FTicks, Country: l.FTicksCountry, Institution: l.FTicksInstitution, Syslog: l.FTicksSyslog,
	}
}

// openTap opens the socket for taps. A gateway serves without one when it
// cannot be opened: it is for looking only.
func (g *gateway) openTap() net.Listener {
	path := g.cfg.Tap.Socket
	if path == "" {
		return nil
	}
	l, err := audit.ListenTap(path)
	if err != nil {
		say := g.log.Warn
		if path == config.DefaultTapSocket { // nobody asked for it
			say = g.log.Info
		}
		say("radsec-gw tap cannot connect: no socket; set [tap].socket to a path that this user can make", "path", path, "error", err)
		return nil
	}
	return l
}
