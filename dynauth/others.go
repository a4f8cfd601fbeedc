package dynauth

import (
	"bytes"
	"net/netip"
	"sync/atomic"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// Others are the other gateways of a cluster. One of them may have the connection of a NAS that
// has none here (GW3). Its methods do not block, and may be called from any goroutine.
type Others interface {
	// Ask hands over a request that has no connection here. It reports false if it cannot be
	// handed over now. Otherwise exactly one of the Question's methods that end it is called
	// later, by any goroutine, also before Ask returns.
	Ask(q *Question) bool
	// Here reports that a NAS or a client with this name has a connection here now.
	Here(n Name)
}

// UseOthers has requests without a connection handed to other gateways; nil: to none.
func (s *Server) UseOthers(o Others) {
	if o == nil {
		s.others.Store(nil)
		return
	}
	s.others.Store(&o)
}

// Question is a request that another gateway may have the connection for.
type Question struct {
	// static after construction
	Datagram []byte         // the packet as it came
	From     netip.AddrPort // its sender
	Local    netip.Addr     // the address of this gateway that it was sent to; the zero Addr: not known
	// Names are asked for first, one after the other, then, if Find is set, all gateways, then
	// for Clients, which the configuration says may have the NAS.
	Names   []Name
	Find    bool
	Clients []Name

	server *Server
	secret *wire.ServerSecret // of the sender
	req    *request           // belongs to who ends the question
	done   chan struct{}      // closed when the question has ended
	ended  atomic.Bool
}

// ask hands a request to the other gateways, if there are any that may have its connection. It
// reports false if it was not, and the request is handled as without them. Otherwise it must not
// be used afterwards.
func (s *Server) ask(req *request, n *names, c *choice) bool {
	others := s.others.Load()
	if others == nil || req.asked {
		return false
	}
	if c.link == nil && c.fate != metrics.FateNoNAS || c.link != nil && !c.configured && !c.unnamed {
		return false
	}
	p := s.places(req, n, c)
	if len(p.names) == 0 && !p.find && len(p.clients) == 0 {
		return false
	}
	req.asked, req.link = true, nil
	q := &Question{Datagram: bytes.Clone(req.view.Packet), From: req.from.address, Local: req.from.local,
		Names: p.names, Find: p.find, Clients: p.clients, server: s, secret: req.secret, req: req, done: make(chan struct{})}
	req.question = q
	s.addDeadline(req, s.now())
	if (*others).Ask(q) {
		return true
	}
	if q.end() == nil { // its deadline has passed at this moment
		return true
	}
	s.noDeadline(req)
	req.question = nil
	return false
}

// noDeadline removes a request from those that have a deadline.
func (s *Server) noDeadline(req *request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removeDeadline(req)
}

// end ends the question, and returns its request: who has it owns it. It returns nil if the
// question has ended already.
func (q *Question) end() *request {
	if !q.ended.CompareAndSwap(false, true) {
		return nil
	}
	close(q.done)
	return q.req
}

// Done returns a channel that is closed when the question has ended: its deadline has passed, for
// example.
func (q *Question) Done() <-chan struct{} { return q.done }

// Answered ends the question with the answer of another gateway, which goes to the sender as it
// is. It reports false if that does not verify as an answer to this request under the secret of
// its sender: then the question has not ended.
func (q *Question) Answered(answer []byte) bool {
	if !q.verify(answer) {
		return false
	}
	req := q.end()
	if req == nil {
		return true
	}
	s := q.server
	s.metrics.ObserveAnswer(s.now() - req.arrived)
	var out outbox
	s.finish(req, metrics.FateRelayed, answer, &out)
	out.flush()
	return true
}

// verify reports whether a packet is an ACK or NAK to the request, signed with the secret of its
// sender.
func (q *Question) verify(answer []byte) bool {
	n, err := wire.Cut(answer)
	if err != nil || n == 0 || n != len(answer) {
		return false
	}
	var v wire.View
	request := wire.Code(q.Datagram[0])
	if v.Parse(answer) != nil || v.Code() == wire.CodeProtocolError || !wire.Answers(request, v.Code()) || v.Identifier() != q.Datagram[1] {
		return false
	}
	d := wire.NewDigests()
	ticket, err := d.VerifyReply(&v, request, (*[16]byte)(q.Datagram[4:20]), q.secret, false)
	d.Run()
	return err == nil && d.Result(ticket) == nil
}

// Unanswered ends the question of a request that another gateway has sent down without an
// answer in time; lost says that it is asked about again if its sender sends it again: the
// connection has ended, or the gateways have lost each other.
func (q *Question) Unanswered(lost bool) {
	req := q.end()
	if req == nil {
		return
	}
	fate := metrics.FateNASSilent
	if lost {
		fate = metrics.FateClientGone
	}
	q.server.drop(req, fate, lost)
}

// Abandon ends the question because the gateway stops. Another may have sent the request down.
func (q *Question) Abandon() {
	if req := q.end(); req != nil {
		q.server.drop(req, metrics.FateShutdown, true)
	}
}

// Nobody ends the question: nobody has the connection, or nobody can be asked. The request is
// handled as without other gateways, and is sent down if its NAS has connected here meanwhile.
func (q *Question) Nobody() {
	req := q.end()
	if req == nil {
		return
	}
	s := q.server
	s.noDeadline(req)
	req.question = nil
	w := s.workers.Get().(*worker)
	defer s.workers.Put(w)
	w.route(req)
	w.sendNow()
}
