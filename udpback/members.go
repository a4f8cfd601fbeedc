package udpback

import (
	"errors"
	"net/netip"
	"slices"
	"time"
)

// MaxServers is how many servers a group can hold: one bit each in Exchange.tried.
const MaxServers = 64

// members is the servers of a group at a time, each address of an expanded name by
// itself; immutable.
type members struct {
	servers []*Server
	weights []uint64 // of each server's name, for rendezvous hashing
	version uint64   // of Backend.expansions
}

// current returns the group's servers now.
func (g *Group) current() *members {
	m := g.latest.Load()
	if !g.expands || m.version == g.backend.expansions.Load() {
		return m
	}
	m = g.flatten()
	g.latest.Store(m)
	return m
}

// flatten lists the servers, each with its members in its place.
func (g *Group) flatten() *members {
	m := &members{version: g.backend.expansions.Load()}
	for _, s := range g.servers {
		one := []*Server{s}
		if list := *s.members.Load(); len(list) > 0 {
			one = list
		}
		m.servers = append(m.servers, one...)
	}
	m.servers = m.servers[:min(len(m.servers), MaxServers)]
	for _, s := range m.servers {
		m.weights = append(m.weights, Hash([]byte(s.Name)))
	}
	return m
}

// updateMembers translates what an exchange has tried into the group's servers of now.
func (g *Group) updateMembers(ex *Exchange) *members {
	m := g.current()
	if ex.members == m {
		return m
	}
	tried, declined := uint64(0), uint64(0)
	if ex.members != nil {
		for i, s := range ex.members.servers {
			if j := slices.Index(m.servers, s); j >= 0 {
				tried |= ex.tried >> i & 1 << j
				declined |= ex.declined >> i & 1 << j
			}
		}
	}
	ex.members, ex.tried, ex.declined = m, tried, declined
	return m
}

// bit returns the bit of a server in Exchange.tried; 0 when it is not a member.
func (m *members) bit(s *Server) uint64 {
	if i := slices.Index(m.servers, s); i >= 0 {
		return 1 << i
	}
	return 0
}

// memberConfig is the configuration of the server at one address of a name.
func (s *Server) memberConfig(a netip.Addr) ServerConfig {
	c := s.config
	c.Name, c.Address, c.Expand, c.ResolveInterval = s.Name+"@"+a.String(), a.String(), false, 0
	c.parent = s
	return c
}

// setMembers makes a server of each address that is new, and lets go of those whose
// address is gone: what waits there goes to the others at once.
func (s *Server) setMembers(all []netip.Addr) {
	if len(all) > MaxServers {
		s.backend.log.Warn("the server's name has more addresses than a group can hold; the rest is not used", "server", s.Name, "name", s.host, "addresses", len(all), "used", MaxServers)
		all = all[:MaxServers]
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	old := *s.members.Load()
	var next, gone []*Server
	for _, a := range all {
		if i := slices.IndexFunc(old, func(m *Server) bool { return m.literal == a }); i >= 0 {
			next = append(next, old[i])
			continue
		}
		s.backend.log.Info("the server's name has a further address: it is a server of its own", "server", s.Name, "name", s.host, "address", a)
		next = append(next, s.backend.NewServer(s.memberConfig(a)))
	}
	for _, m := range old {
		if !slices.Contains(next, m) {
			s.backend.log.Info("the server's name has lost an address", "server", s.Name, "name", s.host, "address", m.literal)
			gone = append(gone, m)
		}
	}
	s.members.Store(&next)
	s.backend.expansions.Add(1)
	var leaving []*endpoint
	if len(old) == 0 { // what waits for the name goes to its addresses
		leaving = s.replacePorts(ports{})
	}
	s.removedMembers = append(s.removedMembers, gone...)
	longest := s.settings.Load().longest + 2*time.Second
	s.mu.Unlock()
	stopChecks(leaving)
	if len(old) == 0 {
		time.AfterFunc(longest, func() { s.backend.removeCounts(s.Name) })
	}
	for _, m := range gone {
		for _, e := range m.endpoints() {
			e.health.NoAddress(errAddressGone)
			e.order(moveServer)
		}
		m.Retire()
		time.AfterFunc(longest, func() { s.closeMember(m) })
	}
}

// errAddressGone is why a member is down whose address the name no longer has.
var errAddressGone = errors.New("the server's name no longer has this address")

// closeMember closes a member whose address is gone, and forgets its counts.
func (s *Server) closeMember(m *Server) {
	s.mu.Lock()
	s.removedMembers = slices.DeleteFunc(s.removedMembers, func(one *Server) bool { return one == m })
	s.mu.Unlock()
	m.Close()
	s.backend.removeCounts(m.Name)
}

// HasAddress says whether a server of the group has this IP address. A host name has
// those that it was last looked up to.
func (g *Group) HasAddress(a netip.Addr) bool {
	for _, s := range g.servers {
		if s.hasAddress(a) {
			return true
		}
	}
	return false
}
