package relay

import (
	"hash/maphash"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// keepAnswers is how long an answer is kept for a duplicate of its request: the least of
// the 5 to 30 s of RFC 5080 §2.2.2, because a RadSec client normally never resends on the
// same connection. The answer to a CoA or Disconnect is kept at least as long as its
// Event-Timestamp would be fresh in a replayed request (RFC 5176 §6.3).
const keepAnswers = 5 * time.Second

// keepAnswersDTLS is the same over DTLS: the most of the 5 to 30 s. There a client sends again what
// was lost, with growing pauses (2, 4, 8, 16 s), so that its last try may come 30 s after the first;
// relayed again, it would count twice in accounting.
const keepAnswersDTLS = 30 * time.Second

// keeping returns how long an answer on the connection is kept.
func (c *Connection) keeping() time.Duration {
	if c.origin.DTLS {
		return keepAnswersDTLS
	}
	return keepAnswers
}

// maxKept bounds the octets of kept answers on all connections together. Beyond it new
// answers are not kept, and a duplicate of such a request is dropped: no request is
// relayed twice.
const maxKept = 32 << 20

// history has the last request of one kind on a connection for each Identifier. Codes have
// separate Identifier spaces (RFC 9765 §4.2.1).
type history [256]recent

// recent is the last request with one Identifier.
type recent struct {
	hash   uint64        // of its octets, Request Authenticator included
	flight *request      // while it is unanswered
	answer []byte        // the answer as sent, from the buffers; nil if there is none or it is not kept
	until  time.Duration // when the answer and the hash expire; 0 while in flight, and if there is no answer
}

// admit reports whether the request is to be forwarded; if not, end is how it ends. A
// request that equals an earlier one is not forwarded: it is dropped if that is in flight,
// and gets the same answer again if that was answered (RFC 5080 §2.2.2). Any other request
// with the Identifier replaces the earlier one, for which the client no longer waits (RFC
// 5080 §2.2.2). Whole packets are compared, because some clients send their second EAP
// round with the Identifier and Request Authenticator of the first.
func (c *Connection) admit(b *burst, req *request) (end outcome, ok bool) {
	if c.v11 {
		return c.admit11(b, req)
	}
	p := req.view.Packet
	req.hash = maphash.Bytes(c.relay.seed, p)
	now := b.batch.Now()

	c.mu.Lock()
	h := c.recent[req.Kind]
	if h == nil {
		h = new(history)
		c.recent[req.Kind] = h
	}
	last := &h[p[1]]
	if last.repeats(req.hash, now) {
		n := copy(b.answer[:], last.answer) // 0 while in flight, and if the answer was not kept
		c.mu.Unlock()
		return b.repeat(n), false
	}
	old := last.flight
	c.forget(last)
	c.mu.Unlock()
	if old != nil {
		c.outstanding.Add(-1)
		c.supersede(b, old)
	}
	return outcome{}, true
}

// repeats reports whether a packet with a hash equals the request, which is in flight or was
// answered a moment ago.
func (r *recent) repeats(hash uint64, now time.Duration) bool {
	return r.hash == hash && (r.flight != nil || now < r.until)
}

// Repeats reports whether a packet equals a request that is in flight or was answered a moment
// ago. It changes nothing.
func (c *Connection) Repeats(p []byte) bool {
	kind := wire.KindOf(wire.Code(p[0]))
	if c.v11 || int(kind) >= len(c.recent) {
		return false
	}
	hash := maphash.Bytes(c.relay.seed, p)
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.recent[kind]
	if h == nil {
		return false
	}
	return h[p[1]].repeats(hash, c.relay.back.Now())
}

// repeat returns the outcome of a duplicate: it gets the kept answer, which is the first n
// octets of b.answer, or is dropped if n is 0.
func (b *burst) repeat(n int) outcome {
	if n == 0 {
		return outcome{fate: metrics.FateDuplicateDropped}
	}
	b.answered = true
	return outcome{metrics.FateDuplicateAnswered, b.answer[:n]}
}

// supersede abandons a request whose Identifier the client uses again. The batch is flushed
// first, because a request must not be abandoned while it is in the batch.
func (c *Connection) supersede(b *burst, old *request) {
	b.batch.Flush()
	old.abandon(metrics.FateSuperseded)
}

// track adds a request that is about to be started to those in flight.
func (c *Connection) track(req *request) {
	c.outstanding.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if req.spool != nil && req.started {
		c.armSpool(req.spoolAt)
	}
	if c.v11 {
		c.inFlight11[req.view.Token()] = req
		return
	}
	last := &c.recent[req.Kind][req.view.Identifier()]
	last.hash, last.flight, last.until = req.hash, req, 0
}

// untrack removes a request from those in flight, and keeps its answer, if there is one,
// for duplicates. It reports false if the request is not in flight: it was abandoned.
func (c *Connection) untrack(req *request, answer []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.untrackLocked(req, answer)
}

// untrackLocked is untrack with mu held.
func (c *Connection) untrackLocked(req *request, answer []byte) bool {
	if c.v11 {
		return c.untrack11(req)
	}
	h := c.recent[req.Kind]
	if h == nil || h[req.view.Identifier()].flight != req {
		return false
	}
	last := &h[req.view.Identifier()]
	last.flight = nil
	if len(answer) > 0 { // without an answer, the same request again is a new try
		c.keep(last, answer, req.keepFor)
	}
	return true
}

// keepOwn keeps an answer of the gateway's own to a request that was never in flight, for
// duplicates. In RADIUS/1.1 none is kept.
func (c *Connection) keepOwn(req *request, answer []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.v11 {
		return
	}
	last := &c.recent[req.Kind][req.view.Identifier()] // which admit has cleared
	last.hash = req.hash
	c.keep(last, answer, req.keepFor)
}

// keep keeps an answer for duplicates that arrive within a time. Called with mu held.
func (c *Connection) keep(last *recent, answer []byte, within time.Duration) {
	r := c.relay
	last.until = r.back.Now() + within
	if r.kept.Load() < maxKept {
		last.answer = r.back.Buffers.Copy(answer)
		r.kept.Add(int64(cap(last.answer)))
	}
	if c.armed {
		return
	}
	c.armed = true
	if c.expiry == nil {
		c.expiry = time.AfterFunc(keepAnswers, c.expire)
	} else {
		c.expiry.Reset(keepAnswers)
	}
}

// forget clears the last request with an Identifier, and its answer. Called with mu held.
func (c *Connection) forget(last *recent) {
	if last.answer != nil {
		c.relay.kept.Add(-int64(cap(last.answer)))
		c.relay.back.Buffers.Return(last.answer)
	}
	*last = recent{}
}

// expire removes the answers that have expired. It runs again while any is kept.
func (c *Connection) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.relay.back.Now()
	c.armed = false
	for _, h := range c.recent {
		if h == nil {
			continue
		}
		for i := range h {
			switch last := &h[i]; {
			case last.until == 0:
			case last.until <= now:
				c.forget(last)
			default:
				c.armed = true
			}
		}
	}
	if c.armed {
		c.expiry.Reset(keepAnswers)
	}
}

// close frees the memory of the answers, and returns the requests in flight. The history is
// not used afterwards. Called with the connection's mu held.
func (h *history) close(r *Relay) (inFlight []*request) {
	for i := range h {
		last := &h[i]
		if last.flight != nil {
			inFlight = append(inFlight, last.flight)
		}
		if last.answer != nil {
			r.kept.Add(-int64(cap(last.answer)))
			r.back.Buffers.Return(last.answer)
		}
	}
	return inFlight
}
