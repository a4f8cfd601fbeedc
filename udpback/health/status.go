package health

import (
	"fmt"
	"time"
)

// Status is what is known of a port at one moment, for people. Times are on the owner's
// clock; 0 means never.
type Status struct {
	State           State
	Since           time.Duration // when it came into this state; that of Start, if it was up from the beginning
	Why             string        // what is known now of the cause, and advice; "" while it is up
	HasChecks       bool          // it is checked, and its checks count
	LastCheck       time.Duration // when the last check was sent
	LastCheckAnswer time.Duration // when the last answer to one arrived
	LastReply       time.Duration // when anything that verifies last arrived
	LastAnswer      time.Duration // when the last answer to a request arrived
	Unverified      int64         // replies that did not verify since the last that did
}

// Status returns what is known of the port now.
func (p *Port) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Status{
		State: p.Reported(), Since: p.since, HasChecks: p.HasChecks(),
		LastCheck: p.sentAt, LastCheckAnswer: time.Duration(p.lastCheckAnswer.Load()),
		LastReply: time.Duration(p.lastReply.Load()), LastAnswer: time.Duration(p.lastAnswer.Load()),
		Unverified: p.unverified.Load(),
	}
	switch s.State {
	case Down, Failing:
		s.Why = p.withEvidence(Transition{To: s.State, NoAddress: p.noAddress}).Hint()
	case Suspect:
		s.Why = fmt.Sprintf("it is silent (%d requests in a row); it is being checked, and new requests prefer other servers", p.silent.Load())
	case Maintenance:
		s.Why = "an operator asks for it: it finishes what it has and gets nothing new; without maintenance it would be " + p.State().String()
	}
	return s
}
