package health

import (
	"fmt"
	"slices"
	"time"

	"radsec-gw/config/defaults"
	"radsec-gw/metrics"
)

// Check is how a port is checked.
type Check uint8

// The checks.
const (
	CheckNone          Check = iota // no checks: requests are the only evidence
	CheckStatusServer               // Status-Server to the auth and acct ports (RFC 5997 §4)
	CheckAccessRequest              // an Access-Request of a configured user to the auth port
)

// checkNames are what the checks are called in the configuration; read only.
var checkNames = [...]string{CheckNone: "none", CheckStatusServer: "status-server", CheckAccessRequest: "access-request"}

// CheckNamed returns the check with a name of the configuration.
func CheckNamed(name string) (Check, error) {
	i := slices.Index(checkNames[:], name)
	if i < 0 {
		return 0, fmt.Errorf("expected one of the checks %q, got %q", checkNames, name)
	}
	return Check(i), nil
}

// Config says what changes the state of a server's ports. A zero field means its default,
// which is in package defaults.
type Config struct {
	Check          Check
	User, Password string // of CheckAccessRequest

	// SuspectAfter is how many requests must fall due for a second transmission,
	// with no verified reply to anything since their first, before the port is
	// suspect.
	SuspectAfter int

	// FailingAfter is how many requests in a row must be overdue, while checks are
	// answered, before the port is failing.
	FailingAfter int

	// Watchdog is how long nothing may be heard from a port that is up before it is
	// checked, varied by ±2 s (RFC 3539 §3.4.1, Tw).
	Watchdog time.Duration

	// CheckInterval is the pause between checks of a port that is suspect, failing or
	// down, or has never answered one, varied by ±10 %, and the wait for the answer to
	// each. It is also the pause before a request tries a port that is failing, or
	// down without checks that count; twice as long after the first try, then four
	// times.
	CheckInterval time.Duration

	DownAfter int // lost checks in a row that take a port from suspect or failing to down
	UpAfter   int // verified replies that make a port up that is down
}

// WithDefaults returns c with each zero field replaced by its default.
func (c Config) WithDefaults() Config {
	number := func(n *int, def int) {
		if *n == 0 {
			*n = def
		}
	}
	number(&c.SuspectAfter, defaults.SuspectAfter)
	number(&c.FailingAfter, defaults.FailingAfter)
	number(&c.DownAfter, defaults.DownAfter)
	number(&c.UpAfter, defaults.UpAfter)
	if c.Watchdog == 0 {
		c.Watchdog = defaults.WatchdogInterval
	}
	if c.CheckInterval == 0 {
		c.CheckInterval = defaults.ProbeInterval
	}
	return c
}

// State is the state of a port, the better states first.
type State = metrics.State

// The states: metrics has their names and meanings.
const (
	Up      = metrics.StateUp
	Suspect = metrics.StateSuspect
	Failing = metrics.StateFailing
	Down    = metrics.StateDown // silent, refused, unreachable or without an address

	// Maintenance is what Port.Reported returns while an operator asks for it. Port.State
	// never returns it.
	Maintenance = metrics.StateMaintenance
)
