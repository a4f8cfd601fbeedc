package gateway

import (
	"radsec-gw/audit"
	"radsec-gw/config"
	"radsec-gw/logs"
)

// LogConfig translates the configuration of log lines, for the caller that makes the log
// of Options.
func (p *Plan) LogConfig() logs.Config {
	return logs.Config{Level: p.Config.Log.Level, JSON: p.Config.Log.Format == "json"}
}

// hubConfig translates the configuration of the log lines for individual requests.
func (g *Gateway) hubConfig(l *config.Log) audit.Config {
	c := AuditConfig(l)
	c.Out, c.Log, c.Metrics, c.Level = g.logs.Output(), g.log, g.metrics, g.logs.Level
	return c
}

// AuditConfig translates what [log] says of the log lines for individual requests. The
// fields that audit.New fixes are not set.
func AuditConfig(l *config.Log) audit.Config {
	return audit.Config{
		JSON: l.Format == "json", Requests: l.Requests, User: showOf(l.User), Station: showOf(l.Station), Realm: showOf(l.Realm), Salt: l.HashSalt.Bytes(),
		Federation: l.FTicks, Country: l.FTicksCountry, Institution: l.FTicksInstitution, Syslog: l.FTicksSyslog,
	}
}

func showOf(s string) audit.Show {
	switch s {
	case config.ShowFull:
		return audit.Full
	case config.ShowCut:
		return audit.Cut
	case config.ShowNone:
		return audit.None
	}
	return audit.Hash
}
