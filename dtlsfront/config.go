package dtlsfront

import (
	"cmp"
	"errors"
	"log/slog"
	"runtime"
	"time"

	"radsec-gw/config/defaults"
	"radsec-gw/metrics"
)

// Config is the configuration of a Server. A zero value means the default that is given here,
// or that package defaults has for the field.
type Config struct {
	Listeners []*Listener // Serve closes them; SetListeners replaces them
	Acceptor  Acceptor
	Limits

	ConnectionIDs bool          // clients that can are asked for Connection IDs (RFC 9146)
	CPU           chan struct{} // holds a value for each handshake that computes now; nil: one of this Server's own

	Drops *metrics.DTLS // nil: only Count counts
	Log   *slog.Logger  // nil: slog.Default
}

// Limits are what may change while a Server serves. A zero value means the default that is
// given here, or that package defaults has for the field.
type Limits struct {
	HandshakeTimeout time.Duration // from the ClientHello with a cookie to the end of the handshake; 0: 30 s
	IdleTimeout      time.Duration // without a request (Status-Server does not count) and none outstanding; 0: never

	MaxSessions   int // at one time
	MaxPerSource  int // from one IPv4 address or IPv6 /64; 0: no limit but MaxSessions
	MaxHandshakes int // at one time, see admission.go
	MaxPackets    int // of a session; it is closed after them; 0: no limit
}

func (l *Limits) setDefaults() {
	l.HandshakeTimeout = cmp.Or(l.HandshakeTimeout, defaults.HandshakeTimeoutDTLS)
	l.MaxSessions = cmp.Or(l.MaxSessions, defaults.MaxConnections)
	l.MaxHandshakes = cmp.Or(l.MaxHandshakes, defaults.MaxHandshakes)
}

func (c *Config) setDefaults() {
	c.Limits.setDefaults()
	if c.CPU == nil {
		c.CPU = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
}

func (c *Config) validate() error {
	switch {
	case len(c.Listeners) == 0:
		return errors.New("no listener: give at least one address to listen on")
	case c.Acceptor == nil:
		return errors.New("no Acceptor")
	}
	return nil
}
