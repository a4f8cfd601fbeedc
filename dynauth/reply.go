package dynauth

import (
	"errors"
	"fmt"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/rules"
	"radsec-gw/wire"
)

// Replies are packets of one client's connection that may answer requests which were sent
// down it. It belongs to the connection's read loop, from AcquireReplies to Release.
type Replies struct {
	// static after construction
	server *Server
	sign   *wire.Digests

	link *Link
	list []reply
	out  outbox
	used int // of packets
	done []finished

	outcomes []Outcome

	packets [maxReplies][wire.MaxLength]byte
}

// maxReplies is how many replies are handled together.
const maxReplies = 8

// reply is one packet.
type reply struct {
	view   wire.View // of a copy
	match  match
	ticket wire.Ticket
}

// match is the request that a reply has the Identifier of, as it was when the reply arrived.
type match struct {
	id   wire.ReverseID
	seq  uint64
	code wire.Code
	sent [16]byte
	// secret is the client's, as it was then
	secret *wire.ClientSecret
	late   bool // it was not answered in time
	// doubtful says that an earlier request with the Identifier was not answered in time: what
	// does not verify may be the answer to that.
	doubtful bool
}

// finished is an answer that waits for its signature.
type finished struct {
	req    *request
	fate   metrics.Fate
	packet int
	length int
}

func newReplies(s *Server) *Replies { return &Replies{server: s, sign: wire.NewDigests()} }

// AcquireReplies returns Replies for a connection, which must be released.
func (l *Link) AcquireReplies() *Replies {
	r := l.server.replies.Get().(*Replies)
	r.link = l
	return r
}

// Release returns the memory after Finish.
func (r *Replies) Release() {
	r.link = nil
	r.server.replies.Put(r)
}

// Expects reports whether a packet may be an answer to a request that was sent down the
// connection: see Add.
func (l *Link) Expects(v *wire.View) bool {
	_, ok := l.match(v)
	return ok
}

// Full reports whether Finish must come before another Add.
func (r *Replies) Full() bool { return len(r.list) == maxReplies }

// Add adds a packet that is not a request, if it may answer one that was sent down the
// connection: if it is one of the answers to CoA and Disconnect with the Identifier, or Token,
// of one that waits, or has waited in vain. Anything else is not ours, and Add reports false
// (RC12). Its digests are computed with those of d, whose Run must come before Finish. An error
// ends the connection.
func (r *Replies) Add(d *wire.Digests, v *wire.View) (ok bool, err error) {
	m, ok := r.link.match(v)
	if !ok {
		return false, nil
	}
	copied := *v
	copied.Packet = r.server.buffers.Copy(v.Packet)
	ticket, err := d.VerifyReverseReply(&copied, &m.sent, m.secret)
	if err != nil {
		r.server.buffers.Return(copied.Packet)
		return true, r.wrong(v, err)
	}
	r.list = append(r.list, reply{copied, m, ticket})
	return true, nil
}

// wrong returns the error of a reply that does not verify.
func (r *Replies) wrong(v *wire.View, err error) error {
	return fmt.Errorf("%s of client %q: %w", wire.CodeName(v.Code()), r.link.client.name, err)
}

// match returns the request that a reply has the Identifier and the Code of.
func (l *Link) match(v *wire.View) (m match, ok bool) {
	m.id = wire.ReverseID(v.Identifier())
	if l.V11 {
		m.id = wire.ReverseID(v.Token())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	i := l.find(m.id)
	if i < 0 {
		return m, false
	}
	s := &l.slots[i]
	if s.state != slotSent && s.state != slotLate || !wire.Answers(s.code, v.Code()) {
		return m, false
	}
	m.seq, m.code, m.sent, m.secret, m.late = s.seq, s.code, s.sent, s.secret, s.state == slotLate
	m.doubtful = !l.V11 && l.overdue.has(byte(m.id))
	return m, true
}

// Outcome is how a reply ended.
type Outcome struct {
	Fate metrics.Fate
	Err  error // why the connection must be closed; nil: it need not
}

// Finish handles the replies that were added, after the Run of their Digests. It returns the
// outcome of each, valid until the next Add.
func (r *Replies) Finish(d *wire.Digests) []Outcome {
	r.outcomes = r.outcomes[:0]
	record := func(f metrics.Fate, err error) { r.outcomes = append(r.outcomes, Outcome{f, err}) }
	for i := range r.list {
		p := &r.list[i]
		switch err := d.Result(p.ticket); {
		case err == nil && p.match.late:
			r.link.settle(p.match.id, p.match.seq)
			record(metrics.FateLateAnswer, nil)
		case err != nil && p.match.doubtful:
			record(metrics.FateLateAnswer, nil)
		case errors.Is(err, wire.ErrMessageAuthenticator):
			record(metrics.FateBadMessageAuthenticator, r.wrong(&p.view, err))
		case err != nil:
			record(metrics.FateBadResponseAuthenticator, r.wrong(&p.view, err))
		default:
			record(r.accept(p), nil)
		}
	}
	r.sign.Run()
	for i := range r.done {
		f := &r.done[i]
		r.server.finish(f.req, f.fate, r.packets[f.packet][:f.length], &r.out)
		*f = finished{}
	}
	r.out.flush()
	for i := range r.list {
		r.server.buffers.Return(r.list[i].view.Packet)
		r.list[i] = reply{}
	}
	r.list, r.done, r.used = r.list[:0], r.done[:0], 0
	return r.outcomes
}

// accept ends the request that a reply answers, and returns the fate of the reply.
func (r *Replies) accept(p *reply) metrics.Fate {
	s := r.server
	stamps := &s.config.Load().Timestamps
	if age, ok := p.view.EventAge(time.Now()); ok && stamps.Window > 0 && age.Abs() > stamps.Window {
		s.logStaleReply(r.link, age, stamps)
		if stamps.DropReplies {
			return metrics.FateStaleTimestamp
		}
	}
	req := r.link.take(p.match.id, p.match.seq)
	if req == nil { // its deadline has passed at this moment, or this is the second of two
		return metrics.FateLateAnswer
	}
	s.metrics.AddPending(-1)
	s.metrics.ObserveAnswer(s.now() - req.arrived)
	s.reportReplied(req, p.view.Packet)
	f := finished{req: req, fate: metrics.FateRelayed, packet: r.used}
	var err error
	if p.view.Code() == wire.CodeProtocolError {
		f.fate = metrics.FateProtocolError
		f.length, err = r.sign.WriteReverseAnswer(r.packets[r.used][:], &req.view, req.nak(nakCause(p.view.ErrorCause())), req.secret)
	} else {
		f.length, err = r.write(req, p)
	}
	if err != nil {
		s.logReplyLost(req, err)
		s.drop(req, lostFate(err), false)
		return metrics.FateReverseAnswer
	}
	r.used++
	r.done = append(r.done, f)
	return metrics.FateReverseAnswer
}

// write writes the sender's copy of a reply, after the rules of the client.
func (r *Replies) write(req *request, p *reply) (int, error) {
	v := &p.view
	if chain, kind := req.client.Reply, req.view.Kind(); chain.Applies(kind) {
		e := r.server.editors.Get().(*rules.Editor)
		defer r.server.editors.Put(e)
		var err error
		if v, err = chain.Apply(e, v, kind, r.link.ruleFacts(), r.sign.SealReverseReply(v, &p.match.sent, p.match.secret)); err != nil {
			return 0, err
		}
	}
	n, err := r.sign.WriteReverseReply(r.packets[r.used][:], v, &req.view, &p.match.sent, p.match.secret, req.secret)
	if err == nil {
		r.server.logOmitted(req, r.sign.Omitted())
	}
	return n, err
}

// nakCause returns the Error-Cause of the NAK that a sender gets instead of a Protocol-Error,
// which is for one hop only (RFC 7930 §4): a NAK has one of 400 to 599 (RFC 5176 §3.5).
func nakCause(cause uint32) uint32 {
	if cause < 400 || cause > 599 {
		return causeOtherProxyError
	}
	return cause
}

// lostFate returns the fate of a request whose reply cannot be written.
func lostFate(err error) metrics.Fate {
	if errors.Is(err, wire.ErrTooLong) {
		return metrics.FateReplyTooLong
	}
	return metrics.FateRuleFailed
}
