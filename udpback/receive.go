package udpback

import (
	"errors"
	"time"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/udpback/datagram"
	"radsec-gw/udpback/health"
	"radsec-gw/wire"
)

// receiver handles a batch of replies. A reader acquires one when there is something to
// read.
type receiver struct {
	// static after construction
	verify, sign *wire.Digests

	// owned by the reader that has it
	socket     *socket // of the reader
	candidates [datagram.BatchSize]candidate
	n          int
	written    []written
	arena      arena
	touched    Touched
}

// candidate is one datagram that may be a reply, and what its slot held when it was
// parsed.
type candidate struct {
	view       wire.View
	id         wire.ServerID
	generation uint32
	code       wire.Code     // of the request
	sent       [16]byte      // its Request Authenticator
	firstSent  time.Duration // when it was first sent here
	window     time.Duration // for its Event-Timestamp; 0: not checked
	dropStale  bool          // one outside of the window is dropped
	stale      bool          // it is outside
	kept       bool          // a Reject that waits for the reply of the next server
	ticket     wire.Ticket
	good       bool           // not rejected so far
	result     metrics.Result // of one that is rejected
	datagram   []byte         // without what follows the packet
	ex         *Exchange
	previous   previous // the exchange that has moved on from the slot
}

// written is a reply that waits for its signature.
type written struct {
	ex     *Exchange
	packet []byte
}

// handle ends the exchanges that a batch of datagrams answers. Anything that
// does not verify is counted and ignored: the schedule goes on as if nothing
// had arrived (RFC 2865 §2.3).
//
//  1. Well formed, and an Identifier that waits (RFC 2865 §3).
//  2. A Code that answers the request, and digests over what was really sent,
//     of all datagrams together.
//  3. The slots are freed. A slot that was freed meanwhile was already answered.
//  4. Each owner writes what its client gets, all are signed together and delivered.
func (r *receiver) handle(in *datagram.Inbox) {
	now := r.socket.ep.server.backend.Now()
	r.parse(in)         // 1
	r.check()           // 2
	r.freeAnswered(now) // 3
	for i := range r.candidates[:r.n] {
		if c := &r.candidates[i]; c.ex != nil {
			r.socket.ep.metrics.ObserveReply(now - c.firstSent)
			r.answer(c) // 4
			c.ex = nil
		}
	}
	r.deliver()
	r.touched.Flush()
}

// parse collects the datagrams that are packets, and copies what their slots hold.
func (r *receiver) parse(in *datagram.Inbox) {
	s := r.socket
	r.n = 0
	octets := 0
	defer func() { s.ep.metrics.Count(metrics.ServerReceivedOctets, octets) }()
	for i := range in.Len() {
		c := &r.candidates[r.n]
		d := in.Datagram(i)
		octets += len(d)
		// Octets beyond Length are padding and ignored (RFC 2865 §3).
		n, err := wire.Cut(d)
		c.result = metrics.ReplyAccepted
		if err != nil || c.view.Parse(d[:n]) != nil {
			s.ep.metrics.CountReply(metrics.ReplyMalformed)
			if len(d) < wire.MinLength {
				continue
			}
			c.result = metrics.ReplyMalformed
		}
		c.id, c.datagram = wire.ServerID(d[1]), d
		if err == nil {
			c.datagram = d[:n]
		}
		r.n++
	}
	s.mu.Lock()
	for i := range r.candidates[:r.n] {
		c := &r.candidates[i]
		sl := s.slot(c.id)
		c.good = sl.state != slotFree && sl.state != slotReserved && c.result == metrics.ReplyAccepted
		c.generation, c.code, c.sent, c.firstSent = sl.generation, sl.code, sl.sent, sl.firstSent
		c.window, c.stale, c.kept = 0, false, false
		if sl.ex != nil {
			c.window, c.dropStale = sl.ex.Window, sl.ex.DropStale
		}
	}
	s.mu.Unlock()
}

// check keeps the candidates that verify.
func (r *receiver) check() {
	srv, m := r.socket.ep.server, r.socket.ep.metrics
	for i := range r.candidates[:r.n] {
		c := &r.candidates[i]
		switch {
		case c.result == metrics.ReplyMalformed:
		case !c.good:
			c.result = metrics.ReplyUnmatched
			m.CountReply(c.result)
		case !rejectsStatusServer(c) && !wire.Answers(c.code, c.view.Code()) || namesOtherCode(c):
			c.good, c.result = false, metrics.ReplyWrongCode
			m.CountReply(c.result)
		default:
			var err error
			if c.ticket, err = r.verify.VerifyReply(&c.view, c.code, &c.sent, r.socket.set.secret(), srv.settings.Load().requireMA); err != nil {
				r.drop(c, err)
			}
		}
	}
	r.verify.Run()
	for i := range r.candidates[:r.n] {
		if c := &r.candidates[i]; c.good {
			if err := r.verify.Result(c.ticket); err != nil {
				r.drop(c, err)
			} else {
				r.checkTimestamp(c)
			}
		}
	}
}

// checkTimestamp checks that the Event-Timestamp, if there is one, is within the window.
// If it is not, the reply is a replay, or from a machine whose clock is wrong (RFC 5176
// §6.3).
func (r *receiver) checkTimestamp(c *candidate) {
	if c.window == 0 {
		return
	}
	now := time.Now()
	age, ok := c.view.EventAge(now)
	if !ok || age.Abs() <= c.window {
		return
	}
	c.stale, c.good = true, !c.dropStale
	r.socket.ep.log.staleReply(c, now)
	if !c.good {
		c.result = metrics.ReplyStaleTimestamp
		r.socket.ep.metrics.CountReply(c.result)
	}
}

// rejectsStatusServer reports whether an Access-Reject answers a Status-Server of ours: RFC 5997
// §2 lets a server send one, and it shows that the port is alive as an Access-Accept
// does.
func rejectsStatusServer(c *candidate) bool {
	return c.code == radius.CodeStatusServer && c.view.Code() == radius.CodeAccessReject
}

// namesOtherCode reports whether a Protocol-Error names another Code than that of the
// request whose Identifier it has (RFC 7930 §4, draft-dekok-protocol-error §6).
func namesOtherCode(c *candidate) bool {
	original, ok := c.view.OriginalCode()
	return ok && c.view.Code() == wire.CodeProtocolError && original != c.code
}

// drop counts and reports a reply that does not verify.
func (r *receiver) drop(c *candidate, err error) {
	c.good, c.result = false, resultOf(err)
	r.socket.ep.metrics.CountReply(c.result)
	r.socket.ep.log.unverifiedReply(r.socket.set.source, err)
}

// resultOf returns the metrics' name of an error of VerifyReply.
func resultOf(err error) metrics.Result {
	switch {
	case errors.Is(err, wire.ErrResponseAuthenticator):
		return metrics.ReplyBadResponseAuthenticator
	case errors.Is(err, wire.ErrNoMessageAuthenticator):
		return metrics.ReplyMissingMessageAuthenticator
	}
	return metrics.ReplyBadMessageAuthenticator
}

// freeAnswered frees the slots that were answered, and sets the exchanges of the
// candidates. An exchange stays nil when none waits for the reply. A reply to a request
// that is moving is ignored: the next server answers it, or if the move fails the request
// is resent here, and the server repeats its reply (RFC 5080 §2.2.2).
func (r *receiver) freeAnswered(now time.Duration) {
	s := r.socket
	freed, verified, took := 0, false, time.Duration(-1)
	s.mu.Lock()
	r.noteIgnored()
	r.observeReplies()
	for i := range r.candidates[:r.n] {
		c := &r.candidates[i]
		if !c.good {
			continue
		}
		verified, s.repliedAt = true, now
		if sl := s.slot(c.id); sl.generation == c.generation && sl.state != slotMoving {
			c.previous = sl.previous
			if !sl.uncounted {
				freed++
			}
			c.ex = s.free(c.id)
		}
	}
	s.mu.Unlock()
	s.ep.addOutstanding(-freed)
	for i := range r.candidates[:r.n] {
		c := &r.candidates[i]
		r.matchPrevious(c)
		if c.good && c.code != radius.CodeStatusServer && (c.ex == nil || c.ex.group != nil) {
			took = max(took, now-c.firstSent)
		}
	}
	if verified && s.current() {
		r.noteReplies(now, took)
	}
	for i := range r.candidates[:r.n] {
		if c := &r.candidates[i]; c.good && c.ex == nil && !c.kept {
			s.ep.metrics.CountReply(metrics.ReplyUnmatched)
		}
	}
}

// noteIgnored notes with the exchanges that wait which replies to them are ignored because
// they do not verify. With socket.mu held.
func (r *receiver) noteIgnored() {
	for i := range r.candidates[:r.n] {
		c := &r.candidates[i]
		if c.good || c.result == metrics.ReplyUnmatched || c.result == metrics.ReplyStaleTimestamp {
			continue
		}
		if sl := r.socket.slot(c.id); sl.state == slotWaiting && sl.generation == c.generation {
			sl.ex.ignored = Ignored{Count: sl.ex.ignored.Count + 1, Why: c.result, Server: r.socket.ep.server.Name}
		}
	}
}

// noteReplies notes verified replies in the port's health; took is how long the slowest
// answer to a request took, below zero when there is none. The answer to a check is
// reported by the check.
func (r *receiver) noteReplies(now, took time.Duration) {
	s := r.socket
	if s.ep.unreachableAt.Load() != 0 {
		s.ep.unreachableAt.Store(0)
	}
	if took >= 0 {
		s.set.heard.Store(true)
		s.ep.health.Answered(now, took)
		s.ep.noteProven()
	}
}

// matchPrevious sets the exchange of a reply to a request that has moved from this server
// to another, if that one has not answered yet. A "not routable" from the previous server
// is ignored, and a Reject kept where the route asks the next server after one.
func (r *receiver) matchPrevious(c *candidate) {
	s := r.socket
	prev := c.previous
	c.previous = previous{}
	if prev.ex == nil || otherMayAnswer(&c.view) || r.keepLateReject(c, prev) || !prev.ex.reclaim(prev.use) {
		return
	}
	c.ex = prev.ex
	if c.ex.ep != s.ep && !prev.trying {
		s.ep.log.lateAnswer(s.ep.server.backend.Now()-c.firstSent, c.ex.group.patience)
	}
	c.ex.ep = s.ep
}

// answer has the owner write the packet for its client.
func (r *receiver) answer(c *candidate) {
	s := r.socket
	ex, reply := c.ex, &c.view
	if reply.Code() == wire.CodeProtocolError {
		s.ep.metrics.CountReply(metrics.ReplyProtocolError)
		r.protocolError(ex, reply)
		return
	}
	result := metrics.ReplyAccepted
	if c.stale {
		result = metrics.ReplyStaleTimestamp
	}
	s.ep.metrics.CountReply(result)
	if ex.group != nil { // not a check
		s.ep.metrics.CountAnswer(reply.Code())
	}
	if ex.asksNext() {
		if reply.Code() == radius.CodeAccessReject {
			r.rejected(c)
			return
		}
		ex.takeReject().release()
	}
	if g := ex.group; g != nil && reply.HasState() && g.Chooses() {
		g.rememberIssuer(ex, reply.State())
	}
	if r.sign.Full() || r.arena.full() {
		r.deliver()
	}
	dst := r.arena.space()
	n := ex.Handler.Reply(r.sign, dst, reply, &c.sent, s.hop())
	r.arena.use(n)
	r.written = append(r.written, written{ex, dst[:n]})
}

// deliver signs the packets written and passes them to their owners.
func (r *receiver) deliver() {
	r.sign.Run()
	for i, w := range r.written {
		w.ex.Handler.Deliver(w.packet, &r.touched)
		r.written[i] = written{}
	}
	r.written = r.written[:0]
	r.arena.reset()
}

// OtherServerMayAnswer reports whether the Error-Cause of a Protocol-Error concerns only
// the server that sent it and those behind it, so that another may answer. It is 502 (not
// routable), 505 (proxy error) or 506 (no resources; RFC 9765 §6.1).
func OtherServerMayAnswer(cause uint32) bool {
	const notRoutable, proxyError, resources = 502, 505, 506
	return cause == notRoutable || cause == proxyError || cause == resources
}

// otherMayAnswer reports whether a reply is a Protocol-Error with such an Error-Cause.
func otherMayAnswer(reply *wire.View) bool {
	return reply.Code() == wire.CodeProtocolError && OtherServerMayAnswer(reply.ErrorCause())
}

// protocolError ends the schedule of an exchange that its server cannot carry
// on. If the error concerns only this server, the request is tried on the group's next
// server; otherwise it fails (RFC 7930 §4, P97).
func (r *receiver) protocolError(ex *Exchange, reply *wire.View) {
	s := r.socket
	batch := s.ep.server.backend.AcquireBatch()
	defer s.ep.server.backend.ReleaseBatch(batch)
	if otherMayAnswer(reply) && ex.group != nil && movable(ex.Kind) && ex.group.hasUntried(ex, health.Failing) {
		ex.declined |= ex.members.bit(s.ep.server)
		s.observeMove(ex, "the server cannot route it or has no resources (Protocol-Error)")
		err := ex.group.moveToServer(ex, batch, health.Failing)
		batch.Flush()
		if err == nil {
			s.ep.metrics.Count(metrics.ServerMoved, 1)
			return
		}
	}
	ex.fail(batch.Hasher, FailProtocolError, reply.ErrorCause(), &r.touched)
}
