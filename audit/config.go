package audit

import (
	"log/slog"

	"radsec-gw/logs"
	"radsec-gw/metrics"
)

// Config says what is told of requests, and how. All but what New fixes can be
// changed while requests are on their way, with Hub.Configure.
type Config struct {
	Out     *logs.Output     // where lines go; fixed by New
	Log     *slog.Logger     // what goes wrong is told here; fixed by New
	Metrics *metrics.Metrics // fixed by New
	JSON    bool             // the form of lines: JSON, or key=value as log/slog writes text

	Requests bool   // a line for each request
	User     Show   // how a User-Name is shown
	Station  Show   // how a Calling-Station-Id is shown, in F-Ticks too
	Salt     []byte // of hashes; empty: one made at random by New

	Federation  string // of F-Ticks, such as "eduroam"; "": none
	Country     string // visited, two letters
	Institution string // visited; "": left out
	Syslog      string // host:port for F-Ticks over UDP; "": to Out
}

// Show is how the name of a person or a device is shown.
type Show uint8

// The ways.
const (
	Hash Show = iota // 16 hex digits of a keyed hash: the same name, the same digits
	Full             // as it is
	Cut              // a user's realm; the manufacturer's half of a MAC address
	None             // not at all
)
