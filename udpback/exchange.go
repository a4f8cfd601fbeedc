package udpback

import (
	"math/rand/v2"
	"time"

	"radsec-gw/config/defaults"
	"radsec-gw/locks"
	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// Failure says why an exchange ended without a reply to relay.
type Failure uint8

const (
	FailSilent        Failure = iota // the server stayed silent to the end of the schedule
	FailProtocolError                // the server answered with a verified Protocol-Error (RFC 7930 §4)
	FailShutdown                     // the gateway is stopping
	FailRefused                      // ICMP says that nothing listens on the port; CoA and Disconnect only (RFC 5176 §3.5)
	FailUnverified                   // as FailSilent, but replies arrived that did not verify; see Exchange.Ignored
)

// Hop is the way between the gateway and a server: what both sides know of each other.
type Hop struct {
	Server *Server
	Secret *wire.ServerSecret
}

// Handler is the owner of an exchange. Its methods are called one at a time. What is
// written is signed with the rest of its batch, by d.Run, which the caller of the method
// calls: see wire.Digests.
type Handler interface {
	// Write puts the copy for the server to under id into dst, which holds
	// wire.MaxLength octets, and returns its length. It is called again, with
	// another server and Identifier, when the request moves to another server (RFC
	// 2865 §2.5: that is a new request).
	Write(d *wire.Digests, dst []byte, to Hop, id wire.ServerID) (int, error)

	// Reply handles the verified reply, which answers a request with the Request
	// Authenticator sent; both are valid during the call only. It writes the packet for
	// the client into dst, which holds wire.MaxLength octets, and returns its length; 0:
	// there is none.
	Reply(d *wire.Digests, dst []byte, reply *wire.View, sent *[16]byte, from Hop) int

	// Deliver follows Reply with the packet that it wrote, which is signed by now, and
	// valid during the call only. It ends the exchange: udpback does not touch it again.
	// The connection that is given the answer is added to touched, and flushed once the
	// whole batch has been delivered.
	Deliver(packet []byte, touched *Touched)

	// Fail ends the exchange without a reply; cause is the Error-Cause of a
	// Protocol-Error, else 0. Afterwards udpback does not touch the exchange again.
	// The connection that is given an answer is added to touched, as by Deliver.
	Fail(h *wire.Hasher, why Failure, cause uint32, touched *Touched)
}

// Exchange is one request of a client while a server works on it. Its owner
// embeds it, sets the first group of fields, and hands it to Group.Start.
type Exchange struct {
	// set by the owner before Start, and not changed after it
	Handler Handler
	Code    wire.Code // of the request
	Kind    wire.Kind
	Quota   *Quota // of the client; nil when there is only one
	// Window is how far from now the Event-Timestamp of a reply may be, either way; 0: it
	// is not checked. It is for CoA and Disconnect (RFC 5176 §6.3). One outside is
	// reported, and dropped if DropStale is set.
	Window    time.Duration
	DropStale bool
	HasState  bool // the request has a State
	// Source is the local address that the request is sent from; nil: the server's own.
	Source *Source
	// Needed where Group.Chooses.
	Key          uint64 // the same for all rounds of a conversation; see Hash
	StateHash    uint64 // Hash of the State
	Conversation bool   // one of several rounds, as EAP is: Key decides, not load

	// owned by whoever holds the exchange: Start, then the slot
	progress

	mu         locks.Mutex[locks.Exchange] // guards the fields below
	use        uint64                      // counts the Starts, so that a reference to an earlier one is noticed
	socket     *socket                     // that it waits on; nil: none yet
	id         wire.ServerID
	generation uint32 // of the slot
	cancelled  bool
	ended      bool        // with a reply or without one
	reject     *keptReject // of a server that it was moved on from; nil: none
}

// progress is the state of an exchange since it was started.
type progress struct {
	group     *Group        // nil for the gateway's own checks
	schedule  *Schedule     // instead of the server's; nil: the server's
	ep        *endpoint     // that has it, or had it last
	sends     int           // transmissions to its previous servers
	members   *members      // of the group, when tried was last written
	tried     uint64        // a bit for each of the members that it was sent to
	declined  uint64        // a bit for each that has said that it cannot carry the request on: see OtherServerMayAnswer
	trying    bool          // it only tries the server that has it
	prior     priorSchedule // what it was sent by another socket of the same server
	firstSent time.Duration // when it was first sent to the server that has it, by any of its sockets; 0: not yet
	startedAt time.Duration // on the Backend's clock, when Start was called
	why       string        // it was sent to the server that has it; "" while nobody observes
	ignored   Ignored       // replies that did not verify
	deadline  time.Duration // when the client's one schedule ends, whichever server has it; 0: not set
}

// priorSchedule is the state of a schedule that continues at another socket of the same
// server.
type priorSchedule struct {
	sends int32         // transmissions; 0: the schedule begins
	first time.Duration // when the first was
	wait  time.Duration // the current RT
	due   time.Duration // when the wait is over; 0: it is

	overdue   bool // counted against the port's health
	sentEarly bool // one of the transmissions was early
}

// Served returns the server and its port that had the exchange last, and how many times
// the request was sent in all. It is for the owner, when the exchange has ended or its
// reply has arrived.
func (ex *Exchange) Served() (server string, port metrics.Port, sends int) {
	if ex.ep == nil {
		return "", "", 0
	}
	return ex.ep.server.Name, ex.ep.label, ex.sends
}

// Ignored is what is known of the replies to one request that did not verify, from any of
// the servers that it was sent to.
type Ignored struct {
	Count  int            // 0: there were none
	Why    metrics.Result // of the last
	Server string         // that the last came from
}

// Ignored returns what is known of the replies that did not verify. It is for the owner,
// when the exchange has ended or its reply has arrived.
func (ex *Exchange) Ignored() Ignored { return ex.ignored }

// silent returns why an exchange ends whose schedule is over.
func (ex *Exchange) silent() Failure {
	if ex.ignored.Count > 0 {
		return FailUnverified
	}
	return FailSilent
}

// ClearServed makes Served and Ignored report nothing: for an owner that
// uses it again.
func (ex *Exchange) ClearServed() { ex.ep, ex.ignored = nil, Ignored{} }

// Cancel ends the exchange for its owner: it is not resent and its reply, if
// one still arrives, is counted and dropped (RFC 6613 §2.6.1). The Identifier
// stays taken until then or until the schedule's end (RFC 5080 §2.2.2).
//
// It reports whether the exchange was still waiting. When it was not, Reply or Fail has
// been called or will be: the owner must be ready for it. The same holds while the
// exchange is in a batch that has not been flushed, while it moves to another server, and
// while a reply of its previous server is being handled; it is not resent then, and ends
// by the schedule's end.
func (ex *Exchange) Cancel() bool {
	ex.mu.Lock()
	ex.cancelled = true
	ex.reject.release()
	ex.reject = nil
	s, id, generation := ex.socket, ex.id, ex.generation
	ex.mu.Unlock()
	return s != nil && s.abandon(id, generation, ex)
}

// reclaim ends the wait at the server that the exchange moved to, because of a reply from
// its previous server (RFC 5080 §2.2.2: the first valid reply wins). It reports false
// when the exchange has ended or been cancelled, or is moving again.
func (ex *Exchange) reclaim(use uint64) bool {
	ex.mu.Lock()
	s, id, generation := ex.socket, ex.id, ex.generation
	waits := ex.use == use && s != nil && !ex.cancelled
	ex.mu.Unlock()
	return waits && s.abandon(id, generation, ex)
}

func (ex *Exchange) isCancelled() bool {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	return ex.cancelled
}

// useCount returns the number of Starts so far.
func (ex *Exchange) useCount() uint64 {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	return ex.use
}

// setSlot records where the exchange waits. It reports false when the exchange was
// cancelled before.
func (ex *Exchange) setSlot(s *socket, id wire.ServerID, generation uint32) bool {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	ex.socket, ex.id, ex.generation = s, id, generation
	return !ex.cancelled
}

// reset makes the exchange ready for Start.
func (ex *Exchange) reset(g *Group, now time.Duration) {
	ex.progress = progress{group: g, startedAt: now}
	ex.mu.Lock()
	defer ex.mu.Unlock()
	ex.use++
	ex.socket, ex.cancelled, ex.ended = nil, false, false
}

// tryWait is how long a request that only tries a server waits there before it goes
// to a better one as well: short enough that no user notices.
const tryWait = 30 * time.Millisecond

// moveAt returns when an exchange that is sent now looks for another server although it
// is not due; 0: never.
func (ex *Exchange) moveAt(now time.Duration) time.Duration {
	switch {
	case ex.group == nil, !movable(ex.Kind):
		return 0
	case ex.trying:
		return now + min(tryWait, ex.group.patience)
	}
	return ex.unansweredSince() + ex.group.patience
}

// unansweredSince returns since when the server has left the exchange unanswered: when it
// was first sent to the address that the server has now. A new socket to the same address
// does not restart the wait.
func (ex *Exchange) unansweredSince() time.Duration {
	return max(ex.firstSent, time.Duration(ex.ep.addressSince.Load()))
}

// Schedule holds the four retransmission parameters of RFC 5080 §2.2.1.
// A zero field means its default, which is in package defaults.
type Schedule struct {
	Initial  time.Duration // IRT: the first wait, before jitter
	Max      time.Duration // MRT: no wait is longer, before jitter
	Count    int           // MRC: transmissions in all, the first included
	Duration time.Duration // MRD: the request has failed by then
}

// withDefaults fills the fields that are zero.
func (s Schedule) withDefaults() Schedule {
	if s.Initial == 0 {
		s.Initial = defaults.RetransmitInitial
	}
	if s.Max == 0 {
		s.Max = defaults.RetransmitMax
	}
	if s.Count == 0 {
		s.Count = defaults.RetransmitCount
	}
	if s.Duration == 0 {
		s.Duration = defaults.RetransmitDuration
	}
	return s
}

// first returns the wait after the first transmission: IRT ± 10 % (RFC 5080 §2.2.1).
func (s *Schedule) first(jitter float64) time.Duration {
	return vary(s.Initial, jitter)
}

// next returns the wait that follows prev: twice that ± 10 % of prev, and about MRT once
// that would exceed it (RFC 5080 §2.2.1).
func (s *Schedule) next(prev time.Duration, jitter float64) time.Duration {
	rt := 2*prev + time.Duration(jitter*float64(prev))
	if rt > s.Max {
		return vary(s.Max, jitter)
	}
	return rt
}

// Waits returns the waits that follow the transmissions of a request that stays
// unanswered, those that begin before it has failed. jitter, from -0.1 to 0.1, lengthens
// each wait by that part.
func (s Schedule) Waits(jitter float64) (waits []time.Duration) {
	s = s.withDefaults()
	at, wait := time.Duration(0), s.first(jitter)
	for at < s.Duration && len(waits) < s.Count {
		waits = append(waits, wait)
		at += wait
		wait = s.next(wait, jitter)
	}
	return waits
}

func vary(d time.Duration, jitter float64) time.Duration {
	return d + time.Duration(jitter*float64(d))
}

// jitter draws the RAND of RFC 5080 §2.2.1, uniform in ±0.1. It keeps many
// requests from resending in step; nothing secret depends on it.
func jitter() float64 {
	return (rand.Float64() - 0.5) / 5
}
