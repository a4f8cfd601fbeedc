package config

import (
	"log/slog"
	"net"
	"net/netip"
	"regexp"
)

// readMetrics reads [metrics].
func readMetrics(t *table) Metrics {
	m := defaultMetrics()
	if t.text("address", &m.Address) && m.Address != "" {
		if err := checkHostPort(m.Address); err != nil {
			t.r.wrong(joinKey(t.path, "address"), "%v", err)
		}
	}
	t.secret("token", &m.Token, false)
	t.file("certificate", &m.Certificate, MaxCertificates)
	t.file("private_key", &m.PrivateKey, MaxKeys)
	for _, pair := range [][2]string{{"certificate", "private_key"}, {"private_key", "certificate"}} {
		if t.has(pair[0]) {
			t.require(pair[1], "the path of a PEM file, since "+pair[0]+" is given")
		}
	}
	t.flag("pprof", &m.PProf)
	t.done()
	return m
}

var (
	federationName  = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
	countryCode     = regexp.MustCompile(`^[A-Z]{2}$`)
	institutionName = regexp.MustCompile(`^[A-Za-z0-9._:/-]{1,128}$`)
)

// readLog reads [log].
func readLog(t *table) Log {
	l := defaultLog()
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	level := ""
	if t.choice("level", &level, "debug", "info", "warn", "error") {
		l.Level = levels[level]
	}
	t.choice("format", &l.Format, "text", "json")
	t.flag("requests", &l.Requests)
	t.choice("user", &l.User, ShowFull, ShowHash, ShowCut, ShowNone)
	t.choice("station", &l.Station, ShowFull, ShowHash, ShowCut, ShowNone)
	t.secret("hash_salt", &l.HashSalt, false)
	readFTicks(t, &l)
	t.done()
	return l
}

// readFTicks reads the keys for the statistics of a roaming federation.
func readFTicks(t *table, l *Log) {
	if t.text("fticks", &l.FTicks) && l.FTicks != "" {
		if !federationName.MatchString(l.FTicks) {
			t.r.wrong(joinKey(t.path, "fticks"), `expected the federation's name in letters, digits and hyphens such as "eduroam", or "" for none, got %q`, l.FTicks)
		}
		t.require("fticks_country", `the country visited as two capital letters such as "DE", since fticks is given`)
	}
	if t.text("fticks_country", &l.FTicksCountry) && l.FTicksCountry != "" && !countryCode.MatchString(l.FTicksCountry) {
		t.r.wrong(joinKey(t.path, "fticks_country"), `expected two capital letters such as "DE" (ISO 3166-1), got %q`, l.FTicksCountry)
	}
	if t.text("fticks_institution", &l.FTicksInstitution) && l.FTicksInstitution != "" && !institutionName.MatchString(l.FTicksInstitution) {
		t.r.wrong(joinKey(t.path, "fticks_institution"), `expected letters, digits and "._:/-" such as "1example.org", got %q`, l.FTicksInstitution)
	}
	if t.text("fticks_syslog", &l.FTicksSyslog) && l.FTicksSyslog != "" {
		if err := checkHostPort(l.FTicksSyslog); err != nil {
			t.r.wrong(joinKey(t.path, "fticks_syslog"), `expected a host and a port such as "192.0.2.5:514", or "" for the log, got %q`, l.FTicksSyslog)
		}
	}
}

// readTap reads [tap].
func readTap(t *table) Tap {
	p := defaultTap()
	if t.text("socket", &p.Socket) {
		p.Socket = t.r.resolve(p.Socket)
		if len(p.Socket) > 100 { // sun_path of unix(7) has 108 octets, and a name beside it is needed for a moment
			t.r.wrong(joinKey(t.path, "socket"), "expected a path of at most 100 octets, got %d", len(p.Socket))
		}
	}
	t.done()
	return p
}

func (c *Config) warnMetrics(warn warner) {
	m := &c.Metrics
	host, _, err := net.SplitHostPort(m.Address)
	if err != nil || m.Token.Len() > 0 {
		return
	}
	if a, err := netip.ParseAddr(host); host == "localhost" || err == nil && a.Unmap().IsLoopback() {
		return
	}
	warn("metrics.address", "%s can be reached from other machines, and everybody there may read the metrics and the status page: set a token", m.Address)
}
