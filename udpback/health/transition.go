package health

import (
	"fmt"
	"time"
)

// Transition is a change of a port's state, with what was seen.
type Transition struct {
	From, To State

	NoStatusServer bool  // no change: the port answers requests and never a probe
	Unverified     int64 // replies that did not verify since the last that did
	HasAnswered    bool  // something from the port has verified before
	Probed         bool  // the port is probed
	NoAddress      error // why the server has no address; nil: it has one
	Unanswered     int   // requests in a row without an answer
	At             time.Duration
}

// Hint says what was seen before a port was taken for down or failing, and what to
// look at.
func (t Transition) Hint() string {
	switch {
	case t.NoAddress != nil:
		return "its name has no address: is the name right, and does the name server answer?"
	case t.To == Failing:
		return fmt.Sprintf("it answers probes, and %d requests in a row stayed unanswered: look at what the server needs for its work, such as its database or directory", t.Unanswered)
	case t.Unverified > 0 && t.HasAnswered:
		return fmt.Sprintf("%d replies arrived that do not verify, though earlier ones did: was the secret changed on one side only?", t.Unverified)
	case t.Unverified > 0:
		return fmt.Sprintf("%d replies arrived, and none of them verified: the secret here and on the server differ", t.Unverified)
	case t.HasAnswered && t.Probed:
		return "no request and no probe was answered any more: is the server running, and is the way to it open?"
	case t.HasAnswered:
		return "no request was answered any more: is the server running, and is the way to it open?"
	case t.Probed:
		return "nothing has ever arrived from it: is the address right, does it know this gateway as a client, does it answer Status-Server (else set health)?"
	}
	return "nothing has ever arrived from it: is the address right, and does it know this gateway as a client?"
}

// change sets the state and notes the transition; pass hands it on. With mu held.
func (p *Port) change(to State) {
	from := p.State()
	if from == to {
		return
	}
	p.state.Store(int32(to))
	p.answers = 0
	p.note(Transition{From: from, To: to, NoAddress: p.noAddress})
	if to == Down {
		p.lastTry.Store(int64(p.owner.Clock()))
		p.unanswered.Store(0) // what was not answered is explained
	}
}

// note keeps a transition for pass, with what is known of the port. With mu held.
func (p *Port) note(t Transition) {
	if p.stopped { // another port of the same name may be told of by now
		return
	}
	t.Unverified, t.HasAnswered, t.Probed = p.unverified.Load(), p.HasAnswered(), p.Config().Check != CheckNone
	t.Unanswered, t.At = int(p.unanswered.Load()), p.owner.Clock()
	p.transitions = append(p.transitions, t)
}

// pass hands the transitions to the owner, in order and with no lock held. The
// goroutine that finds another doing so leaves its own to that one.
func (p *Port) pass() {
	p.mu.Lock()
	if p.passing {
		p.mu.Unlock()
		return
	}
	p.passing = true
	for len(p.transitions) > 0 {
		list := p.transitions
		p.transitions = nil
		p.mu.Unlock()
		for _, t := range list {
			p.owner.Changed(t)
		}
		p.mu.Lock()
	}
	p.passing = false
	p.mu.Unlock()
}
