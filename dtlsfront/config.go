package dtlsfront

import (
	"cmp"
	"errors"
	"log/slog"
	"time"

	"radsec-gw/config/defaults"
)

// Config is the configuration of a Server. A zero value means the default that is given here,
// or that package defaults has for the field.
type Config struct {
	Listeners []*Listener // Serve closes them
	Acceptor  Acceptor

	HandshakeTimeout time.Duration // from the ClientHello with a cookie to the end of the handshake
	IdleTimeout      time.Duration // without a request (Status-Server does not count) and none outstanding; 0: never

	MaxSessions   int  // at one time
	MaxPerSource  int  // from one IPv4 address or IPv6 /64; 0: no limit but MaxSessions
	MaxHandshakes int  // at one time, see admission.go
	MaxPackets    int  // of a session; it is closed after them; 0: no limit
	ConnectionIDs bool // clients that can are asked for Connection IDs (RFC 9146)

	Log *slog.Logger // nil: slog.Default
}

func (c *Config) setDefaults() {
	c.HandshakeTimeout = cmp.Or(c.HandshakeTimeout, defaults.HandshakeTimeout)
	c.MaxSessions = cmp.Or(c.MaxSessions, defaults.MaxConnections)
	c.MaxHandshakes = cmp.Or(c.MaxHandshakes, defaults.MaxHandshakes)
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
