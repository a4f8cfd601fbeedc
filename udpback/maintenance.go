package udpback

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/udpback/health"
)

// A server in maintenance gets no new request. What it has is finished: requests in flight
// are sent again and move on as usual, and a request whose State it has issued still goes to
// it, because no other server can carry that conversation on. It is checked all the while.
//
// The configuration asks for it, or an order at run time, which outlives a reload but not
// the process. Of an expanded name an order is for all addresses, or for one by its label
// (Name@address); the order for one address precedes that for all, and stays while the name
// does not have the address.

// MaintenanceOrder is an order at run time.
type MaintenanceOrder struct {
	On    bool
	Since time.Time
}

// MaxMaintenanceOrders bounds how many orders there are at one time.
const MaxMaintenanceOrders = 1024

// Why an order is refused.
var (
	ErrUnknownServer = errors.New("there is no such server")
	ErrTooManyOrders = fmt.Errorf("there are %d orders for maintenance already: remove some", MaxMaintenanceOrders)
)

// MaintenanceStatus says what is asked for of a server, and what its ports are like.
type MaintenanceStatus struct {
	Name       string            // of the server, or the label of one of its addresses
	On         bool              // it gets nothing new; of a name with several addresses: none of them does
	Configured bool              // the configuration asks for it
	Absent     bool              // it is an address that the server's name does not have now
	Order      *MaintenanceOrder // for this name itself; nil: none
	Addresses  []AddressOrder    // the orders for single addresses of an expanded name, sorted
	Ports      map[string]health.State
}

// AddressOrder is an order for one address of an expanded name.
type AddressOrder struct {
	MaintenanceOrder
	Label  string // Name@address
	Absent bool   // the name does not have the address now; the order waits for it
}

// SetMaintenance orders that a server is in maintenance, or that it is not, whatever the
// configuration says. name is that of a server, or the label of one of its addresses, which
// an expanded name need not have yet.
func (b *Backend) SetMaintenance(name string, on bool) error {
	return b.changeOrders(name, func(label string) error {
		if _, known := b.orders[label]; !known && len(b.orders) >= MaxMaintenanceOrders {
			return ErrTooManyOrders
		}
		b.orders[label] = MaintenanceOrder{On: on, Since: time.Now()}
		return nil
	})
}

// ResetMaintenance removes the order for a server: the configuration counts again.
func (b *Backend) ResetMaintenance(name string) error {
	return b.changeOrders(name, func(label string) error {
		delete(b.orders, label)
		return nil
	})
}

// changeOrders calls change with mu held, and has each server with the name follow.
func (b *Backend) changeOrders(name string, change func(label string) error) error {
	b.mu.Lock()
	all, label := b.concerned(name)
	err := ErrUnknownServer
	if len(all) > 0 {
		err = change(label)
	}
	b.mu.Unlock()
	if err != nil {
		return err
	}
	for _, s := range all {
		s.mu.Lock()
		s.followMaintenance(s.endpoints())
		for _, m := range *s.members.Load() {
			m.mu.Lock()
			m.followMaintenance(m.endpoints())
			m.mu.Unlock()
		}
		s.logMaintenance()
		s.mu.Unlock()
	}
	return nil
}

// concerned returns the configured servers that an order for name concerns, and the name
// that the order is kept under: an address is written in one way there. With mu held.
func (b *Backend) concerned(name string) (all []*Server, label string) {
	for s := range b.servers {
		if s.Name == name && s.parent == nil {
			all = append(all, s)
		}
	}
	parent := metrics.ServerOf(name)
	if len(all) > 0 || parent == name {
		return all, name
	}
	a, err := netip.ParseAddr(name[len(parent)+1:])
	for s := range b.servers {
		if err == nil && s.Name == parent && s.expand {
			all = append(all, s)
		}
	}
	return all, labelOf(parent, a.Unmap())
}

// labelOf returns the label of one address of an expanded name.
func labelOf(name string, a netip.Addr) string { return name + "@" + a.String() }

// Maintenance returns the status of a server, or of one of its addresses; false if there is
// none of that name. The ports of a server whose addresses are servers of their own are
// called by these: "auth@192.0.2.1".
func (b *Backend) Maintenance(name string) (MaintenanceStatus, bool) {
	b.mu.Lock()
	all, label := b.concerned(name)
	if len(all) == 0 {
		b.mu.Unlock()
		return MaintenanceStatus{}, false
	}
	st := MaintenanceStatus{Name: label, Absent: true, Ports: map[string]health.State{}}
	found := all[0]
	for s := range b.servers {
		if s.Name == label {
			found, st.Absent = s, false
		}
	}
	if o, ok := b.orders[label]; ok {
		st.Order = &o
	}
	if !st.Absent {
		st.Addresses = b.addressOrders(label)
	}
	b.mu.Unlock()
	found.describeMaintenance(&st)
	return st, true
}

// addressOrders returns the orders for single addresses of a name. With mu held.
func (b *Backend) addressOrders(name string) (list []AddressOrder) {
	for label, o := range b.orders {
		if label != name && metrics.ServerOf(label) == name {
			list = append(list, AddressOrder{MaintenanceOrder: o, Label: label, Absent: true})
		}
	}
	slices.SortFunc(list, func(a, b AddressOrder) int { return strings.Compare(a.Label, b.Label) })
	for s := range b.servers {
		if i := slices.IndexFunc(list, func(o AddressOrder) bool { return o.Label == s.Name }); i >= 0 {
			list[i].Absent = false
		}
	}
	return list
}

// describeMaintenance adds what the server and its ports are like; for an address that its
// name does not have, what it would be.
func (s *Server) describeMaintenance(st *MaintenanceStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Configured = s.config.Maintenance
	if st.Absent {
		st.On, _, _ = s.wantsMaintenance()
		if st.Order != nil {
			st.On = st.Order.On
		}
		return
	}
	st.On, _ = s.allInMaintenance()
	for _, e := range s.endpoints() {
		st.Ports[string(e.label)] = e.health.State()
	}
	for _, m := range *s.members.Load() {
		for _, e := range m.endpoints() {
			st.Ports[string(e.label)+strings.TrimPrefix(m.Name, s.Name)] = e.health.State()
		}
	}
}

func (b *Backend) orderFor(name string) (MaintenanceOrder, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o, ok := b.orders[name]
	return o, ok
}

// dropOrders removes the orders for a name that no server has any longer. An address of an
// expanded name may come back: its order stays as long as the name. With mu held.
func (b *Backend) dropOrders(name string) {
	name = metrics.ServerOf(name)
	for s := range b.servers {
		if s.Name == name {
			return
		}
	}
	maps.DeleteFunc(b.orders, func(ordered string, _ MaintenanceOrder) bool { return metrics.ServerOf(ordered) == name })
}

// wantsMaintenance reports what is asked for of the server, by what, and whether that is an
// order for this name itself. With mu held.
func (s *Server) wantsMaintenance() (on bool, by string, own bool) {
	names := []string{s.Name}
	if s.parent != nil {
		names = append(names, s.parent.Name)
	}
	for _, name := range names {
		if o, ok := s.backend.orderFor(name); ok {
			return o.On, "an order at run time", name == s.Name
		}
	}
	return s.config.Maintenance, "the configuration", false
}

// followMaintenance has the ports be in maintenance, or not, as is asked for. A server whose
// ports are new is told of each. With mu held.
func (s *Server) followMaintenance(ports []*endpoint) {
	s.inMaintenance, _, _ = s.wantsMaintenance()
	for _, e := range ports {
		e.health.SetMaintenance(s.inMaintenance)
	}
}

// allInMaintenance reports whether the server is in maintenance, and whether it is not: of
// a name with several addresses neither, while some are. With mu held.
func (s *Server) allInMaintenance() (all, none bool) {
	members := *s.members.Load()
	if len(members) == 0 {
		return s.inMaintenance, !s.inMaintenance
	}
	all, none = true, true
	for _, m := range members {
		m.mu.Lock()
		all, none = all && m.inMaintenance, none && !m.inMaintenance
		m.mu.Unlock()
	}
	return all, none
}

// logMaintenance logs that a configured server is in maintenance, or no longer, if that has
// changed. Single addresses are named besides, unless what is said of the server says it
// all. With mu held.
func (s *Server) logMaintenance() {
	all, none := s.allInMaintenance()
	changed := all && !s.maintenanceLogged || none && s.maintenanceLogged
	if changed {
		s.maintenanceLogged = all
		on, by, _ := s.wantsMaintenance()
		if on != all {
			by = "orders for its addresses"
		}
		s.logMaintenanceChange(all, by)
	}
	for _, m := range *s.members.Load() {
		m.mu.Lock()
		on, by, own := m.wantsMaintenance()
		if m.maintenanceLogged != m.inMaintenance && (own || !changed) {
			m.logMaintenanceChange(on, by)
		}
		m.maintenanceLogged = m.inMaintenance
		m.mu.Unlock()
	}
}

func (s *Server) logMaintenanceChange(on bool, by string) {
	if on {
		s.backend.log.Warn("the server is in maintenance: it gets no new requests, and finishes those that it has", "server", s.Name, "asked_by", by)
	} else {
		s.backend.log.Info("the server's maintenance has ended: it gets requests again", "server", s.Name, "asked_by", by)
	}
}

// inMaintenance reports whether nothing new is to be sent to the port.
func (e *endpoint) inMaintenance() bool { return e.health.InMaintenance() }

// accepts reports whether ex may be started at one of the group's servers, which has a port
// for it: not in maintenance, unless the server issued the request's State. The only server
// of a group has issued every State.
func (g *Group) accepts(ex *Exchange, s *Server, e *endpoint) bool {
	if !e.inMaintenance() {
		return true
	}
	return ex.HasState && (!g.Chooses() || s.number != 0 && g.issuerOf(ex) == s.number)
}

// onlyMaintenance reports whether maintenance is what keeps ex from every server that has
// a port for it.
func (g *Group) onlyMaintenance(ex *Exchange, m *members) bool {
	some := false
	for _, s := range m.servers {
		switch e := s.endpoint(ex.Kind); {
		case e == nil:
		case g.accepts(ex, s, e):
			return false
		default:
			some = true
		}
	}
	return some
}
