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
	show := map[string]audit.Show{config.ShowHash: audit.Hash, config.ShowFull: audit.Full, config.ShowCut: audit.Cut, config.ShowNone: audit.None}
	return audit.Config{
		Out: g.logs.Output(), Log: g.log, JSON: l.Format == "json", Metrics: g.metrics,
		Requests: l.Requests, User: show[l.User], Station: show[l.Station], Salt: l.HashSalt.Bytes(),
		Federation: l.FTicks, Country: l.FTicksCountry, Institution: l.FTicksInstitution, Syslog: l.FTicksSyslog,
	}
}
