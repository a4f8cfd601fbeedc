package health

import (
	"math/rand/v2"
	"time"
)

// watchdogJitter is ± on Tw (RFC 3539 §3.4.1).
const watchdogJitter = 2 * time.Second

// Start starts the watchdog. The first check is sent within a second, so that the state
// is known before it is needed; when is random, so that not all ports are checked at
// once.
func (p *Port) Start() {
	p.mu.Lock()
	if p.since == 0 {
		p.since = p.owner.Clock()
	}
	p.mu.Unlock()
	p.timer.Reset(rand.N(time.Second))
}

// Stop ends the checks, and waits until neither SendCheck nor Changed runs: neither is
// called again.
func (p *Port) Stop() {
	p.mu.Lock()
	p.stopped = true
	p.timer.Stop()
	p.mu.Unlock()
	p.calls.Wait()
}

// RequestCheck requests a check of a port in any state, so that it is known whether a
// silent port is alive before requests leave it.
func (p *Port) RequestCheck() {
	if !p.HasChecks() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.pending && !p.checkRequested {
		p.checkNow()
	}
}

// checkNow makes the next check due at once, or as soon as the pending one has ended.
// With mu held.
func (p *Port) checkNow() {
	p.checkRequested = true
	p.reschedule()
}

// reschedule sets the timer after something has changed what it depends on. With mu held.
func (p *Port) reschedule() { p.timer.Reset(p.nextTick(p.owner.Clock())) }

// tick sends a check when one is due and sets the timer for the next; after Stop, and
// where there are no checks, it does nothing.
func (p *Port) tick() {
	p.mu.Lock()
	if p.stopped || p.Config().Check == CheckNone {
		p.mu.Unlock()
		return
	}
	now := p.owner.Clock()
	due := p.due(now)
	if due {
		p.pending, p.sendingCheck, p.checkRequested, p.sentAt = true, true, false, now
		p.calls.Add(1)
	}
	p.timer.Reset(p.nextTick(now))
	p.mu.Unlock()
	if !due {
		return
	}
	p.owner.SendCheck()
	p.mu.Lock()
	p.sendingCheck = false
	p.mu.Unlock()
	p.calls.Done()
}

// due reports whether a check is to be sent now. With mu held.
func (p *Port) due(now time.Duration) bool {
	c := p.Config()
	switch {
	case p.pending || p.sendingCheck:
		return false
	case p.checkRequested:
		return true
	case p.checksOften():
		return p.sentAt == 0 || now-p.sentAt >= c.CheckInterval*3/4 // no sooner, although two ticks may be close together
	}
	return p.idle(now) >= c.Watchdog-watchdogJitter
}

// nextTick returns the wait until a check may be due again. With mu held.
func (p *Port) nextTick(now time.Duration) time.Duration {
	c := p.Config()
	switch {
	case p.checkRequested && !p.pending:
		return 0
	case p.pending && p.sentAt != now: // its result is known within a moment
		return c.CheckInterval / 10
	case p.checksOften(), p.pending && p.HasChecks():
		return c.CheckInterval + time.Duration((rand.Float64()-0.5)/5*float64(c.CheckInterval))
	}
	next := c.Watchdog - p.idle(now) + rand.N(2*watchdogJitter) - watchdogJitter
	return max(next, 100*time.Millisecond)
}

// checksOften reports whether a check is sent every CheckInterval: the port is not up,
// has lost a check, or has never answered one and may still do so. Otherwise it is
// checked at the interval of the watchdog, even one without Status-Server, which may be
// enabled later. With mu held.
func (p *Port) checksOften() bool {
	return p.HasChecks() && (p.State() != Up || p.missed > 0 || p.lastCheckAnswer.Load() == 0)
}

// idle returns for how long nothing has verified and no check was sent. With mu held.
func (p *Port) idle(now time.Duration) time.Duration {
	return now - max(time.Duration(p.lastReply.Load()), p.sentAt)
}

// CheckNotSent notes that the check could not be sent because of this machine, which says
// nothing about the port. The next one is sent soon.
func (p *Port) CheckNotSent() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if wasPending := p.pending; !p.endCheck() && wasPending {
		p.checkRequested = true
	}
}

// CheckLost notes that the last check stayed unanswered, or could not be delivered.
func (p *Port) CheckLost() {
	p.mu.Lock()
	if wasPending := p.pending; !p.endCheck() && wasPending {
		p.countLost()
	}
	p.mu.Unlock()
	p.report()
}

// endCheck notes that the last check has ended, and reports whether its result is
// ignored. With mu held.
func (p *Port) endCheck() (outdated bool) {
	outdated = p.outdated
	p.pending, p.outdated = false, false
	return outdated
}

// countLost counts a lost check, and changes the state if need be. With mu held.
func (p *Port) countLost() {
	if p.stopped || !p.HasChecks() {
		return
	}
	heard, answered := p.HeardSince(p.lostAt), time.Duration(p.lastAnswer.Load()) > p.lostAt // since the one before
	p.lostAt = p.sentAt
	if p.lostSince == 0 {
		p.lostSince = p.sentAt
	}
	if p.lastCheckAnswer.Load() == 0 && p.answersRequests() {
		// It may only lack Status-Server.
		if p.missed++; p.missed >= p.Config().DownAfter {
			p.withoutChecks.Store(true)
			p.record(Transition{From: p.State(), To: p.State(), NoStatusServer: true})
			p.updateUnchecked()
		}
		return
	}
	if p.State() == Down && !answered {
		p.answers = 0
	}
	if heard { // the checks before were lost although the port was alive
		p.missed = 0
	}
	p.missed++
	switch s := p.State(); {
	case s == Up && p.HeardSince(p.sentAt):
		p.missed = 0 // this one, too
	case s == Up && p.silent.Load() == 0 && p.missed == 1:
		// After one lost check of an idle port another is sent before the state changes.
	case s == Up:
		p.change(Suspect)
	case p.missed >= p.Config().DownAfter:
		p.change(Down)
	}
}

// answersRequests reports whether a request was answered since the first check was lost,
// or before and the port is up without silent requests since. With mu held.
func (p *Port) answersRequests() bool {
	last := time.Duration(p.lastAnswer.Load())
	return last != 0 && (last >= p.lostSince || p.silent.Load() == 0 && p.State() == Up)
}

// updateUnchecked sets the state of a port whose checks no longer count, from its
// requests alone. A port that is failing stays so until requests are answered. With mu
// held.
func (p *Port) updateUnchecked() {
	switch {
	case p.State() == Failing || p.noAddress != nil:
	case int(p.silent.Load()) >= p.Config().SuspectAfter:
		p.change(Down)
	default:
		p.assumeUp()
	}
}
