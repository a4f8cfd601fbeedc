package metrics

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
func (s *Server) SetState(to State) {
	s.state.Store(uint32(to))
	s.hadState.Or(1 << to)
}

// State returns what SetState has set; before that, StateDown.
func (s *Server) State() State { return State(s.state.Load()) }

// had reports whether SetState has ever set a state, or none yet and this one is shown.
func (s *Server) had(state State) bool {
	had := s.hadState.Load()
	return had&(1<<state) != 0 || had == 0 && state == s.State()
}

// SetProven sets whether something verified has arrived from the server's port at its
// address, or the port is not checked, so that only requests can show whether it is alive.
func (s *Server) SetProven(proven bool) { s.proven.Store(proven) }

// Proven returns what SetProven has set: until then StateUp is only assumed.
func (s *Server) Proven() bool { return s.proven.Load() }
