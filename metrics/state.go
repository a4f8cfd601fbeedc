package metrics

import "github.com/prometheus/client_golang/prometheus"

// State is what the health checks found a server's port to be. The better states have
// the lower numbers.
type State int8 // signed: "better than StateUp" is a bound that no state meets

// The states.
const (
	StateUp      State = iota // it answers, or has not been asked yet
	StateSuspect              // nothing was heard since several requests; it is being probed, and used where no other is up
	StateFailing              // it answers probes and no requests; new requests prefer other servers
	StateDown                 // the probes stayed unanswered, too, or there is no way to it

	NumStates // how many there are
)

var stateNames = [NumStates]string{StateUp: "up", StateSuspect: "suspect", StateFailing: "failing", StateDown: "down"}

// String is the state's label value.
func (s State) String() string { return nameOf(stateNames[:], uint8(s)) }

// SetState sets what the health checks found the server's port to be.
func (s *Server) SetState(to State) { s.state.Store(uint32(to)) }

// State returns what SetState has set; before that, StateDown.
func (s *Server) State() State { return State(s.state.Load()) }

// registerState makes the state visible: as one series for each state, of which
// one is 1, and as server_up, which is 1 in the state up only.
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
		Help: "1 while a UDP server is up; 0 while it is suspect, failing or down, which server_state tells apart.", ConstLabels: labels}, is(StateUp)))
	for state := range NumStates {
		s.own.register(reg, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: "server_state",
			Help:        "1 for the state that a UDP server is in: up, suspect (silent, being probed), failing (answers probes and no requests) or down.",
			ConstLabels: prometheus.Labels{"server": labels["server"], "port": labels["port"], "state": state.String()}}, is(state)))
	}
}
