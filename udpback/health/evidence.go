package health

import "time"

const (
	// recoverAfter is how many answered requests make a failing port up again.
	recoverAfter = 3

	// patience bounds how long a request may wait before it is overdue, though answers
	// took long recently. It is the default of a route's patience: the silence of a server
	// that gets slower and then hangs must be noticed by the time that its requests move
	// to others.
	patience = 10 * time.Second
)

// Answered notes a verified reply to a request, which arrived after took.
func (p *Port) Answered(now, took time.Duration) {
	p.lastAnswer.Store(int64(now))
	slowest := time.Duration(p.slowest.Load())
	p.slowest.Store(int64(max(took, slowest-slowest/64)))
	if p.unanswered.Load() != 0 {
		p.unanswered.Store(0)
	}
	if p.failedTries.Load() != 0 {
		p.failedTries.Store(0)
	}
	p.heard(now)
	if p.State() != Up {
		p.recover(true)
	}
}

// CheckAnswered notes a verified reply to the last check.
func (p *Port) CheckAnswered(now time.Duration) {
	p.mu.Lock()
	if outdated := p.endCheck(); outdated {
		p.mu.Unlock()
		return
	}
	p.lastCheckAnswer.Store(int64(now))
	p.heard(now)
	p.missed = 0
	if p.withoutChecks.Load() && p.Config().Check != CheckNone {
		p.withoutChecks.Store(false) // it has Status-Server after all
		p.reschedule()
	}
	p.mu.Unlock()
	if p.State() != Up {
		p.recover(false)
	}
	p.updateFailing()
}

// heard notes a verified reply to anything.
func (p *Port) heard(now time.Duration) {
	p.lastReply.Store(int64(now))
	if p.silent.Load() != 0 {
		p.silent.Store(0)
	}
	if p.unverified.Load() != 0 {
		p.unverified.Store(0)
	}
	if p.fault.Load() != nil {
		p.fault.Store(nil)
	}
}

// recover counts a verified reply of a port that is not up. One makes a suspect port up,
// UpAfter one that was down, and three answered requests one that was failing. The answer
// to a check makes it failing instead while requests stay unanswered. Without an address
// the port stays down: the reply is from an address that it no longer has.
func (p *Port) recover(request bool) {
	p.mu.Lock()
	p.missed = 0
	back := Up
	if !request && int(p.unanswered.Load()) >= p.Config().FailingAfter {
		back = Failing
	}
	switch s := p.State(); {
	case s == Suspect:
		p.change(back)
	case s == Failing && request:
		if p.answers++; p.answers >= recoverAfter {
			p.change(Up)
		}
	case s == Down && p.noAddress == nil:
		if p.answers == 0 { // that it was down explains why older requests were not answered
			p.aliveSince.Store(p.lastReply.Load())
			p.unanswered.Store(0)
			back = Up
			p.record(Transition{From: Down, To: Down, Alive: true})
		}
		if p.answers++; p.answers >= p.Config().UpAfter {
			p.change(back)
		}
	}
	p.mu.Unlock()
	p.report()
}

// Unverified notes a reply that did not verify; unsigned says that it has no
// Message-Authenticator. It does not show that the port is alive.
func (p *Port) Unverified(unsigned bool) {
	p.unsigned.Store(unsigned)
	p.unverified.Add(1)
	p.fault.Store(nil)
}

// Silent notes that a request is due for its second transmission, which was first
// sent at sent. A reply that verified since then shows that the port is alive and that
// only this request is ignored (P83). After one silent request the port is checked, after
// several it is suspect.
func (p *Port) Silent(sent time.Duration) {
	if time.Duration(p.lastReply.Load()) >= sent {
		return
	}
	silent := int(p.silent.Add(1))
	switch {
	case p.State() != Up:
	case silent >= p.Config().SuspectAfter:
		p.suspect()
	default:
		p.RequestCheck()
	}
}

// Overdue reports whether a request, first sent at sent and unanswered so far, should
// have been answered by now, and the port has answered a check meanwhile. A request
// may wait four times as long as any answer took recently; where that is longer than
// patience, no longer than patience or the slowest answer.
func (p *Port) Overdue(sent, now time.Duration) bool {
	slowest := time.Duration(p.slowest.Load())
	return now-sent >= min(4*slowest, max(patience, slowest)) && time.Duration(p.lastCheckAnswer.Load()) >= sent
}

// Unanswered notes that a request, first sent at sent, is overdue. It does not count when
// any request was answered since, or when it was sent before the port came back from being
// down.
func (p *Port) Unanswered(sent time.Duration) {
	if time.Duration(p.lastAnswer.Load()) >= sent || time.Duration(p.aliveSince.Load()) > sent {
		return
	}
	p.unanswered.Add(1)
	if p.State() == Failing {
		p.mu.Lock()
		p.answers = 0
		p.mu.Unlock()
		return
	}
	p.updateFailing()
}

// updateFailing makes a port failing whose checks are answered and whose requests are not.
func (p *Port) updateFailing() {
	if int(p.unanswered.Load()) < p.Config().FailingAfter || !p.HasChecks() {
		return
	}
	p.mu.Lock()
	switch p.State() {
	case Up:
		p.change(Failing)
		p.reschedule() // it was checked at the interval of the watchdog
	case Suspect:
		p.change(Failing)
	}
	p.mu.Unlock()
	p.report()
}

// suspect makes a port that is up suspect and checks it, or down where there are no
// checks.
func (p *Port) suspect() {
	p.mu.Lock()
	if p.State() == Up && !p.stopped {
		p.missed = 0
		if p.HasChecks() {
			p.change(Suspect)
			p.checkNow()
		} else {
			p.change(Down)
		}
	}
	p.mu.Unlock()
	p.report()
}

// Fault notes what the network reports of the port instead of a reply, with advice, until
// something arrives. It changes no state: it is a hint for people.
func (p *Port) Fault(text string) { p.fault.Store(&text) }

// Refused notes that nothing listens on the port. An ICMP message can be forged, so it
// only causes a check.
func (p *Port) Refused() {
	if p.HasChecks() {
		p.suspect()
	}
}
