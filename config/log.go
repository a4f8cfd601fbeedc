package config

import (
	"log/slog"
	"regexp"
)

// Log is [log].
type Log struct {
	// "debug", "info", "warn" or "error". While the gateway runs, SIGUSR1 lowers it by a
	// step, and SIGUSR2 restores this one.
	// Default: "info"
	Level slog.Level

	// "text" or "json".
	// Default: "text"
	Format string // "text" or "json"

	// A line for each request: client, realm, user, station, kind, server, result,
	// Error-Cause, duration, transmissions. Requests do not wait for the log: lines that
	// cannot be written to standard error in time are dropped and counted
	// (radsec_gw_log_lines_lost_total).
	// Default: false
	Requests bool

	// How the User-Name is shown in those lines: "full", "hash" (the same for the
	// same user, under hash_salt), "cut" (the realm only) or "none". The realm that
	// the request is routed by is shown beside it: see realm.
	// Default: "hash"
	User string // one of Shows

	// How that realm is shown: "full", "hash" or "none". A realm that only one person
	// uses identifies that person, whatever user says. F-Ticks have the realm in full in any case,
	// and so do warnings about a realm that cannot be routed: at most one a minute of each kind.
	// Default: "full"
	Realm string // one of Shows, without "cut"

	// The same for the Calling-Station-Id, in F-Ticks too; "cut" shows the
	// manufacturer's part of a MAC address.
	// Default: "hash"
	Station string // likewise

	// The key of the hashes. Keep it to find the same user in logs of different
	// days and replicas. At most one of hash_salt, hash_salt_file and hash_salt_env.
	// Default: random bytes of each start
	HashSalt Secret // may be empty

	// F-Ticks, the statistics of a roaming federation: a line for each login that
	// ended, with this federation's name. "": none.
	// Default: ""
	FTicks string

	// The country that the user visits, as two capital letters (ISO 3166-1).
	// Required when fticks is not "".
	FTicksCountry string

	// The institution that the user visits, as the federation names it. "": omitted.
	// Default: ""
	FTicksInstitution string

	// Where F-Ticks go: host and port of a syslog server (UDP). A name is looked up
	// again every minute. "": into the log.
	// Default: ""
	FTicksSyslog string
}

// Values of Log.User and Log.Station.
const (
	ShowFull = "full"
	ShowHash = "hash" // the same for the same user or station, and nothing else
	ShowCut  = "cut"  // a user's realm, a station's manufacturer
	ShowNone = "none"
)

// Shows returns the values of Log.User and Log.Station.
func Shows() []string {
	return []string{ShowFull, ShowHash, ShowCut, ShowNone}
}

var (
	federationName  = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
	countryCode     = regexp.MustCompile(`^[A-Z]{2}$`)
	institutionName = regexp.MustCompile(`^[A-Za-z0-9._:/-]{1,128}$`)
)

func defaultLog() Log {
	return Log{Level: slog.LevelInfo, Format: "text", User: ShowHash, Realm: ShowFull, Station: ShowHash}
}

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
	t.choice("user", &l.User, Shows()...)
	t.choice("realm", &l.Realm, ShowFull, ShowHash, ShowNone)
	t.choice("station", &l.Station, Shows()...)
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

func (c *Config) warnLog(warn warner) {
	if n := c.Log.HashSalt.Len(); n > 0 && n < shortSalt {
		warn("log.hash_salt", "the salt has %d bytes: who guesses it can compute the hash of every name; take %d or more, at random (openssl rand -hex 16)", n, shortSalt)
	}
}
