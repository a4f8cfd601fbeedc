package stream

import (
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// serverClock is the time of the NATS servers, as far as it is known: all processes have it in
// common, whatever their own clocks say.
type serverClock struct{ known atomic.Pointer[serverTime] }

// serverTime is what a server's clock said.
type serverTime struct{ server, here time.Time }

// setTime notes the time of a server's answer.
func (s *Store) setTime(info *jetstream.StreamInfo) {
	if t := info.TimeStamp; !t.IsZero() { // servers before 2.10 do not tell
		s.clock.known.Store(&serverTime{t, time.Now()})
	}
}

// Now returns the time by the clock of the NATS servers.
func (s *Store) Now() time.Time {
	k := s.clock.known.Load()
	if k == nil {
		return time.Now()
	}
	return k.server.Add(time.Since(k.here))
}
