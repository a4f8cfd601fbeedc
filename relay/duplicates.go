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
	flight *exchange     // while it is unanswered
	answer []byte        // the answer as sent, from the buffers; nil when there is none or it is not kept
	until  time.Duration // when the answer and the hash are forgotten; 0 while in flight, and when there is no answer
}

// admit says whether the request is to be relayed. One that repeats an earlier
// one octet by octet is not: in flight it is dropped, answered it gets the same
// answer again (RFC 5080 §2.2.2). Any other request with the Identifier replaces
// the earlier one, because the client has given that up (RFC 5080 §2.2.2); the
// comparison is of the whole packet, since a known client sends its second EAP
// round with the Identifier and Request Authenticator of the first.
func (l *Link) admit(b *burst, x *exchange) (fresh bool) {
	if l.v11 {
		return l.admit11(b, x)
	}
	p := x.view.Packet
	x.hash = maphash.Bytes(l.gateway.seed, p)
	now := b.batch.Now()

	l.mu.Lock()
	h := l.recent[x.Kind]
	if h == nil {
		h = new(history)
		l.recent[x.Kind] = h
	}
	r := &h[p[1]]
	repeats := r.hash == x.hash && (r.flight != nil || now < r.until)
	if repeats && r.flight != nil {
		l.mu.Unlock()
		x.end(metrics.FateDuplicateDropped, nil)
		return false
	}
	if repeats {
		n := copy(b.answer[:], r.answer)
		l.mu.Unlock()
		return l.repeat(b, x, b.answer[:n])
	}
	old := r.flight
	l.forget(r)
	l.mu.Unlock()
	if old != nil {
		l.inflight.Add(-1)
		l.supersede(b, old)
	}
	return true
}

// repeat sends a kept answer again; an empty one was not kept.
func (l *Link) repeat(b *burst, x *exchange, answer []byte) bool {
	if len(answer) == 0 {
		x.end(metrics.FateDuplicateDropped, nil)
		return false
	}
	return l.reply(b, x, answer, metrics.FateDuplicateAnswered)
}

// supersede gives up a request whose Identifier the client uses anew. Exchanges
// must have left the batch before they are cancelled.
func (l *Link) supersede(b *burst, old *exchange) {
	b.batch.Flush()
	old.giveUp(metrics.FateSuperseded)
}

// inFlight remembers x until finish or forget.
func (l *Link) inFlight(x *exchange) {
	l.inflight.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.v11 {
		l.tokens[x.view.Token()] = x
		return
	}
	r := &l.recent[x.Kind][x.view.Identifier()]
	r.hash, r.flight, r.until = x.hash, x, 0
}

// finish ends x with an answer, or with none when answer is empty, and counts
// its fate. It reports false when the client is gone or has given x up: that
// has been counted then, and whoever did it may still be looking at x, so x is
// left to the garbage collector.
func (l *Link) finish(x *exchange, answer []byte, fate metrics.Fate) bool {
	l.mu.Lock()
	mine := false
	if l.v11 {
		mine = l.unplace(x)
	} else {
		mine = l.settle(x, answer)
	}
	l.mu.Unlock()
	if !mine {
		return false
	}
	if len(answer) > 0 && !l.peer.Send(answer) {
		fate, answer = l.unsent(), nil
	}
	l.inflight.Add(-1)
	x.end(fate, answer)
	l.gateway.recycle(x)
	return true
}

// settle ends x in the history, as finish does. With mu held.
func (l *Link) settle(x *exchange, answer []byte) bool {
	h := l.recent[x.Kind]
	if h == nil || h[x.view.Identifier()].flight != x {
		return false
	}
	r := &h[x.view.Identifier()]
	r.flight = nil
	if len(answer) > 0 { // without one the same request again is a new try
		l.keep(r, answer, max(keepAnswers, x.Window))
	}
	return true
}

// keep stores an answer for duplicates that come within a time. With mu held.
func (l *Link) keep(r *recent, answer []byte, within time.Duration) {
	g := l.gateway
	r.until = g.back.Now() + within
	if g.kept.Load() < maxKept {
		r.answer = g.back.Buffers.Copy(answer)
		g.kept.Add(int64(cap(r.answer)))
	}
	if l.armed {
		return
	}
	l.armed = true
	if l.expiry == nil {
		l.expiry = time.AfterFunc(keepAnswers, l.expire)
	} else {
		l.expiry.Reset(keepAnswers)
	}
}

// forget empties r. With mu held.
func (l *Link) forget(r *recent) {
	if r.answer != nil {
		l.gateway.kept.Add(-int64(cap(r.answer)))
		l.gateway.back.Buffers.Return(r.answer)
	}
	*r = recent{}
}

// expire forgets the answers whose time is over, and comes again while any is kept.
func (l *Link) expire() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.gateway.back.Now()
	l.armed = false
	for _, h := range l.recent {
		if h == nil {
			continue
		}
		for i := range h {
			switch r := &h[i]; {
			case r.until == 0:
			case r.until <= now:
				l.forget(r)
			default:
				l.armed = true
			}
		}
	}
	if l.armed {
		l.expiry.Reset(keepAnswers)
	}
}

// close lets go of the answers and returns what was in flight: the history is not used
// any more. With the link's mu held.
func (h *history) close(g *Gateway) (inFlight []*exchange) {
	for i := range h {
		r := &h[i]
		if r.flight != nil {
			inFlight = append(inFlight, r.flight)
		}
		if r.answer != nil {
			g.kept.Add(-int64(cap(r.answer)))
			g.back.Buffers.Return(r.answer)
		}
	}
	return inFlight
}
