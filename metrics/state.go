package metrics

import "github.com/prometheus/client_golang/prometheus"

// State is the state of a server's port: see package health. The better states have the
// lower numbers.
type State int8 // signed: "better than StateUp" is a bound that no state meets

// The states.
const (
	StateUp          State = iota // it answers, or nothing is known of it yet
	StateSuspect                  // several requests were silent; it is being checked, and used if no other is up
	StateFailing                  // it answers checks and no requests; new requests prefer other servers
	StateDown                     // checks stay unanswered too, or it is unreachable or without an address
	StateMaintenance              // an operator asked for it: the server gets nothing new, whatever its health

	NumStates // how many there are
)

var stateNames = [NumStates]string{StateUp: "up", StateSuspect: "suspect", StateFailing: "failing", StateDown: "down",
	StateMaintenance: "maintenance"}

// String returns the state's label value.
func (s State) String() string { return nameOf(stateNames[:], uint8(s)) }

// SetState sets the state of the server's port.
func (s *Server) SetState(to State) { s.state.Store(uint32(to)) }

// State returns what SetState has set; before that, StateDown.
func (s *Server) State() State { return State(s.state.Load()) }

// registerState registers the state: as one series for each state, of which one is 1, and
// as server_up, which is 1 in the state up only.
func (s *Server) registerState(reg prometheus.Registerer, labels prometheus.Labels) {
	is := func(state State) func() float64 {
		return func() float64 {
			if s.State() == state {
				return 1
			}
			return 0
		}
	}
	s.SetState(StateDown) // until the health checks have set another
	s.own.register(reg, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: "server_up",
		Help: "1 while a UDP server is up; 0 while it is suspect, failing, down or in maintenance, which server_state distinguishes.", ConstLabels: labels}, is(StateUp)))
	for state := range NumStates {
		s.own.register(reg, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: "server_state",
			Help:        "1 for the state that a UDP server is in: up, suspect (silent, being probed), failing (answers probes and no requests), down, or maintenance (asked for: it gets nothing new).",
			ConstLabels: prometheus.Labels{"server": labels["server"], "port": labels["port"], "state": state.String()}}, is(state)))
	}
}
