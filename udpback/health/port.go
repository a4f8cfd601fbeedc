package health

import (
	"sync"
	"sync/atomic"
	"time"
)

// Owner is how a Port acts. The functions are called with no lock of the Port held.
type Owner struct {
	// Clock is a monotonic clock that is never 0.
	Clock func() time.Duration
	// Probe sends one probe, and has ProbeAnswered, ProbeLost or ProbeNotSent called
	// once when its end is known. It must not wait. It is not called after Stop.
	Probe func()
	// Changed is told of every change of state, in order.
	Changed func(Transition)
}

// Port is the health of one port of one server. Its methods may be called from any
// goroutine; State, Answered and Silent take no lock while the port is up and
// answers.
type Port struct {
	// static after construction
	owner  Owner
	config atomic.Pointer[Config]

	state         atomic.Int32
	lastReply     atomic.Int64 // when the last verified reply arrived, on the owner's clock; 0: never
	lastAnswer    atomic.Int64 // when the last verified reply to a request arrived
	lastProbe     atomic.Int64 // when the last answer to a probe arrived
	silent        atomic.Int32 // silent requests since the last reply
	unanswered    atomic.Int32 // unanswered requests since the last answer to one
	lastTry       atomic.Int64 // when a request last tried a port that is failing or down
	failedTries   atomic.Int32 // such tries since the last answer
	unverified    atomic.Int64 // replies that did not verify since the last that did
	slowest       atomic.Int64 // how long answers took of late, at the most; see Overdue
	withoutProbes atomic.Bool  // it answers requests and never a probe, or nothing probes it

	mu             sync.Mutex // guards the fields below
	timer          *time.Timer
	stopped        bool
	pending        bool          // a probe is under way
	sentAt         time.Duration // when it was sent
	checkRequested bool          // one is to be sent although the port is up
	missed         int           // probes lost in a row
	answers        int           // verified replies, or answered requests, since the port left Up
	noAddress      error         // why no address is known; nil: one is
	transitions    []Transition  // not passed on yet
	passing        bool          // a goroutine passes them on

	ticking sync.Mutex // held while a probe is being sent; taken before mu
}

// NewPort returns a port that is up. Start begins its watchdog.
func NewPort(c Config, owner Owner) *Port {
	p := &Port{owner: owner}
	p.configure(c)
	return p
}

// State returns what is believed of the port.
func (p *Port) State() State { return State(p.state.Load()) }

// Config returns the configuration in force, with its defaults filled in.
func (p *Port) Config() *Config { return p.config.Load() }

// Probed reports whether probes say anything about the port.
func (p *Port) Probed() bool { return !p.withoutProbes.Load() }

// HeardSince reports whether anything verified has arrived since then.
func (p *Port) HeardSince(then time.Duration) bool {
	return time.Duration(p.lastReply.Load()) > then
}

// HasAnswered reports whether anything from the port has ever verified.
func (p *Port) HasAnswered() bool { return p.lastReply.Load() != 0 }

// Configure changes the configuration of a port under watch; its history stays.
func (p *Port) Configure(c Config) {
	p.configure(c)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil && !p.stopped {
		p.timer.Reset(p.nextTick(p.owner.Clock()))
	}
}

func (p *Port) configure(c Config) {
	c = c.WithDefaults()
	old := p.config.Swap(&c)
	if old == nil || old.Check != c.Check {
		p.withoutProbes.Store(c.Check == CheckNone)
	}
}

// Answered notes a verified reply to a request, which took so long.
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

// ProbeAnswered notes a verified reply to a probe.
func (p *Port) ProbeAnswered(now time.Duration) {
	p.lastProbe.Store(int64(now))
	p.heard(now)
	p.mu.Lock()
	p.pending, p.missed = false, 0
	p.withoutProbes.Store(false)
	p.mu.Unlock()
	if p.State() != Up {
		p.recover(false)
	}
	p.judgeService()
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
}

// recover counts a verified reply of a port that is not up. One clears a suspicion,
// UpAfter in a row bring a port back that was down, and three answered requests one
// that was failing. A probe's answer brings a port back as failing while requests
// stay unanswered.
func (p *Port) recover(request bool) {
	p.mu.Lock()
	p.missed = 0
	back := Up
	if !request && int(p.unanswered.Load()) >= p.Config().FailingAfter {
		back = Failing
	}
	switch p.State() {
	case Suspect:
		p.change(back)
	case Failing:
		if request {
			if p.answers++; p.answers >= recoverAfter {
				p.change(Up)
			}
		}
	case Down:
		if p.answers++; p.answers >= p.Config().UpAfter {
			p.change(back)
		}
	}
	p.mu.Unlock()
	p.pass()
}

// Unverified notes a reply that did not verify. It is no evidence of life.
func (p *Port) Unverified() { p.unverified.Add(1) }

// Silent notes that a request is due for its second transmission, which was first
// sent at sent. Whatever verified since then shows that the port lives, and only
// this request is ignored (P83). One silent request has the port probed, several
// make it suspect.
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
// have been answered by now: it waits four times as long as any answer took of late,
// and the port has answered a probe meanwhile.
func (p *Port) Overdue(sent, now time.Duration) bool {
	return now-sent >= 4*time.Duration(p.slowest.Load()) && time.Duration(p.lastProbe.Load()) >= sent
}

// Unanswered notes that a request, first sent at sent, is overdue.
func (p *Port) Unanswered(sent time.Duration) {
	if time.Duration(p.lastAnswer.Load()) >= sent {
		return
	}
	p.unanswered.Add(1)
	if p.State() == Failing {
		p.mu.Lock()
		p.answers = 0
		p.mu.Unlock()
		return
	}
	p.judgeService()
}

// judgeService makes a port failing whose probes are answered and whose requests are not.
func (p *Port) judgeService() {
	if int(p.unanswered.Load()) < p.Config().FailingAfter || !p.Probed() {
		return
	}
	p.mu.Lock()
	if s := p.State(); s == Up || s == Suspect {
		p.change(Failing)
		p.lastTry.Store(int64(p.owner.Clock()))
	}
	p.mu.Unlock()
	p.pass()
}

// suspect begins the probes; where there are none, silence is all the evidence.
func (p *Port) suspect() {
	p.mu.Lock()
	if p.State() == Up && !p.stopped {
		p.missed = 0
		if p.Probed() {
			p.change(Suspect)
			p.probeNow()
		} else {
			p.change(Down)
		}
	}
	p.mu.Unlock()
	p.pass()
}

// Refused notes that nobody listens on the port. An ICMP message can be forged, so
// it begins the probes and proves nothing.
func (p *Port) Refused() {
	if p.Probed() {
		p.suspect()
	}
}

// NoAddress notes that the server's name has no known address: the port is down
// until Renew.
func (p *Port) NoAddress(why error) {
	p.mu.Lock()
	p.noAddress = why
	if !p.stopped {
		p.change(Down)
	}
	p.mu.Unlock()
	p.pass()
}

// Renew forgets the port's history, because its server has another address: it is up
// until something else is known, and is probed at once.
func (p *Port) Renew() {
	p.mu.Lock()
	p.noAddress, p.missed = nil, 0
	p.silent.Store(0)
	p.unanswered.Store(0)
	p.unverified.Store(0)
	if !p.stopped {
		p.change(Up)
		p.probeNow()
	}
	p.mu.Unlock()
	p.pass()
}

// Lost reports whether a conversation with the server may be taken for lost: it is
// down, or several requests in a row found it silent and no probe says otherwise.
func (p *Port) Lost() bool {
	switch p.State() {
	case Down:
		return true
	case Suspect:
		return int(p.silent.Load()) >= p.Config().SuspectAfter
	}
	return false
}

// Try reports whether a request should try this port although others are better off:
// when it is failing, or down and not probed, one after a probe interval, then after
// twice that and four times that; and at once after one that was answered.
func (p *Port) Try(now time.Duration) bool {
	switch s := p.State(); {
	case s == Failing:
	case s == Down && !p.Probed():
	default:
		return false
	}
	last := p.lastTry.Load()
	answered := p.lastAnswer.Load() > last
	if !answered && now-time.Duration(last) < p.Config().ProbeInterval<<min(p.failedTries.Load(), maxFailedTries) {
		return false
	}
	if !p.lastTry.CompareAndSwap(last, int64(now)) {
		return false
	}
	p.failedTries.Add(1)
	return true
}
