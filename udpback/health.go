package udpback

import "time"

// Check is how a silent server is asked whether it lives.
type Check uint8

const (
	CheckNone          Check = iota // nothing is asked: live traffic decides
	CheckStatusServer               // Status-Server to the auth and acct ports (RFC 5997 §4)
	CheckAccessRequest              // an Access-Request of a configured user to the auth port
)

// Health says how the ports of a server are judged. A zero field means its default.
type Health struct {
	Check          Check
	User, Password string // of CheckAccessRequest
	// SuspectAfter is how many requests must fall due for a second transmission,
	// with no verified reply to anything since their first, before the port is
	// suspected. Default 3: one realm that stays silent condemns nobody (P83).
	SuspectAfter int
	// Watchdog is how long a port may be unheard before it is probed although
	// nothing is wrong; varied by ±2 s (RFC 3539 §3.4.1, Tw). Default 30 s.
	Watchdog time.Duration
	// ProbeInterval is the pause between probes of a suspect or dead port, and the
	// wait for the answer to each. Without probes it is how soon a real request
	// tries a dead port; twice as long after the first try, then four times.
	// Default 3 s.
	ProbeInterval time.Duration
	DownAfter     int // probes without an answer that make a suspect dead; default 3
	UpAfter       int // verified replies that bring a dead port back; default 3 (RFC 3539 App. A)
}

// Defaults of Health.
const (
	DefaultSuspectAfter  = 3
	DefaultWatchdog      = 30 * time.Second
	DefaultProbeInterval = 3 * time.Second
	DefaultDownAfter     = 3
	DefaultUpAfter       = 3
)

// watchdogJitter is ± on Tw (RFC 3539 §3.4.1).
const watchdogJitter = 2 * time.Second

func (h Health) withDefaults() Health {
	set := func(n *int, def int) {
		if *n == 0 {
			*n = def
		}
	}
	set(&h.SuspectAfter, DefaultSuspectAfter)
	set(&h.DownAfter, DefaultDownAfter)
	set(&h.UpAfter, DefaultUpAfter)
	if h.Watchdog == 0 {
		h.Watchdog = DefaultWatchdog
	}
	if h.ProbeInterval == 0 {
		h.ProbeInterval = DefaultProbeInterval
	}
	return h
}

// State is what is believed of one port of a server.
type State int32

const (
	Up      State = iota // answers, or has not been asked yet
	Suspect              // silent for some requests; probes decide. Used only when no other server is up
	Down                 // silent for the probes as well. Used only when no other server is left
)

func (s State) String() string { return [...]string{"up", "suspect", "down"}[s] }
