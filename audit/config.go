package audit

import (
	"io"

	"radsec-gw/metrics"
)

// Config says what is told of requests, and how.
type Config struct {
	Out     io.Writer // where lines go; written by one goroutine, whole lines at a time
	JSON    bool      // their form: JSON, or key=value as log/slog writes text
	Metrics *metrics.Metrics

	Requests bool // a line for each request
	User     Show // how a User-Name is shown
	Station  Show // how a Calling-Station-Id is shown, in F-Ticks too
	Salt     []byte

	Federation  string // of F-Ticks, such as "eduroam"; "": none
	Country     string // visited, two letters
	Institution string // visited; "": left out
	Syslog      string // host:port for F-Ticks over UDP; "": to Out
	Version     string // of this program, for syslog
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
