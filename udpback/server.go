package udpback

import (
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"radsec-gw/config/defaults"
	"radsec-gw/locks"
	"radsec-gw/logs"
	"radsec-gw/metrics"
	"radsec-gw/udpback/health"
	"radsec-gw/udpback/resolve"
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
	Health     health.Config
	// ResolveInterval is how often a host name is looked up although nothing is
	// wrong; 0: only when the server is suspect and at Refresh.
	ResolveInterval time.Duration
	// Expand makes each address of a host name a server of its own, called
	// Name@address. Otherwise they are addresses of one server, used one at a time.
	Expand bool
	// NAS, when it is not nil, says that the server is a NAS, and what to call it in a
	// CoA or Disconnect that does not say (RFC 8559 §4.2).
	NAS *wire.NAS
	// Maintenance asks that nothing new be sent to it; see maintenance.go.
	Maintenance bool
	// Source is the local address of its sockets; the zero Addr: the system chooses.
	Source netip.Addr
	parent *Server // whose address it is
}

// Server is one UDP server: one machine, which may have several addresses. Each of
// its ports has its own health and its own sockets (RFC 5997 §4.3).
type Server struct {
	// static after construction
	Name    string
	backend *Backend
	secret  *wire.ServerSecret
	id      uint32        // computed from the configured name
	nameID  uint32        // computed from Name, which differs for an address of an expanded name
	number  uint16        // of issuers, which remember it with a State
	host    string        // as configured
	expand  bool          // its addresses are servers of their own
	parent  *Server       // whose name it is an address of; nil: it was configured
	name    *resolve.Name // nil when host is an IP address
	literal netip.Addr    // host, when it is an IP address
	source  netip.Addr    // of its sockets; the zero Addr: the system chooses

	settings  atomic.Pointer[settings]
	ports     atomic.Pointer[ports]
	addresses atomic.Pointer[addresses]
	members   atomic.Pointer[[]*Server] // one for each address, when expand is set

	local atomic.Pointer[netip.Addr] // of the last socket; nil: none yet

	addressLog logs.Limiter // a server that is down is tried at one address after the other

	mu                locks.Mutex[locks.Server] // guards changes of the fields below and above; acquired before socketSet.mu
	config            ServerConfig
	addressChanges    int           // changes of the address in use since something was heard
	addressChangedAt  time.Duration // when the last was
	removed           []*endpoint   // ports that are no longer configured, and wait for their last requests
	removedMembers    []*Server     // members whose address is gone, likewise
	inMaintenance     bool          // as the ports were last told
	maintenanceLogged bool          // as the log last said
	closed            bool
}

// settings are what a reload may change while the server stays in use.
type settings struct {
	schedule   Schedule
	requireMA  bool
	nas        *wire.NAS
	maxSockets int
	longest    time.Duration // the longest schedule of any request that may be under way
}

// ports holds each kind's port; nil where the server has none for it.
type ports [wire.NumKinds]*endpoint

// NewServer returns a server whose health is watched until Close.
func (b *Backend) NewServer(c ServerConfig) *Server {
	s := &Server{Name: c.Name, backend: b, secret: c.Secret, number: b.issuers.number(c.Name), host: c.Address, source: c.Source}
	s.addresses.Store(new(addresses))
	s.ports.Store(new(ports))
	s.members.Store(new([]*Server))
	if a, err := netip.ParseAddr(c.Address); err == nil {
		s.literal = a.Unmap()
		s.addresses.Store(&addresses{all: []netip.Addr{s.literal}, current: s.literal})
	}
	s.nameID = ServerID(c.Name)
	s.id, s.parent = s.nameID, c.parent
	if s.parent != nil {
		s.id = s.parent.id
	}
	s.expand = c.Expand && !s.literal.IsValid()
	if !s.literal.IsValid() {
		s.name = b.resolver.Name(c.Address, c.ResolveInterval, resolve.Watcher{Found: s.setAddresses, Ended: s.lookupEnded})
	}
	b.register(s) // before it counts anything: see Backend.InUse
	s.mu.Lock()
	s.configure(c) // no port is removed
	if s.parent == nil {
		s.logMaintenance()
	} else { // setMembers logs what differs from the name, whose mu it holds
		s.maintenanceLogged = s.inMaintenance && s.parent.maintenanceLogged
	}
	s.mu.Unlock()
	if s.name != nil {
		s.name.Start()
	}
	return s
}

// ServerID returns a number for a server's configured name, which every gateway
// computes alike. Two names may have the same number, but in one configuration that is
// unlikely.
func ServerID(name string) uint32 { return uint32(Hash([]byte(name)) >> 32) }

// ID returns the number of the server's configured name; for an address of an expanded
// name, that of the name.
func (s *Server) ID() uint32 { return s.id }

// Secret returns the secret that is shared with the server.
func (s *Server) Secret() *wire.ServerSecret { return s.secret }

// NAS returns what the server is called as a NAS; nil when it is not one.
func (s *Server) NAS() *wire.NAS { return s.settings.Load().nas }

// Reconfigure replaces the configuration of a server whose name, address and
// secret are the same: sockets, health and requests in flight stay.
func (s *Server) Reconfigure(c ServerConfig) {
	stopChecks(s.reconfigure(c))
}

// reconfigure is Reconfigure, but for the ports that it removes, which it returns.
func (s *Server) reconfigure(c ServerConfig) (removed []*endpoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	removed = s.configure(c)
	if s.name != nil {
		s.name.SetInterval(c.ResolveInterval)
	}
	for _, m := range *s.members.Load() {
		removed = append(removed, m.reconfigure(s.memberConfig(m.literal))...)
	}
	if s.parent == nil {
		s.logMaintenance()
	}
	return removed
}

// stopChecks ends the checks of ports that were removed. No lock is held: it waits for
// checks that are being sent, which may need one.
func stopChecks(removed []*endpoint) {
	for _, e := range removed {
		e.health.Stop()
	}
}

// configure stores the settings, and adds, keeps or removes ports. It returns those that
// must be stopped. With mu held.
func (s *Server) configure(c ServerConfig) (removed []*endpoint) {
	s.config = c
	set := &settings{schedule: c.Schedule.withDefaults(), requireMA: c.RequireMA, nas: c.NAS, maxSockets: c.MaxSockets}
	if set.maxSockets == 0 {
		set.maxSockets = defaults.MaxSockets
	}
	set.longest = set.schedule.Duration
	if old := s.settings.Load(); old != nil {
		set.longest = max(set.longest, old.longest)
	}
	s.settings.Store(set)
	var next ports
	if len(*s.members.Load()) == 0 {
		next[wire.KindAccess] = s.port(wire.KindAccess, metrics.PortAuth, c.AuthPort)
		next[wire.KindAccounting] = s.port(wire.KindAccounting, metrics.PortAcct, c.AcctPort)
		coa := s.port(wire.KindCoA, metrics.PortCoA, c.CoAPort)
		next[wire.KindCoA], next[wire.KindDisconnect] = coa, coa
	}
	s.followMaintenance(next.distinct()) // before requests find a new port
	return s.replacePorts(next)
}

// port returns the port for a kind: the present one if its number is the same. With
// mu held.
func (s *Server) port(k wire.Kind, label metrics.Port, number uint16) *endpoint {
	if number == 0 {
		return nil
	}
	if e := s.ports.Load()[k]; e != nil && e.number == number {
		e.health.Configure(healthOf(s.config.Health, label))
		return e
	}
	return newEndpoint(s, label, number, s.config.Health)
}

// replacePorts replaces the ports; those that are no longer among them are closed when
// their last requests have ended, and are returned for stopChecks. With mu held.
func (s *Server) replacePorts(next ports) (removed []*endpoint) {
	old := s.ports.Swap(&next)
	for _, e := range old.distinct() {
		if !slices.Contains(next[:], e) {
			removed = append(removed, e)
			e.order(moveServer)
			s.removed = append(s.removed, e)
			time.AfterFunc(s.settings.Load().longest+time.Second, func() { s.closeRemoved(e) })
		}
	}
	return removed
}

// closeRemoved closes a port that replacePorts has removed.
func (s *Server) closeRemoved(e *endpoint) {
	s.mu.Lock()
	s.removed = slices.DeleteFunc(s.removed, func(one *endpoint) bool { return one == e })
	s.mu.Unlock()
	e.close()
}

// endpoint returns the port for a kind; nil when the server has none.
func (s *Server) endpoint(k wire.Kind) *endpoint { return s.ports.Load()[k] }

// distinct returns each port once.
func (p *ports) distinct() []*endpoint {
	var all []*endpoint
	for _, k := range []wire.Kind{wire.KindAccess, wire.KindAccounting, wire.KindCoA} {
		if e := p[k]; e != nil {
			all = append(all, e)
		}
	}
	return all
}

// endpoints returns each port in use once.
func (s *Server) endpoints() []*endpoint { return s.ports.Load().distinct() }

// Retire ends the checks and look-ups, and the server no longer sets states in the
// metrics, while its last requests are still in flight: another of its name may have
// replaced it.
func (s *Server) Retire() {
	s.backend.unregister(s)
	if s.name != nil {
		s.name.Close()
	}
	for _, e := range s.endpoints() {
		e.retired.Store(true)
		e.health.Stop()
	}
	for _, m := range *s.members.Load() {
		m.Retire()
	}
}

// PublishState sets each port's state in the metrics, after another server of the same
// name has set them.
func (s *Server) PublishState() {
	for _, e := range s.endpoints() {
		e.publishState()
	}
	for _, m := range *s.members.Load() {
		m.PublishState()
	}
}

// Close closes the sockets and waits for their readers. Requests that still wait
// fail with FailShutdown. A second call does nothing.
func (s *Server) Close() {
	s.Retire()
	s.mu.Lock()
	s.closed = true
	all := append(s.endpoints(), s.removed...)
	members := slices.Concat(s.removedMembers, *s.members.Load()) // closeMember changes s.removedMembers
	s.mu.Unlock()
	for _, e := range all {
		e.close()
	}
	for _, m := range members {
		m.Close()
	}
}
