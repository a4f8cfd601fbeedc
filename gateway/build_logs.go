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
	return audit.Config{
		Out: g.logs.Output(), Log: g.log, JSON: l.Format == "json", Metrics: g.metrics,
		Requests: l.Requests, User: showOf(l.User), Station: showOf(l.Station), Salt: l.HashSalt.Bytes(),
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
