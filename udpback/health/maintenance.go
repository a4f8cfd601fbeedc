package health

// InMaintenance reports whether an operator asks that nothing new be sent to the port.
func (p *Port) InMaintenance() bool { return p.maintenance.Load() }

// SetMaintenance begins or ends maintenance, and notifies the owner if that is a change.
//
// At the end a port that is failing, or down without checks, is assumed to be up: only
// requests could have shown that it works again, and it got none. It is checked at once.
func (p *Port) SetMaintenance(on bool) {
	p.mu.Lock()
	if p.maintenance.Swap(on) != on {
		p.since = p.owner.Clock()
		p.record(Transition{From: p.State(), To: p.State(), Maintenance: true})
		if !on && !p.stopped {
			p.resume()
		}
	}
	p.mu.Unlock()
	p.report()
}

// resume makes the port what it is to be after maintenance. With mu held.
func (p *Port) resume() {
	if s := p.State(); p.noAddress == nil && (s == Failing || s == Down && !p.HasChecks()) {
		p.silent.Store(0)
		p.unanswered.Store(0)
		p.failedTries.Store(0)
		p.assumeUp()
	}
	if p.HasChecks() {
		p.checkNow()
	}
}
