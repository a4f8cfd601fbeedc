package gateway

import (
	"radsec-gw/audit"
	"radsec-gw/config"
	"radsec-gw/logs"
)

// LogConfig is what the configuration says of log lines, for who makes the log that
// Start is given.
func (p *Plan) LogConfig() logs.Config { return logConfig(&p.Config.Log) }

// logConfig is what the file says of log lines.
func logConfig(l *config.Log) logs.Config {
	return logs.Config{Level: l.Level, JSON: l.Format == "json"}
}

// hubConfig is what the file says of the lines of individual requests.
func (g *Gateway) hubConfig(l *config.Log) audit.Config {
	show := map[string]audit.Show{config.ShowHash: audit.Hash, config.ShowFull: audit.Full, config.ShowCut: audit.Cut, config.ShowNone: audit.None}
	return audit.Config{
		Out: g.logs.Output(), Log: g.log, JSON: l.Format == "json", Metrics: g.metrics,
		Requests: l.Requests, User: show[l.User], Station: show[l.Station], Salt: l.HashSalt.Octets(),
		Federation: l.FTicks, Country: l.FTicksCountry, Institution: l.FTicksInstitution, Syslog: l.FTicksSyslog,
	}
}
