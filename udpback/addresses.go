package udpback

import (
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"radsec-gw/logs"
	"radsec-gw/metrics"
)

// addresses are the known addresses of a server; immutable.
type addresses struct {
	all     []netip.Addr
	current netip.Addr // the one in use; invalid: none is known
}

// Address returns the address in use; invalid when none is known yet.
func (s *Server) Address() netip.Addr { return s.addresses.Load().current }

// HasAddress reports whether a is one of the server's addresses: of a host name, those that
// it was last looked up to.
func (s *Server) HasAddress(a netip.Addr) bool {
	return slices.Contains(s.addresses.Load().all, a.Unmap()) ||
		slices.ContainsFunc(*s.members.Load(), func(m *Server) bool { return m.HasAddress(a) })
}

// requestLookup requests a look-up of the name, because the server may have moved: a
// container that was created again often has another address. It does not wait.
func (s *Server) requestLookup() {
	if s.name != nil {
		s.name.Refresh()
	}
}

// lookupEnded counts how a look-up of the name ended, and reports one that failed.
func (s *Server) lookupEnded(err error) {
	s.backend.metrics.CountLookup(s.Name, err == nil)
	if err == nil {
		return
	}
	text := "the server's name cannot be looked up; its last address stays in use"
	if len(s.addresses.Load().all) == 0 && len(*s.members.Load()) == 0 {
		text = "the server's name cannot be looked up: its requests go to other servers or wait; is the name right, and does the name server answer?"
		for _, e := range s.endpoints() {
			e.health.NoAddress(err)
		}
	}
	s.backend.lookupFailures.Log(func() logs.Line {
		return logs.Line{Log: s.backend.log, Level: slog.LevelError, Text: text, Fields: []any{"server", s.Name, "name", s.host, "error", err}}
	})
}

// setAddresses replaces the addresses of the name: those of one machine, or of as many
// servers.
func (s *Server) setAddresses(all []netip.Addr) {
	if all = s.ofFamily(all); len(all) == 0 {
		s.lookupEnded(errFamily)
		return
	}
	if s.expand {
		s.setMembers(all)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	was := s.addresses.Load()
	if was.current == all[0] || slices.Contains(all, was.current) && s.addressProven() {
		s.addresses.Store(&addresses{all: all, current: was.current})
		return
	}
	s.addresses.Store(&addresses{all: all, current: all[0]})
	s.addressChanges = 0
	if was.current.IsValid() {
		s.backend.log.Info("the server's name has another address now", "server", s.Name, "name", s.host, "was", was.current, "is", all[0])
	} else {
		s.backend.log.Info("the server's name was looked up", "server", s.Name, "name", s.host, "address", all[0], "addresses", len(all))
	}
	for _, e := range s.endpoints() {
		e.moveToAddress(true)
	}
}

// errFamily is why a name has no address that can be used.
var errFamily = errors.New("the name has no address of the same family as source")

// addressProven reports whether any reply from the address in use has verified. An
// address that is not proven is replaced by one that comes before it in the list: of a
// name's two families the answer for one may be late.
func (s *Server) addressProven() bool {
	return slices.ContainsFunc(s.endpoints(), func(e *endpoint) bool {
		return e.health.HeardSince(time.Duration(e.addressSince.Load() - 1))
	})
}

// addressInterval is how long each address is tried when none of several answers: with
// the default schedule, for two transmissions.
const addressInterval = 4 * time.Second

// tryNextAddress switches to the server's next address, when it has several and nothing
// has verified from the one in use. from is the address that was found silent: the call
// has no effect when another is in use by now. The requests that wait are sent again
// after each switch. Once all addresses were tried, each is tried for addressInterval.
func (s *Server) tryNextAddress(from netip.Addr) {
	if len(s.addresses.Load().all) < 2 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.addresses.Load()
	if s.closed || a.current != from {
		return
	}
	for _, e := range s.endpoints() {
		if e.answersAtAddress() {
			return // the machine is there, and only this port is silent
		}
	}
	now := s.backend.Now()
	for _, e := range s.endpoints() {
		if e.health.HeardSince(s.addressChangedAt) {
			s.addressChanges = 0
		}
	}
	if s.addressChanges >= len(a.all)-1 && now-s.addressChangedAt < addressInterval {
		return
	}
	s.addressChanges, s.addressChangedAt = s.addressChanges+1, now
	next := a.all[(slices.Index(a.all, from)+1)%len(a.all)]
	s.addresses.Store(&addresses{all: a.all, current: next})
	s.addressLog.Log(func() logs.Line {
		return logs.Line{Log: s.backend.log, Level: slog.LevelInfo, Text: "nothing is heard from the server's address; trying its next", Fields: []any{"server", s.Name, "name", s.host, "was", from, "is", next}}
	})
	for _, e := range s.endpoints() {
		e.moveToAddress(false)
	}
}

// memberConfig is the configuration of the server at one address of a name.
func (s *Server) memberConfig(a netip.Addr) ServerConfig {
	c := s.config
	c.Name, c.Address, c.Expand, c.ResolveInterval = labelOf(s.Name, a), a.String(), false, 0
	c.parent = s
	return c
}

// setMembers creates a server for each new address, and removes those whose address is
// gone: the requests that wait there go to the others at once.
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
	var removed []*endpoint
	if len(old) == 0 { // the requests that wait for the name go to its addresses
		removed = s.replacePorts(ports{})
	}
	s.removedMembers = append(s.removedMembers, gone...)
	s.logMaintenance()
	longest := s.settings.Load().longest + 2*time.Second
	s.mu.Unlock()
	stopChecks(removed)
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

// closeMember closes a member whose address is gone, and removes its counters.
func (s *Server) closeMember(m *Server) {
	s.mu.Lock()
	s.removedMembers = slices.DeleteFunc(s.removedMembers, func(one *Server) bool { return one == m })
	s.mu.Unlock()
	m.Close()
	s.backend.removeCounts(m.Name)
}

// hasSocket reports whether one of the members has a socket for a port.
func (s *Server) hasSocket(label metrics.Port) bool {
	for _, m := range *s.members.Load() {
		for _, e := range m.endpoints() {
			if e.label == label && len(*e.sockets.current.Load()) > 0 {
				return true
			}
		}
	}
	return false
}
