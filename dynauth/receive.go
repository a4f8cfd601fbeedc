package dynauth

import (
	"errors"
	"syscall"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/udpback/datagram"
	"radsec-gw/wire"
)

func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// worker handles a batch of datagrams. It belongs to the goroutine of a listener.
type worker struct {
	// static after construction
	server       *Server
	verify, sign *wire.Digests

	items   [datagram.BatchSize]item
	n       int
	down    []*request // written, to be sent when they are signed
	naks    []nak      // likewise, to their senders
	packets [datagram.BatchSize][wire.MaxLength]byte
	lengths [datagram.BatchSize]int
	used    int // of packets
	touched []*Link
	out     outbox
	names   names
}

// item is one datagram.
type item struct {
	view    wire.View
	from    origin
	list    []sender // who may have sent it, in a backing array that is used again
	next    int      // of list, to be tried
	ticket  wire.Ticket
	waiting bool  // for the result of a digest
	err     error // of the last that was tried
}

// nak is a request that the gateway answers itself.
type nak struct {
	req    *request
	fate   metrics.Fate
	packet int // in packets
}

func newWorker(s *Server) *worker {
	return &worker{server: s, verify: wire.NewDigests(), sign: wire.NewDigests()}
}

// handle handles a batch of datagrams that have arrived on a listener.
//
//  1. Well formed, a CoA-Request or Disconnect-Request, and from a known sender; anything else
//     is counted and dropped (RFC 5176 §2.3, §6.1).
//  2. Signed with the sender's secret, the digests of all together.
//  3. Fresh (RFC 5176 §6.3), and not a duplicate.
//  4. The connection of its NAS is found, an Identifier reserved and the NAS's copy written,
//     or a NAK. What has no connection here is handed to the other gateways.
//  5. All are signed together, and sent: one record each, one write for each connection.
func (w *worker) handle(l *Listener, in *datagram.Inbox) {
	for i := range in.Len() { // 1
		p := in.Peer(i)
		w.parse(in.Datagram(i), origin{p.AddrPort(), p.Local(), *p})
	}
	w.handleParsed(l)
}

// handleParsed is handle from step 2 on.
func (w *worker) handleParsed(l *Listener) {
	w.verifyAll() // 2
	now := w.server.now()
	for i := range w.items[:w.n] {
		if it := &w.items[i]; it.err == nil {
			w.accept(l, it, now) // 3, 4
		}
	}
	w.sign.Run() // 5
	w.sendAll(now)
	w.reset()
}

// sendNow is step 5 for a request that was routed alone.
func (w *worker) sendNow() {
	w.sign.Run()
	w.sendAll(w.server.now())
	w.reset()
}

// reset makes the worker ready for another batch.
func (w *worker) reset() { w.n, w.used = 0, 0 }

// parse adds a datagram to the items, unless it is dropped.
func (w *worker) parse(d []byte, from origin) {
	s := w.server
	it := &w.items[w.n]
	n, err := wire.Cut(d)
	if err != nil || n == 0 {
		s.metrics.Count(wire.KindOther, metrics.FateBadLength)
		return
	}
	kind := wire.KindOf(wire.Code(d[0]))
	if kind != wire.KindCoA && kind != wire.KindDisconnect {
		s.metrics.Count(wire.KindOther, metrics.FateUnknownCode)
		return
	}
	it.list = s.senders(it.list[:0], from.address.Addr(), from.local)
	if len(it.list) == 0 {
		s.metrics.Count(kind, metrics.FateUnknownSender)
		s.logUnknownSender(&from)
		return
	}
	if err := it.view.Parse(d[:n]); err != nil {
		s.metrics.Count(kind, metrics.FateBadAttributes)
		return
	}
	it.from, it.next, it.err = from, 0, nil
	w.n++
}

// verifyAll verifies the items, with the secret of each sender that they may be from.
func (w *worker) verifyAll() {
	s := w.server
	requireMA := s.config.Load().RequireMA
	for again := true; again; {
		again = false
		for i := range w.items[:w.n] {
			it := &w.items[i]
			it.waiting = false
			if it.next > 0 && it.err == nil || it.next == len(it.list) {
				continue
			}
			it.ticket, it.err = w.verify.VerifyReverse(&it.view, it.list[it.next].secret, requireMA)
			it.waiting = it.err == nil
			it.next++
			if !it.waiting { // whatever the secret
				it.next = len(it.list)
			}
		}
		w.verify.Run()
		for i := range w.items[:w.n] {
			if it := &w.items[i]; it.waiting {
				it.err = w.verify.Result(it.ticket)
				again = again || it.err != nil && it.next < len(it.list)
			}
		}
	}
	for i := range w.items[:w.n] {
		if it := &w.items[i]; it.err != nil {
			s.metrics.Count(it.view.Kind(), fateOf(it.err))
			s.logUnverified(it)
		}
	}
}

// fateOf returns the fate of a request that does not verify.
func fateOf(err error) metrics.Fate {
	switch {
	case errors.Is(err, wire.ErrNoMessageAuthenticator):
		return metrics.FateMissingMessageAuthenticator
	case errors.Is(err, wire.ErrRequestAuthenticator):
		return metrics.FateBadRequestAuthenticator
	}
	return metrics.FateBadMessageAuthenticator
}

// accept handles a request that has verified.
func (w *worker) accept(l *Listener, it *item, now time.Duration) {
	s := w.server
	kind := it.view.Kind()
	if stamps := &s.config.Load().Timestamps; !stamps.fresh(&it.view, time.Now()) {
		s.metrics.Count(kind, metrics.FateStaleTimestamp)
		s.logStale(it, stamps)
		return
	}
	dup := s.dupKeyOf(&it.view, &it.from)
	stopping := s.draining.Load() || l.retired.Load()
	answer, how := s.admit(dup, now, !stopping, w.packets[w.used][:0])
	switch {
	case how == admitDuplicate, how == admitPending:
		w.repeat(l, it, answer)
		return
	case stopping:
		s.metrics.Count(kind, metrics.FateShutdown)
		return
	}
	w.route(w.newRequest(l, it, dup, now, how))
}

// newRequest returns the request that a verified datagram has.
func (w *worker) newRequest(l *Listener, it *item, dup dupKey, now time.Duration, how admission) *request {
	req := w.server.newRequest(&it.view)
	from := it.list[it.next-1]
	req.from, req.on, req.sender, req.secret = it.from, l, from.name, from.secret
	req.dup, req.arrived, req.retry, req.asked = dup, now, how == admitRetry, l.passed
	w.server.reportArrival(req)
	return req
}

// repeat sends the answer of a duplicate again, if there is one.
func (w *worker) repeat(l *Listener, it *item, answer []byte) {
	fate := metrics.FateDuplicateDropped
	if len(answer) > 0 {
		fate = metrics.FateDuplicateAnswered
		w.used++ // the answer is in it
		w.out.add(l, it.from, answer)
		w.server.metrics.CountAnswer(wire.Code(answer[0]))
	}
	w.server.metrics.Count(it.view.Kind(), fate)
}

// fresh reports whether a request's Event-Timestamp is within the window around now. One
// without it is fresh unless it is required.
func (t *Timestamps) fresh(v *wire.View, now time.Time) bool {
	age, ok := v.EventAge(now)
	if !ok {
		return !t.Require
	}
	return t.Window == 0 || age.Abs() <= t.Window
}

// route writes the NAS's copy of a request, or a NAK, unless other gateways are asked.
func (w *worker) route(req *request) {
	w.names.read(&req.view)
	c := w.server.choose(req, &w.names)
	if w.server.ask(req, &w.names, &c) {
		return
	}
	if c.link == nil {
		if req.retry {
			w.server.drop(req, c.fate, true)
			return
		}
		w.server.logNotSent(req, &w.names, c)
		w.refuse(req, c.fate, c.cause)
		return
	}
	w.write(req, c)
}
