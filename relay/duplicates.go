package relay

import (
	"hash/maphash"
	"time"

	"radsec-gw/metrics"
)

// keepAnswers is how long an answer is kept for a duplicate of its request: the
// lower end of the 5 to 30 s of RFC 5080 §2.2.2, because a RadSec client never
// resends on the same connection in ordinary operation. Those to CoA and
// Disconnect are kept as long as their Event-Timestamp would let a recorded
// request pass (RFC 5176 §6.3).
const keepAnswers = 5 * time.Second

// maxKept bounds the octets of kept answers on all links together. Beyond it new
// answers are not kept, and a duplicate of their request is dropped: never
// relayed twice either way.
const maxKept = 32 << 20

// history is what a connection sent of one kind lately, by Identifier. Codes
// have separate Identifier spaces (RFC 9765 §4.2.1).
type history [256]recent

// recent is the last request with one Identifier.
type recent struct {
	hash   uint64        // of its octets, Request Authenticator included
	flight *request      // while it is unanswered
	answer []byte        // the answer as sent, from the buffers; nil when there is none or it is not kept
	until  time.Duration // when the answer and the hash are forgotten; 0 while in flight, and when there is no answer
}

// admit says whether the request is to be relayed. One that repeats an earlier
// one octet by octet is not: in flight it is dropped, answered it gets the same
// answer again (RFC 5080 §2.2.2). Any other request with the Identifier replaces
// the earlier one, because the client has given that up (RFC 5080 §2.2.2); the
// comparison is of the whole packet, since a known client sends its second EAP
// round with the Identifier and Request Authenticator of the first.
func (c *Connection) admit(b *burst, req *request) (fresh bool) {
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
	if repeats && last.flight != nil {
		c.mu.Unlock()
		req.recordFate(metrics.FateDuplicateDropped, nil)
		return false
	}
	if repeats {
		n := copy(b.answer[:], last.answer)
		c.mu.Unlock()
		return c.resendAnswer(b, req, b.answer[:n])
	}
	old := last.flight
	c.forget(last)
	c.mu.Unlock()
	if old != nil {
		c.outstanding.Add(-1)
		c.supersede(b, old)
	}
	return true
}

// repeat sends a kept answer again; an empty one was not kept.
func (c *Connection) resendAnswer(b *burst, req *request, answer []byte) bool {
	if len(answer) == 0 {
		req.recordFate(metrics.FateDuplicateDropped, nil)
		return false
	}
	return c.sendAnswer(b, req, answer, metrics.FateDuplicateAnswered)
}

// supersede gives up a request whose Identifier the client uses anew. Exchanges
// must have left the batch before they are cancelled.
func (c *Connection) supersede(b *burst, old *request) {
	b.batch.Flush()
	old.abandon(metrics.FateSuperseded)
}

// inFlight remembers x until finish or forget.
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

// finish ends x with an answer, or with none when answer is empty, and counts
// its fate. It reports false when the client is gone or has given x up: that
// has been counted then, and whoever did it may still be looking at x, so x is
// left to the garbage collector.
func (c *Connection) finish(req *request, answer []byte, fate metrics.Fate) bool {
	c.mu.Lock()
	mine := false
	if c.v11 {
		mine = c.untrackToken(req)
	} else {
		mine = c.untrackIdentifier(req, answer)
	}
	c.mu.Unlock()
	if !mine {
		return false
	}
	if len(answer) > 0 && !c.peer.Send(answer) {
		fate, answer = c.unsentFate(), nil
	}
	c.outstanding.Add(-1)
	req.recordFate(fate, answer)
	c.relay.recycle(req)
	return true
}

// settle ends x in the history, as finish does. With mu held.
func (c *Connection) untrackIdentifier(req *request, answer []byte) bool {
	h := c.recent[req.Kind]
	if h == nil || h[req.view.Identifier()].flight != req {
		return false
	}
	last := &h[req.view.Identifier()]
	last.flight = nil
	if len(answer) > 0 { // without one the same request again is a new try
		c.keep(last, answer, max(keepAnswers, req.Window))
	}
	return true
}

// keep stores an answer for duplicates that come within a time. With mu held.
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

// forget empties r. With mu held.
func (c *Connection) forget(last *recent) {
	if last.answer != nil {
		c.relay.kept.Add(-int64(cap(last.answer)))
		c.relay.back.Buffers.Return(last.answer)
	}
	*last = recent{}
}

// expire forgets the answers whose time is over, and comes again while any is kept.
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

// close lets go of the answers and returns what was in flight: the history is not used
// any more. With the link's mu held.
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
