package udpback

import (
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"radsec-gw/logs"
)

// judge holds one port's state. Only verified replies count for life, and only
// silence counts against it: a reply that does not verify is neither.
type judge struct {
	// static after construction
	config Health
	probed bool // probes are sent
	log    *slog.Logger
	onTurn func(State)                  // told of every change
	probe  func(answered func(ok bool)) // sends one probe
	clock  func() time.Duration         // the Back's

	state     atomic.Int32
	lastReply atomic.Int64 // when the last verified reply came, on the Back's clock
	served    atomic.Int64 // when the last one to a request came, not to a probe
	silent    atomic.Int32 // silent requests since the last reply
	trickled  atomic.Int64 // when a real request last tried a dead, unprobed port
	futile    atomic.Int32 // such tries since the last reply

	mu      sync.Mutex // guards the fields below
	timer   *time.Timer
	pending bool // a probe is unanswered
	asking  bool // one is to be sent although the port is up
	missed  int  // probes without an answer in a row
	answers int  // verified replies since the port went down
	closed  bool
	news    []turned // not logged yet
	doubt   logs.Limiter
	doubted bool // the last suspicion was logged

	ticking sync.Mutex // held by a running tick; taken before mu
}

// turned is a change of state.
type turned struct {
	from, to State
	never    bool // no reply has ever verified
	said     bool // to be logged
	held     int  // suspicions that were not, before this one
}

func (j *judge) now() State { return State(j.state.Load()) }

// start begins the watchdog; the first probe comes soon, so that the states are
// known before they are needed, and at a time of its own for each port.
func (j *judge) start(tick func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.timer = time.AfterFunc(time.Duration(rand.Int64N(int64(time.Second))), tick)
}

// stop ends the probes and waits for one that is being sent.
func (j *judge) stop() {
	j.mu.Lock()
	j.closed = true
	if j.timer != nil {
		j.timer.Stop()
	}
	j.mu.Unlock()
	j.ticking.Lock() // once a tick that had begun is over
	defer j.ticking.Unlock()
}

// replied notes a verified reply of any kind.
func (j *judge) replied(now time.Duration) {
	j.lastReply.Store(int64(now))
	if j.futile.Load() != 0 {
		j.futile.Store(0)
	}
	if j.silent.Load() != 0 {
		j.silent.Store(0)
	}
	if j.now() != Up {
		j.revive()
	}
}

// revive counts a sign of life of a port that is not up: one clears a suspicion,
// several in a row bring back the dead.
func (j *judge) revive() {
	defer j.tell()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.missed = 0
	j.answers++
	if j.now() == Suspect || j.answers >= j.config.UpAfter {
		j.turn(Up)
	}
}

// silence notes that a request fell due although it was first sent at sent.
// Whatever verified since then shows that the port lives, and only this request
// is ignored (P83). One silent request has the port asked, several make it suspect.
func (j *judge) silence(sent time.Duration) {
	if time.Duration(j.lastReply.Load()) >= sent {
		return
	}
	switch silent := int(j.silent.Add(1)); {
	case j.now() != Up:
	case silent >= j.config.SuspectAfter:
		j.suspect()
	case j.probed:
		j.ask()
	}
}

// ask has a probe sent although nothing is held against the port yet, so that
// what is silent is known to be dead or alive before it is given up.
func (j *judge) ask() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed || j.pending || j.asking {
		return
	}
	j.asking = true
	j.timer.Reset(0)
}

// condemned says whether a conversation that the server is in may be taken for
// lost: it is dead, or several requests in a row found it silent and no probe
// says otherwise.
func (j *judge) condemned() bool {
	switch j.now() {
	case Down:
		return true
	case Suspect:
		return int(j.silent.Load()) >= j.config.SuspectAfter
	}
	return false
}

// suspect starts the probes; where there are none, silence is all there is to go by.
func (j *judge) suspect() {
	defer j.tell()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.now() != Up || j.closed {
		return
	}
	j.missed, j.answers = 0, 0
	if !j.probed {
		j.turn(Down)
		return
	}
	j.turn(Suspect)
	j.timer.Reset(0)
}

// refused notes that nobody listens on the port. An ICMP message can be forged,
// so it is a hint that starts the probes, not a proof.
func (j *judge) refused() {
	if j.probed {
		j.suspect()
	}
}

func (j *judge) announce() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.onTurn(j.now())
}

// turn changes the state; tell logs it. With mu held.
func (j *judge) turn(to State) {
	from := j.now()
	if from == to {
		return
	}
	j.state.Store(int32(to))
	j.answers = 0
	if to == Down {
		j.trickled.Store(int64(j.clock()))
	}
	if !j.closed { // else another endpoint of the same name may be told of by now
		j.onTurn(to)
	}
	n := turned{from: from, to: to, never: j.lastReply.Load() == 0, said: true}
	switch {
	case to == Suspect:
		n.held, j.doubted = j.doubt.Due(j.clock())
		n.said = j.doubted
	case to == Up && from == Suspect:
		n.said = j.doubted
	}
	j.news = append(j.news, n)
}

// tell logs the changes since it last did, with no lock held: whatever takes the
// log may be slow. A port that wavers is told of once a minute.
func (j *judge) tell() {
	j.mu.Lock()
	news := j.news
	j.news = nil
	j.mu.Unlock()
	for _, n := range news {
		switch n.to {
		case Up:
			if n.said {
				j.log.Info("the server answers again", "was", n.from.String())
			}
		case Suspect:
			if n.said {
				j.log.Warn("the server is silent; probing it, new requests prefer other servers", "suppressed", n.held)
			}
		case Down:
			hint := "no request and no probe was answered"
			if n.never && j.probed {
				hint = "it has never answered: is the address right, does it know this gateway and the same secret, does it answer Status-Server (else set health)?"
			}
			j.log.Error("the server is down", "hint", hint)
		}
	}
}

// tick sends a probe when one is due and sets the timer for the next.
func (j *judge) tick(now time.Duration) {
	j.ticking.Lock()
	defer j.ticking.Unlock()
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return
	}
	unheard := now - time.Duration(j.lastReply.Load())
	waits := j.pending // for the answer to the last probe, for a moment more
	due := !j.pending && (j.asking || j.now() != Up || j.lastReply.Load() == 0 || unheard >= j.config.Watchdog-watchdogJitter)
	if due {
		j.pending, j.asking = true, false
	}
	next := j.config.ProbeInterval + time.Duration(jitter()*float64(j.config.ProbeInterval))
	if j.now() == Up && !j.pending {
		next = j.config.Watchdog - unheard + time.Duration(rand.Int64N(int64(2*watchdogJitter))) - watchdogJitter
		next = max(next, 100*time.Millisecond)
	}
	if waits {
		next = j.config.ProbeInterval / 10
	}
	j.timer.Reset(next)
	j.mu.Unlock()
	if due {
		j.probe(j.probeEnded)
	}
}

// probeEnded notes whether a probe was answered. What an answer proves, replied
// has noted already.
func (j *judge) probeEnded(answered bool) {
	defer j.tell()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.pending = false
	if answered {
		j.missed = 0
	}
	if answered || j.closed {
		return
	}
	j.missed++
	j.answers = 0
	switch {
	case j.now() == Up && j.silent.Load() == 0 && j.missed == 1:
		// One lost probe of an idle port is asked again before anything is believed.
	case j.now() == Up:
		j.turn(Suspect)
	case j.now() == Suspect && j.missed >= j.config.DownAfter:
		j.turn(Down)
	}
}

// unasked notes that the probe could not be sent, which says nothing of the port.
func (j *judge) unasked() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.pending = false
}

// maxFutile bounds the pause between tries of a dead port: 2^2 probe intervals.
const maxFutile = 2

// trickle says whether a real request should try this dead port now: one after a
// probe interval, then after twice that and four times that, because each try keeps a
// client waiting; and at once after one that was answered.
func (j *judge) trickle(now time.Duration) bool {
	if j.probed || j.now() != Down {
		return false
	}
	last := j.trickled.Load()
	fresh := time.Duration(j.lastReply.Load()) > time.Duration(last)
	if !fresh && now-time.Duration(last) < j.config.ProbeInterval<<min(j.futile.Load(), maxFutile) {
		return false
	}
	if !j.trickled.CompareAndSwap(last, int64(now)) {
		return false
	}
	j.futile.Add(1)
	return true
}
