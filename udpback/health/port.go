package health

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"radsec-gw/locks"
)

// Owner has the functions that a Port calls. They are called with no lock of the Port
// held, and may call the Port's methods, except for Stop, which waits for them.
type Owner struct {
	// Clock is a monotonic clock that is never 0.
	Clock func() time.Duration
	// SendCheck sends one check, and causes one call of CheckAnswered, CheckLost or
	// CheckNotSent when its result is known. It must not wait.
	SendCheck func()
	// Changed is notified of every change of state, in order and one at a time.
	Changed func(Transition)
}

// Port is the health of one port of one server. Its methods may be called from any
// goroutine; State, Answered and Silent take no lock while the port is up and
// answers.
type Port struct {
	// static after construction
	owner Owner
	timer *time.Timer // runs tick

	// written with mu held, read without
	config          atomic.Pointer[Config]
	state           atomic.Int32
	withoutChecks   atomic.Bool  // checks do not count: it answers requests and never a check, or is not checked
	withoutAddress  atomic.Bool  // noAddress is set
	maintenance     atomic.Bool  // an operator asks that nothing new be sent there
	lastCheckAnswer atomic.Int64 // when the last answer to a check arrived; 0: never
	aliveSince      atomic.Int64 // when the first reply arrived after the port was down

	// written without a lock
	lastReply   atomic.Int64           // when the last verified reply arrived, on the owner's clock; 0: never
	lastAnswer  atomic.Int64           // when the last verified reply to a request arrived
	silent      atomic.Int32           // silent requests since the last reply
	unanswered  atomic.Int32           // unanswered requests since the last answer to one
	lastTry     atomic.Int64           // when a request last tried a port that is failing or down
	failedTries atomic.Int32           // such tries since the last answer
	unverified  atomic.Int64           // replies that did not verify since the last that did
	unsigned    atomic.Bool            // the last of those has no Message-Authenticator
	fault       atomic.Pointer[string] // what the network last reported of the port, with advice; nil: nothing since the last reply
	slowest     atomic.Int64           // the longest that an answer took recently; see Overdue

	mu             locks.Mutex[locks.HealthPort] // guards the fields below
	stopped        bool
	sendingCheck   bool          // the owner's SendCheck runs
	pending        bool          // a check was sent, and its result is not known
	outdated       bool          // the result of that check is ignored: it was sent to another address, or as another kind of check
	sentAt         time.Duration // when the last check was sent
	checkRequested bool          // one is to be sent although the port is up
	missed         int           // checks lost in a row
	lostAt         time.Duration // when the last check that was lost was sent
	lostSince      time.Duration // when the first was sent that was lost before one was answered; 0: none
	answers        int           // verified replies, or answered requests, since the port was up
	noAddress      error         // why no address is known; nil: one is
	since          time.Duration // when the state last changed, or Start was called
	transitions    []Transition  // not passed on yet
	reporting      bool          // a goroutine passes them on

	calls sync.WaitGroup // SendCheck and Changed, while they run; added to with mu held and only before Stop
}

// NewPort returns a port that is up. Start begins its watchdog.
func NewPort(c Config, owner Owner) *Port {
	p := &Port{owner: owner}
	p.timer = time.AfterFunc(math.MaxInt64, p.tick) // Start sets it
	p.configure(c)
	return p
}

// State returns the state of the port that follows from the evidence, also while it is in
// maintenance.
func (p *Port) State() State { return State(p.state.Load()) }

// Reported returns the state to show to people: Maintenance while that is asked for, else
// that of State.
func (p *Port) Reported() State {
	if p.InMaintenance() {
		return Maintenance
	}
	return p.State()
}

// Config returns the current configuration, with its defaults filled in.
func (p *Port) Config() *Config { return p.config.Load() }

// HasChecks reports whether the port is checked, and the checks count.
func (p *Port) HasChecks() bool { return !p.withoutChecks.Load() }

// HeardSince reports whether anything verified has arrived since then.
func (p *Port) HeardSince(then time.Duration) bool {
	last := time.Duration(p.lastReply.Load())
	return last != 0 && last > then
}

// HasAnswered reports whether anything has ever verified from the server, at the
// address that it has now.
func (p *Port) HasAnswered() bool { return p.lastReply.Load() != 0 }

// Configure changes the configuration. The port's history stays; only that of its checks
// is cleared when Check changes.
func (p *Port) Configure(c Config) {
	p.mu.Lock()
	p.configure(c)
	p.reschedule()
	p.mu.Unlock()
	p.report()
}

// configure stores the configuration. With mu held, or before p is shared.
func (p *Port) configure(c Config) {
	c = c.WithDefaults()
	old := p.config.Swap(&c)
	if old != nil && old.Check == c.Check {
		return
	}
	p.resetChecks()
	if !p.HasChecks() && p.State() == Suspect { // no check decides now
		p.updateUnchecked()
	}
}

// resetChecks clears the history of the checks. With mu held.
func (p *Port) resetChecks() {
	p.withoutChecks.Store(p.Config().Check == CheckNone)
	p.lastCheckAnswer.Store(0)
	p.missed, p.lostAt, p.lostSince = 0, 0, 0
	p.outdated = p.pending
}

// NoAddress notes that the server's name has no known address: the port is down
// until Renew.
func (p *Port) NoAddress(why error) {
	p.mu.Lock()
	p.noAddress = why
	p.withoutAddress.Store(true)
	if !p.stopped {
		p.change(Down)
	}
	p.mu.Unlock()
	p.report()
}

// Renew clears the port's history, because its server has another address: it is assumed
// to be up, and is checked at once, or when the pending check of the old address has
// ended.
func (p *Port) Renew() {
	p.mu.Lock()
	p.noAddress = nil
	p.withoutAddress.Store(false)
	p.resetChecks()
	for _, n := range []*atomic.Int64{&p.lastReply, &p.lastAnswer, &p.aliveSince, &p.unverified, &p.slowest} {
		n.Store(0)
	}
	p.silent.Store(0)
	p.unanswered.Store(0)
	if !p.stopped {
		p.assumeUp()
		p.checkNow()
	}
	p.mu.Unlock()
	p.report()
}

// Lost reports whether a conversation with the server may be considered lost: it is down,
// or suspect after several silent requests.
func (p *Port) Lost() bool {
	switch p.State() {
	case Down:
		return true
	case Suspect:
		return int(p.silent.Load()) >= p.Config().SuspectAfter
	}
	return false
}
