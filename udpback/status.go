package udpback

import (
	"time"

	"radsec-gw/metrics"
	"radsec-gw/udpback/health"
)

// PortStatus is what is known of one port of a server at one moment, for people. Times are
// zero for never.
type PortStatus struct {
	Server          string // its name; Name@address for an address of an expanded name
	Port            metrics.Port
	Address         string // where it is reached, with the port's number
	State           health.State
	Since           time.Time // when it came into this state
	Why             string    // what is known of the cause, and advice; "" while it is up
	NoSocket        string    // why no socket to it can be opened, and advice; "" if one is open
	HasChecks       bool      // it is checked, and its checks count
	LastCheck       time.Time // when the last check was sent
	LastCheckAnswer time.Time // when the last answer to one arrived
	LastReply       time.Time // when anything that verifies last arrived
	LastAnswer      time.Time // when the last answer to a request arrived
	Unverified      int64     // replies that did not verify since the last that did
	Outstanding     int64     // Identifiers in use
	Capacity        int64     // the most that can be
}

// Status returns what is known of each port of the server now; of an expanded name, those
// of its addresses.
func (s *Server) Status() (list []PortStatus) {
	now, clock := time.Now(), s.backend.Now()
	for _, e := range s.endpoints() {
		list = append(list, e.status(now, clock))
	}
	for _, m := range *s.members.Load() {
		list = append(list, m.Status()...)
	}
	return list
}

// status returns what is known of the port at a time, when the backend's clock shows
// clock.
func (e *endpoint) status(now time.Time, clock time.Duration) PortStatus {
	at := func(d time.Duration) time.Time {
		if d == 0 {
			return time.Time{}
		}
		return now.Add(d - clock)
	}
	h := e.health.Status()
	return PortStatus{
		Server: e.server.Name, Port: e.label, Address: e.addressText(), State: h.State, Since: at(h.Since), Why: h.Why,
		NoSocket: e.sockets.whyNone(), HasChecks: h.HasChecks, LastCheck: at(h.LastCheck), LastCheckAnswer: at(h.LastCheckAnswer),
		LastReply: at(h.LastReply), LastAnswer: at(h.LastAnswer), Unverified: h.Unverified,
		Outstanding: e.outstanding.Load(), Capacity: e.capacity(),
	}
}
