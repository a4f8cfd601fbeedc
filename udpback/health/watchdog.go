package health

import (
	"math/rand/v2"
	"time"
)

// Start begins the watchdog, where there are probes. The first goes out soon, so that
// the state is known before it is needed, and at a time of its own for each port.
func (p *Port) Start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(rand.N(time.Second), p.tick)
	if p.Config().Check == CheckNone {
		p.timer.Stop()
	}
}

// Stop ends the probes, and waits for one that is being sent.
func (p *Port) Stop() {
	p.mu.Lock()
	p.stopped = true
	if p.timer != nil {
		p.timer.Stop()
	}
	p.mu.Unlock()
	p.ticking.Lock() // once a tick that had begun is over
	defer p.ticking.Unlock()
}

// RequestCheck has a probe sent although nothing is held against the port yet, so
// that a silent port is known to be dead or alive before it is given up.
func (p *Port) RequestCheck() {
	if !p.Probed() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped || p.pending || p.checkRequested {
		return
	}
	p.checkRequested = true
	p.probeNow()
}

// probeNow lets the next tick come at once. With mu held.
func (p *Port) probeNow() {
	if p.timer != nil && !p.stopped && p.Config().Check != CheckNone {
		p.checkRequested = true
		p.timer.Reset(0)
	}
}

// tick sends a probe when one is due and sets the timer for the next.
func (p *Port) tick() {
	p.ticking.Lock()
	defer p.ticking.Unlock()
	now := p.owner.Clock()
	p.mu.Lock()
	if p.stopped || p.Config().Check == CheckNone {
		p.mu.Unlock()
		return
	}
	due := !p.pending && (p.checkRequested || p.State() != Up || p.untested() || p.unheard(now) >= p.Config().Watchdog-watchdogJitter)
	waits := p.pending // for the last probe's end, which comes within a moment
	if due {
		p.pending, p.checkRequested, p.sentAt = true, false, now
	}
	next := p.nextTick(now)
	if waits {
		next = p.Config().ProbeInterval / 10
	}
	p.timer.Reset(next)
	p.mu.Unlock()
	if due {
		p.owner.Probe()
	}
}

// nextTick is the wait until a probe may be due again. With mu held.
func (p *Port) nextTick(now time.Duration) time.Duration {
	interval := p.Config().ProbeInterval
	next := interval + time.Duration((rand.Float64()-0.5)/5*float64(interval))
	if p.State() == Up && !p.pending && !p.untested() || !p.Probed() {
		// A port without Status-Server is asked at the watchdog's pace, in case it has it one day.
		next = p.Config().Watchdog - p.unheard(now) + rand.N(2*watchdogJitter) - watchdogJitter
		next = max(next, 100*time.Millisecond)
	}
	return next
}

// untested reports whether no probe was ever answered, though it may be yet.
func (p *Port) untested() bool { return p.lastProbe.Load() == 0 && p.Probed() }

// unheard is how long nothing has verified.
func (p *Port) unheard(now time.Duration) time.Duration {
	return now - time.Duration(p.lastReply.Load())
}

// ProbeNotSent notes that the probe could not be sent for a reason of this machine's
// own, which says nothing about the port.
func (p *Port) ProbeNotSent() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending = false
}

// ProbeLost notes that the last probe stayed unanswered, or could not get there.
func (p *Port) ProbeLost() {
	p.mu.Lock()
	p.pending = false
	p.countLost()
	p.mu.Unlock()
	p.pass()
}

// countLost draws the conclusions from a lost probe. With mu held.
func (p *Port) countLost() {
	if p.stopped || !p.Probed() {
		return
	}
	p.missed++
	if p.lastProbe.Load() == 0 && p.lastAnswer.Load() != 0 {
		// It answers requests. That it does not answer probes may be all there is to it.
		if p.missed >= p.Config().DownAfter {
			p.withoutProbes.Store(true)
			p.note(Transition{From: p.State(), To: p.State(), NoStatusServer: true})
			p.change(Up)
		}
		return
	}
	if p.State() != Failing {
		p.answers = 0
	}
	switch s := p.State(); {
	case s == Up && p.HeardSince(p.sentAt):
		p.missed = 0 // the probe was lost, the port was not
	case s == Up && p.silent.Load() == 0 && p.missed == 1:
		// One lost probe of an idle port is sent again before anything is believed.
	case s == Up:
		p.change(Suspect)
	case p.missed >= p.Config().DownAfter:
		p.change(Down)
	}
}
