package dynauth

import (
	"net/netip"
	"time"

	"layeh.com/radius"

	"radsec-gw/audit"
	"radsec-gw/metrics"
	"radsec-gw/udpback/datagram"
	"radsec-gw/wire"
)

// Values of Error-Cause (RFC 5176 §3.5).
const (
	causeNASMismatch     = 403 // NAS Identification Mismatch
	causeInvalidValue    = 407 // Invalid Attribute Value
	causeNotRoutable     = 502 // Request Not Routable (Proxy)
	causeOtherProxyError = 505 // Other Proxy Processing Error
	causeResources       = 506 // Resources Unavailable
)

// request is a CoA-Request or Disconnect-Request of a sender, from when it has verified until
// it has its fate. Until it is sent down it belongs to the goroutine of its listener, then to
// the one that takes it from its Link.
type request struct {
	// set when it arrives, then unchanged
	view    wire.View // of the packet as it came, in a buffer of its own
	from    origin
	on      *Listener
	sender  string // its name
	secret  *wire.ServerSecret
	dup     dupKey
	seq     uint64 // of all requests; never 0
	arrived time.Duration
	number  uint64 // for the log and taps; 0: nobody was watching
	retry   bool   // its first transmission has lost its connection
	asked   bool   // other gateways are asked, or were: not again

	// set before it is sent down
	link   *Link
	client *ClientConfig // as it was then
	id     wire.ReverseID
	packet int // of the worker: the NAS's copy

	question *Question // while other gateways are asked; set before it has a deadline

	// guarded by Server.mu
	deadline     time.Duration
	newer, older *request // by deadline
	waiting      bool     // in the list of those that have one
}

// newRequest returns a request with a copy of a packet.
func (s *Server) newRequest(v *wire.View) *request {
	req := s.requests.Get().(*request)
	req.view = *v
	req.view.Packet = s.buffers.Copy(v.Packet)
	req.seq = s.seq.Add(1)
	return req
}

// recycle returns the memory of a request that has its fate.
func (s *Server) recycle(req *request) {
	s.buffers.Return(req.view.Packet)
	*req = request{}
	s.requests.Put(req)
}

// finish ends a request with the answer that is sent to its sender, and keeps that for
// duplicates. The request must not be used afterwards.
func (s *Server) finish(req *request, fate metrics.Fate, answer []byte, out *outbox) {
	s.answered(req, answer)
	s.metrics.CountAnswer(wire.Code(answer[0]))
	out.add(req.on, req.from, answer)
	s.recordFate(req, fate, answer)
	s.recycle(req)
}

// drop ends a request without an answer. lost says that its connection has ended, so that its
// sender may send it again.
func (s *Server) drop(req *request, fate metrics.Fate, lost bool) {
	s.unanswered(req, lost)
	s.recordFate(req, fate, nil)
	if req.on.none != nil {
		req.on.none(lost)
	}
	s.recycle(req)
}

// lost drops a request whose connection has ended.
func (s *Server) lost(req *request, fate metrics.Fate) {
	s.metrics.AddPending(-1)
	s.drop(req, fate, true)
}

// recordFate counts how a request ended, and reports it to the hub.
func (s *Server) recordFate(req *request, fate metrics.Fate, answer []byte) {
	s.metrics.Count(req.view.Kind(), fate)
	if s.hub.Listening() {
		e := req.event()
		e.Fate, e.Reply, e.Duration = fate, answer, s.now()-req.arrived
		s.hub.Ended(&e)
	}
}

// reportArrival reports the arrival of a verified request to the taps.
func (s *Server) reportArrival(req *request) {
	if s.hub.Watching() {
		req.number = s.hub.Number()
		e := req.event()
		s.hub.Arrived(&e)
	}
}

// event returns the event of a request, with what is known now.
func (req *request) event() audit.Event {
	e := audit.Event{Number: req.number, Kind: req.view.Kind(), Request: &req.view,
		Sender: req.sender, From: req.from.address}
	if req.link != nil {
		e.Client, e.Peer, e.Local = req.link.client.name, req.link.Remote, req.link.Local
	}
	return e
}

// nak returns the NAK to a request.
func (req *request) nak(cause uint32) wire.Answer {
	if req.view.Kind() == wire.KindCoA {
		return wire.Answer{Code: radius.CodeCoANAK, ErrorCause: cause}
	}
	return wire.Answer{Code: radius.CodeDisconnectNAK, ErrorCause: cause}
}

// origin is where a datagram has come from, and to.
type origin struct {
	address netip.AddrPort // of its sender
	local   netip.Addr     // of the gateway; the zero Addr: not known
	peer    datagram.Peer  // the same for the socket
}

// outbox gathers answers to senders, which flush sends. The memory of the answers is used
// until then. It belongs to one goroutine.
type outbox struct {
	on   []*Listener
	bufs [][]byte
	to   []origin
}

func (o *outbox) add(on *Listener, to origin, answer []byte) {
	o.on, o.bufs, o.to = append(o.on, on), append(o.bufs, answer), append(o.to, to)
}

// flush sends the answers, those of one listener together.
func (o *outbox) flush() {
	for i := 0; i < len(o.on); {
		j := i + 1
		for j < len(o.on) && o.on[j] == o.on[i] {
			j++
		}
		o.on[i].send(o.bufs[i:j], o.to[i:j])
		i = j
	}
	clear(o.on)
	clear(o.bufs)
	o.on, o.bufs, o.to = o.on[:0], o.bufs[:0], o.to[:0]
}
