package dynauth

import (
	"errors"
	"slices"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/rules"
	"radsec-gw/wire"
)

// This file is how a worker writes the NAS's copies of requests, and sends what was written.

// write reserves an Identifier on a connection, or on another of the same device, and writes
// the NAS's copy of the request.
func (w *worker) write(req *request, c choice) {
	s := w.server
	req.client = c.link.client.config.Load()
	anyFull := false
	for link := c.link; link != nil; link = w.spill(c, link) {
		req.link = link
		id, full, ok := link.reserve(req)
		if anyFull = anyFull || full; !ok {
			continue
		}
		req.id = id
		n, err := w.writeDown(req, c)
		if err != nil {
			link.cancel(id)
			w.refuseUnwritten(req, err)
			return
		}
		w.lengths[w.used], req.packet = n, w.used
		w.used++
		w.down = append(w.down, req)
		return
	}
	req.link = c.link
	if !anyFull { // it has just closed
		closed := choice{nas: c.nas, client: c.client, fate: metrics.FateNoNAS, cause: causeNotRoutable}
		if s.ask(req, &w.names, &closed) {
			return
		}
		w.refuse(req, metrics.FateNoNAS, causeNotRoutable)
		return
	}
	s.logFull(req)
	w.refuse(req, metrics.FateNoIdentifier, causeResources)
}

// spill returns the connection to try after one that is full: the next that has carried the
// NAS, or another of the same device (RC11); nil if there is none.
func (w *worker) spill(c choice, full *Link) *Link {
	if c.nas != nil {
		past := false
		for _, l := range *c.nas.links.Load() {
			if past && !l.closed.Load() {
				return l
			}
			past = past || l == full
		}
	}
	return c.link.client.sibling(c.link, func(l *Link) bool { return l != full && int(l.live.Load()) < maxSlots && !c.nas.hasLink(l) })
}

// hasLink reports whether a connection is one of those that have carried the NAS, which may
// be nil.
func (s *NAS) hasLink(l *Link) bool {
	if s == nil {
		return false
	}
	for _, one := range *s.links.Load() {
		if one == l {
			return true
		}
	}
	return false
}

// refuse writes a NAK.
func (w *worker) refuse(req *request, fate metrics.Fate, cause uint32) {
	n, err := w.sign.WriteReverseAnswer(w.packets[w.used][:], &req.view, req.nak(cause), req.secret)
	if err != nil { // with the sender's Proxy-State it is too long
		w.server.drop(req, fate, false)
		return
	}
	w.lengths[w.used] = n
	w.naks = append(w.naks, nak{req, fate, w.used})
	w.used++
}

// sendAll sends what was written, when it is signed.
func (w *worker) sendAll(now time.Duration) {
	s := w.server
	for i := range w.naks {
		k := &w.naks[i]
		s.finish(k.req, k.fate, w.packets[k.packet][:w.lengths[k.packet]], &w.out)
	}
	w.naks = w.naks[:0]
	for i, req := range w.down {
		w.down[i] = nil
		w.send(req, now)
	}
	w.down = w.down[:0]
	for i, l := range w.touched {
		l.flush()
		w.touched[i] = nil
	}
	w.touched = w.touched[:0]
	w.out.flush()
}

// send sends the NAS's copy of a request down its connection.
func (w *worker) send(req *request, now time.Duration) {
	s := w.server
	link, id, seq := req.link, req.id, req.seq
	packet := w.packets[req.packet][:w.lengths[req.packet]]
	s.reportSent(req, packet)
	s.addDeadline(req, now)
	s.metrics.AddPending(1)
	if overdue, ok := link.commit(req, packet); !ok {
		if overdue { // this machine has paused for so long
			s.metrics.AddPending(-1)
			s.drop(req, metrics.FateNASSilent, true)
			return
		}
		s.lost(req, link.lostFate())
		return
	}
	// The request is no longer ours.
	if !link.send(packet) {
		if req := link.take(id, seq); req != nil {
			s.lost(req, link.lostFate())
		}
		return
	}
	if !slices.Contains(w.touched, link) {
		w.touched = append(w.touched, link)
	}
}

// writeDown writes the NAS's copy of a request, after the rules of its client.
func (w *worker) writeDown(req *request, c choice) (int, error) {
	v, o := &req.view, wire.ReverseOptions{V11: req.link.V11}
	if chain, kind := req.client.Request, v.Kind(); chain.Applies(kind) {
		e := w.server.editors.Get().(*rules.Editor)
		defer w.server.editors.Put(e)
		var err error
		if v, err = chain.Apply(e, v, kind, req.link.ruleFacts(), w.sign.SealReverse(req.secret)); err != nil {
			return 0, err
		}
	}
	called := c.called(req)
	o.NAS = &called
	n, err := w.sign.WriteReverse(w.packets[w.used][:], v, req.secret, req.link.secretOf(req.client), req.id, &o)
	if err == nil {
		w.server.logOmitted(req, w.sign.Omitted())
	}
	return n, err
}

// called returns what to call the NAS in a request that does not say (RFC 8559 §4.2); nothing
// where it is not known which of several is meant.
func (c *choice) called(req *request) wire.NAS {
	carried := req.link.carried.Load()
	switch {
	case c.nas != nil:
		return c.nas.called
	case c.identifier != "":
		return wire.NAS{Identifier: c.identifier}
	case carried != nil && !req.link.several.Load():
		return carried.called
	case carried == nil && len(req.client.Identifiers) == 1:
		return wire.NAS{Identifier: req.client.Identifiers[0]}
	}
	return wire.NAS{}
}

// refuseUnwritten refuses a request whose copy cannot be written.
func (w *worker) refuseUnwritten(req *request, err error) {
	var rejected *rules.RejectError
	fate, cause := metrics.FateRuleFailed, uint32(causeInvalidValue)
	switch {
	case errors.As(err, &rejected):
		fate = metrics.FateRuleRejected
	case errors.Is(err, wire.ErrTooLong):
		fate, cause = metrics.FateTooLong, causeOtherProxyError
	}
	w.server.logUnwritten(req, err)
	w.refuse(req, fate, cause)
}
