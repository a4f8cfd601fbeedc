package audit

import (
	"log/slog"

	"radsec-gw/logs"
	"radsec-gw/metrics"
)

// Config is what is reported of requests, and how. All but the fields fixed by New can
// be changed while requests are in flight, with Hub.Configure.
type Config struct {
	Out     *logs.Output      // where lines go; fixed by New
	Log     *slog.Logger      // problems are logged here; fixed by New
	Metrics *metrics.Metrics  // fixed by New
	Level   func() slog.Level // of the log; nil: never debug; fixed by New
	JSON    bool              // lines are JSON; otherwise key=value as log/slog writes text

	Requests bool   // a line for each request
	User     Show   // how a User-Name is shown
	Station  Show   // how a Calling-Station-Id is shown, in F-Ticks too
	Realm    Show   // how the realm is shown, in F-Ticks always Full; not Cut
	Salt     []byte // of hashes; empty: a random one chosen by New

	Federation  string // of F-Ticks, such as "eduroam"; "": none
	Country     string // visited, two letters
	Institution string // visited; "": omitted
	Syslog      string // host:port for F-Ticks over UDP; "": to Out
}

// Show is how the name of a person or a device is shown.
type Show uint8

// Ways of showing a name.
const (
	Hash Show = iota // 16 hex digits of a keyed hash, the same for the same name
	Full             // as it is
	Cut              // a user's realm; the manufacturer's half of a MAC address
	None             // not at all
)
