package relay

import (
	"hash/maphash"
	"time"

	"radsec-gw/metrics"
)

// keepAnswers is how long an answer is kept for a duplicate of its request: the
// lower end of the 5 to 30 s of RFC 5080 §2.2.2, because a RadSec client never
// resends on the same connection in ordinary operation. Those to CoA and
// Disconnect are kept as long as their Event-Timestamp would let a replayed
// request pass (RFC 5176 §6.3).
const keepAnswers = 5 * time.Second

// maxKept bounds the octets of kept answers on all connections together. Beyond it new
// answers are not kept, and a duplicate of their request is dropped: never
// relayed twice either way.
const maxKept = 32 << 20

// history is the last requests of one kind on a connection, by Identifier. Codes
// have separate Identifier spaces (RFC 9765 §4.2.1).
type history [256]recent

// recent is the last request with one Identifier.
type recent struct {
	hash   uint64        // of its octets, Request Authenticator included
	flight *request      // while it is unanswered
	answer []byte        // the answer as sent, from the buffers; nil when there is none or it is not kept
	until  time.Duration // when the answer and the hash expire; 0 while in flight, and when there is no answer
}

// admit reports whether the request is to be forwarded; if not, end is how it ends. One
// that repeats an earlier one octet by octet is not: in flight it is dropped, answered it
// gets the same answer again (RFC 5080 §2.2.2). Any other request with the Identifier
// replaces the earlier one, because the client has given that up (RFC 5080 §2.2.2); the
// comparison is of the whole packet, since a known client sends its second EAP
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
	repeats := last.hash == req.hash && (last.flight != nil || now < last.until)
	if repeats {
		n := copy(b.answer[:], last.answer) // none while in flight, and of one that was not kept
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

// repeat returns the outcome of a duplicate: it gets the kept answer, the first n octets
// of b.answer, or is dropped when there is none.
func (b *burst) repeat(n int) outcome {
	if n == 0 {
		return outcome{fate: metrics.FateDuplicateDropped}
	}
	b.answered = true
	return outcome{metrics.FateDuplicateAnswered, b.answer[:n]}
}

// supersede abandons a request whose Identifier the client uses anew. Requests must have
// left the batch before they are abandoned.
func (c *Connection) supersede(b *burst, old *request) {
	b.batch.Flush()
	old.abandon(metrics.FateSuperseded)
}

// track puts a request that is about to be started among those in flight.
func (c *Connection) track(req *request) {
	c.outstanding.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.v11 {
		c.inFlight11[req.view.Token()] = req
		return
	}
	last := &c.recent[req.Kind][req.view.Identifier()]
	last.hash, last.flight, last.until = req.hash, req, 0
}

// untrack removes a request from those in flight, and keeps its answer, if there is one,
// for duplicates. It reports false when the request is not in flight: it was abandoned.
func (c *Connection) untrack(req *request, answer []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.v11 {
		return c.untrack11(req)
	}
	h := c.recent[req.Kind]
	if h == nil || h[req.view.Identifier()].flight != req {
		return false
	}
	last := &h[req.view.Identifier()]
	last.flight = nil
	if len(answer) > 0 { // without one the same request again is a new try
		c.keep(last, answer, req.keepFor)
	}
	return true
}

// keep stores an answer for duplicates that arrive within a time. With mu held.
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

// forget clears the last request with an Identifier, and its answer. With mu held.
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

// close returns the memory of the answers, and the requests in flight: the history is no
// longer used. With the connection's mu held.
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
