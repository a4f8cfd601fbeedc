package health

import (
	"fmt"
	"time"
)

// Transition is a change of a port's state, and the evidence for it.
type Transition struct {
	From, To State

	NoStatusServer bool   // no change: the port answers requests and never a check
	Alive          bool   // no change: the first verified reply of a port that is down, or the first after a lost check
	Maintenance    bool   // no change: the port is in maintenance from now on, or no longer; Reported says which
	InMaintenance  bool   // the port is in maintenance
	Assumed        bool   // the port is assumed to be up, without a reply that shows it
	Unverified     int64  // replies that did not verify since the last that did
	Unsigned       bool   // the last of those has no Message-Authenticator
	Fault          string // what the network has reported since the last reply, with advice; "": nothing
	HasAnswered    bool   // something from the server's address has verified before
	HasChecks      bool   // the port is checked, and its checks count
	NoAddress      error  // why the server has no address; nil: it has one
	Unanswered     int    // requests in a row without an answer
	At             time.Duration
}

// Hint describes what was seen before a port was found down or failing, and gives advice.
func (t Transition) Hint() string {
	switch {
	case t.NoAddress != nil:
		return "its name has no address: is the name right, and does the name server answer?"
	case t.To == Failing:
		return fmt.Sprintf("it answers checks, and %d requests in a row stayed unanswered: check what the server needs for its work, such as its database or directory", t.Unanswered)
	case t.Fault != "":
		return t.Fault
	case t.Unsigned:
		return fmt.Sprintf("replies arrived (%d) that are dropped because they have no Message-Authenticator: update the server or have it sign, or set require_message_authenticator = false for it and accept the risk (CVE-2024-3596)", t.Unverified)
	case t.Unverified > 0 && t.HasAnswered:
		return fmt.Sprintf("replies that do not verify arrived (%d), though earlier ones did: was the secret changed on one side only? Or do answers come after their requests were given up?", t.Unverified)
	case t.Unverified > 0:
		return fmt.Sprintf("replies arrived (%d), and none of them verified: the secret here and on the server differ", t.Unverified)
	case t.HasAnswered && t.HasChecks:
		return "requests and checks are no longer answered: is the server running, and can packets reach it?"
	case t.HasAnswered:
		return "requests are no longer answered: is the server running, and can packets reach it?"
	case t.HasChecks:
		return "nothing has ever arrived from it: is the address right, does it know this gateway as a client, does it answer Status-Server (else set health)?"
	}
	return "nothing has ever arrived from it: is the address right, and does it know this gateway as a client?"
}

// change sets the state. With mu held.
func (p *Port) change(to State) { p.setState(Transition{To: to}) }

// assumeUp makes the port up although no reply has shown it. With mu held.
func (p *Port) assumeUp() { p.setState(Transition{To: Up, Assumed: true}) }

// setState sets the state and records the transition for report. With mu held.
func (p *Port) setState(t Transition) {
	t.From = p.State()
	if t.From == t.To {
		return
	}
	p.state.Store(int32(t.To))
	p.answers, p.since = 0, p.owner.Clock()
	t.NoAddress = p.noAddress
	p.record(t)
	if t.To >= Failing { // a request tries it after a pause
		p.lastTry.Store(int64(p.owner.Clock()))
		if t.From < Failing {
			p.failedTries.Store(0)
		}
	}
}

// record adds what is known of the port to a transition, and keeps it for report. With mu
// held.
func (p *Port) record(t Transition) {
	p.transitions = append(p.transitions, p.withEvidence(t))
}

// withEvidence returns the transition with what is known of the port now. With mu held.
func (p *Port) withEvidence(t Transition) Transition {
	t.Unverified, t.HasAnswered, t.HasChecks = p.unverified.Load(), p.HasAnswered(), p.HasChecks()
	t.Unsigned = t.Unverified > 0 && p.unsigned.Load()
	if fault := p.fault.Load(); fault != nil {
		t.Fault = *fault
	}
	t.Unanswered, t.At, t.InMaintenance = int(p.unanswered.Load()), p.owner.Clock(), p.InMaintenance()
	return t
}

// report passes the transitions to the owner, in order and with no lock held. If another
// goroutine is doing so, that one reports them all. After Stop they are dropped: another
// port of the same name may have been reported by now.
func (p *Port) report() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reporting {
		return
	}
	p.reporting = true
	for len(p.transitions) > 0 && !p.stopped {
		t := p.transitions[0]
		p.transitions = p.transitions[1:]
		p.calls.Add(1)
		p.mu.Unlock()
		p.owner.Changed(t)
		p.mu.Lock()
		p.calls.Done()
	}
	p.transitions, p.reporting = nil, false
}
