package dynauth

import (
	"bytes"
	"net/netip"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/wire"
)

// Passed is a request that another gateway has received, and passes on to the one that has the
// connection of its NAS. It is checked like a datagram of a socket of this gateway's own: only
// what its sender has signed is sent down.
type Passed struct {
	Datagram []byte         // is not kept
	From     netip.AddrPort // of its sender
	Local    netip.Addr     // the address of the other gateway that it was sent to; the zero Addr: not known
	// Configured says that a connection counts that only the configuration leads to (RC8 (e) and
	// (f)).
	Configured bool
	// Answer is called exactly once if Pass returns PassTaken: with the answer for the sender,
	// which it must not keep, or with nil if there is none; lost says that it may be passed on
	// again, because the connection has ended, for example. It must not block, and may be called before Pass returns.
	Answer func(answer []byte, lost bool)
}

// Pass is what has been done with a request that another gateway has passed on.
type Pass uint8

const (
	PassRefused Pass = iota // it was dropped, as a datagram would have been
	PassNotHere             // its NAS has no connection here
	PassTaken               // it is sent down, or was before, or gets a NAK
)

// Pass handles a request that another gateway has passed on. It never passes it on again.
func (s *Server) Pass(p *Passed) Pass {
	w := s.workers.Get().(*worker)
	defer s.workers.Put(w)
	defer w.reset()
	it := w.passed(p)
	if it == nil {
		return PassRefused
	}
	kind, now := it.view.Kind(), s.now()
	stamps := &s.config.Load().Timestamps
	if !stamps.fresh(&it.view, time.Now()) {
		s.metrics.Count(kind, metrics.FateStaleTimestamp)
		s.logStale(it, stamps)
		return PassRefused
	}
	dup := s.dupKeyOf(&it.view, &it.from)
	answer, how := s.admit(dup, now, false, w.packets[0][:0])
	if p.repeat(s, kind, answer, how) {
		return PassTaken
	}
	if s.draining.Load() || !w.hasConnection(it, p.Configured) {
		return PassNotHere
	}
	if answer, how = s.admit(dup, now, true, w.packets[0][:0]); p.repeat(s, kind, answer, how) { // it has just arrived another way
		return PassTaken
	}
	w.route(w.newRequest(p.listener(), it, dup, now, how))
	w.sendNow()
	return PassTaken
}

// Has reports whether a request that another gateway has received would be sent down a
// connection here. It changes nothing.
func (s *Server) Has(p *Passed) bool {
	w := s.workers.Get().(*worker)
	defer s.workers.Put(w)
	defer w.reset()
	it := w.passed(p)
	return it != nil && s.config.Load().Timestamps.fresh(&it.view, time.Now()) && !s.draining.Load() && w.hasConnection(it, p.Configured)
}

// passed returns the item of a request that was passed on, nil if it was dropped.
func (w *worker) passed(p *Passed) *item {
	w.parse(p.Datagram, origin{address: p.From, local: p.Local})
	if w.n == 0 {
		return nil
	}
	w.verifyAll()
	if it := &w.items[0]; it.err == nil {
		return it
	}
	return nil
}

// hasConnection reports whether an item has a connection here, or is to be refused here for what
// is known of its names.
func (w *worker) hasConnection(it *item, configured bool) bool {
	w.names.read(&it.view)
	c := w.server.choose(&request{from: it.from}, &w.names)
	if c.link == nil {
		return c.cause != causeNotRoutable
	}
	return configured || !c.configured
}

// repeat answers a duplicate, and reports whether it is one. While the first is pending, lost is
// said: the other gateway may ask again when the sender sends it again.
func (p *Passed) repeat(s *Server, kind wire.Kind, answer []byte, how admission) bool {
	switch {
	case how != admitDuplicate && how != admitPending:
		return false
	case len(answer) == 0:
		s.metrics.Count(kind, metrics.FateDuplicateDropped)
		p.Answer(nil, how == admitPending)
	default:
		s.metrics.Count(kind, metrics.FateDuplicateAnswered)
		p.Answer(answer, false)
	}
	return true
}

// listener returns the Listener of one request, whose answer goes back to the other gateway.
func (p *Passed) listener() *Listener {
	answer := p.Answer
	return &Listener{
		passed: true,
		send:   func(bufs [][]byte, _ []origin) { answer(bytes.Clone(bufs[0]), false) },
		none:   func(lost bool) { answer(nil, lost) },
	}
}
