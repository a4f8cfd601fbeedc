package metrics

// State is what the health checks hold a server's port for.
type State uint8

// The states.
const (
	StateUp      State = iota // it answers
	StateSuspect              // requests stayed unanswered; it is being probed, and still used where no other is up
	StateDown                 // the probes stayed unanswered, too

	NumStates // how many there are
)

var stateNames = [NumStates]string{StateUp: "up", StateSuspect: "suspect", StateDown: "down"}

// String is the state's label value.
func (s State) String() string { return nameOf(stateNames[:], uint8(s)) }
