package udpback

import (
	"net"
	"net/netip"
	"strconv"

	"radsec-gw/wire"
)

// ServerConfig describes one UDP server.
type ServerConfig struct {
	Name      string
	Address   string // an IP address or a host name
	AuthPort  uint16 // 0: does not answer this kind
	AcctPort  uint16
	CoAPort   uint16
	Secret    *wire.ServerSecret
	RequireMA bool // drop replies to Access-Request without Message-Authenticator, before any digest (P49)
	// MaxSockets is the ceiling for each port; 256 requests in flight each. 0: 64.
	MaxSockets int
	Schedule   Schedule
	Health     Health
}

// coaLabel names the port for CoA and Disconnect.
const coaLabel = "coa"

// DefaultMaxSockets allows 16,384 requests in flight to one port of a server.
const DefaultMaxSockets = 64

// Server is one UDP server. Each of its ports is judged and served by itself
// (RFC 5997 §4.3).
type Server struct {
	// static after construction
	Name      string
	address   netip.Addr // invalid when the server was given by host name
	back      *Back
	secret    *wire.ServerSecret
	requireMA bool
	number    uint16 // what a State that it issues is remembered with
	schedule  Schedule
	ends      [wire.NumKinds]*endpoint // by kind; nil where the server has no port for it
}

// NewServer prepares a server and begins to watch its health; Close ends that.
func (b *Back) NewServer(c ServerConfig) *Server {
	s := &Server{Name: c.Name, back: b, secret: c.Secret, requireMA: c.RequireMA, number: b.states.number(c.Name), schedule: c.Schedule.withDefaults()}
	if a, err := netip.ParseAddr(c.Address); err == nil {
		s.address = a.Unmap()
	}
	sockets := c.MaxSockets
	if sockets == 0 {
		sockets = DefaultMaxSockets
	}
	open := func(label string, port uint16) *endpoint {
		if port == 0 {
			return nil
		}
		address := net.JoinHostPort(c.Address, strconv.Itoa(int(port)))
		return newEndpoint(s, label, address, sockets, c.Health)
	}
	s.ends[wire.KindAccess] = open("auth", c.AuthPort)
	s.ends[wire.KindAccounting] = open("acct", c.AcctPort)
	coa := open(coaLabel, c.CoAPort)
	s.ends[wire.KindCoA], s.ends[wire.KindDisconnect] = coa, coa
	return s
}

// endpoints returns each port's endpoint once.
func (s *Server) endpoints() []*endpoint {
	var all []*endpoint
	for _, k := range []wire.Kind{wire.KindAccess, wire.KindAccounting, wire.KindCoA} {
		if e := s.ends[k]; e != nil {
			all = append(all, e)
		}
	}
	return all
}

// Retire ends the probes, and the server's part in the metrics' states, while its
// last requests are still under way: another of its name has taken its place.
func (s *Server) Retire() {
	for _, e := range s.endpoints() {
		e.judge.stop()
	}
}

// Announce tells the metrics what state each port is in, after another server of
// the same name has told them something else.
func (s *Server) Announce() {
	for _, e := range s.endpoints() {
		e.judge.announce()
	}
}

// Close closes the sockets and waits for their readers. Requests that still wait
// fail with FailShutdown.
func (s *Server) Close() {
	for _, e := range s.endpoints() {
		e.close()
	}
}
