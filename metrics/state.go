package metrics

// State is what the health checks hold a server's port for.
type State uint8

// The states.
const (
	StateUp      State = iota // it answers
	StateSuspect              // nothing was heard since several requests; it is being probed, and used where no other is up
	StateFailing              // it answers probes and no requests; new requests prefer other servers
	StateDown                 // the probes stayed unanswered, too, or there is no way to it

	NumStates // how many there are
)

var stateNames = [NumStates]string{StateUp: "up", StateSuspect: "suspect", StateFailing: "failing", StateDown: "down"}

// String is the state's label value.
func (s State) String() string { return nameOf(stateNames[:], uint8(s)) }
