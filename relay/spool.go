package relay

import (
	"encoding/json"
	"errors"
	"time"

	"layeh.com/radius"

	"radsec-gw/metrics"
	"radsec-gw/rules"
	"radsec-gw/spool"
	"radsec-gw/udpback"
	"radsec-gw/wire"
)

// A route may have Accounting-Requests that no server answers kept by the spool. Such a request
// is live as any other, until its spool_after is over: then the spool stores it, and the client
// gets an Accounting-Response from the gateway. Meanwhile the request goes on as before. If a
// server answers it after all, the record is removed.
//
// A request goes to the spool at once if no server of its route can be reached, or if an
// earlier record of its session is still there.
//
// A request of such a route is known to the spool by its Live, from Begin to End; its entry is
// what is being stored. Both are changed with Connection.mu held.

// spooled is a request on its way into the spool.
type spooled struct {
	spool.Entry
	conn *Connection
}

// SetSpool has the accounting of routes with SpoolAfter kept by s; nil: it is not kept. It
// is called before s is opened.
func (r *Relay) SetSpool(s *spool.Spool) { r.spool.Store(s) }

// SetClients tells which clients there are: by their configuration the records of the spool
// are sent.
func (r *Relay) SetClients(list []*Client) {
	byName := make(map[string]*Client, len(list))
	for _, c := range list {
		byName[c.Config().Name] = c
	}
	r.clients.Store(&byName)
}

// beginSpooled decides whether a request of a route that is spooled is sent to a server now.
// If not, handled is true, and end and inFlight are those of forward.
//
// Rules: SP1, SP3, SP5.
func (c *Connection) beginSpooled(b *burst, req *request, to *udpback.Group) (end outcome, inFlight, handled bool) {
	s := c.relay.spool.Load()
	if s == nil {
		return outcome{}, false, false
	}
	req.marks = s.Marks(req.client.Name, &req.view)
	reachable := to.Reachable(req.Kind)
	ordered := s.Begin(&req.live, &req.marks)
	req.spool, req.spoolAt, req.origin = s, req.arrived+req.route.SpoolAfter, c.recordOrigin(req)
	if reachable && ordered {
		return outcome{}, false, false
	}
	c.track(req)
	c.spoolPredecessors(req)
	if c.spoolInstead(req) {
		return outcome{}, true, true
	}
	c.untrack(req, nil)
	c.outstanding.Add(-1)
	if ordered { // a server may come back in time
		return outcome{}, false, false
	}
	return outcome{fate: metrics.FateSpoolFailed}, false, true
}

// spoolPredecessors hands over what is in flight of the session of a request, although it is not
// due: were that lost, its successor would be acknowledged and sent without it.
func (c *Connection) spoolPredecessors(req *request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := func(f *request) {
		if f != nil && f != req && f.spool == req.spool && f.entry == nil && f.marks.Precedes(&req.marks) && c.addToSpool(f) != nil {
			c.retrySpool(f)
		}
	}
	if h := c.recent[wire.KindAccounting]; h != nil {
		for i := range h {
			before(h[i].flight)
		}
	}
	for _, f := range c.inFlight11 {
		before(f)
	}
}

// spoolInstead hands over a request that is not sent to a server, or no longer is. It reports
// false if the spool does not take it. Otherwise the request must not be used afterwards: it
// may have been answered.
func (c *Connection) spoolInstead(req *request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flight(req) != req || req.entry == nil && c.addToSpool(req) != nil {
		return false
	}
	req.started = false
	req.endLive(false)
	return true
}

// addToSpool hands a request over. Called with mu held, while the request is tracked.
func (c *Connection) addToSpool(req *request) error {
	r := c.relay
	waited := r.back.Now() - req.arrived
	e := &spooled{conn: c}
	e.Owner, e.Packet, e.From, e.Marks, e.Waited, e.Live = e, req.view, req.client.Secret, req.marks, waited, &req.live
	e.Packet.Packet = r.back.Buffers.Copy(req.view.Packet)
	e.Record = spool.Record{Arrived: time.Now().Add(-waited), Client: req.client.Name, Address: c.remote, Route: req.route.Name, Origin: req.origin, Sent: req.started}
	if err := req.spool.Add(&e.Entry); err != nil {
		r.back.Buffers.Return(e.Packet.Packet)
		return err
	}
	req.entry = e
	return nil
}

// endLive ends what the spool knows of a request as live.
func (req *request) endLive(answered bool) {
	if req.spool != nil {
		req.spool.End(&req.live, answered)
	}
}

// Stored implements spool.Owner: it acknowledges the requests that are stored.
//
// Rules: SP2.
func (r *Relay) Stored(entries []*spool.Entry) {
	batch := r.back.AcquireBatch()
	defer r.back.ReleaseBatch(batch)
	scratch := r.scratch.Get().(*[wire.MaxLength]byte)
	defer r.scratch.Put(scratch)
	var touched udpback.Touched
	for _, e := range entries {
		s := e.Owner.(*spooled)
		if e.Err != nil {
			s.conn.notStored(s)
		} else {
			s.conn.acknowledgeStored(batch.Hasher, scratch[:], s, &touched)
		}
		r.back.Buffers.Return(e.Packet.Packet)
		e.Packet.Packet = nil
	}
	touched.Flush()
}

// waitingFor returns the request that waits for an entry; nil if none does. Called with mu
// held.
func (c *Connection) waitingFor(e *spooled) *request {
	var req *request
	if c.v11 {
		req = c.inFlight11[e.Packet.Token()]
	} else if h := c.recent[wire.KindAccounting]; h != nil {
		req = h[e.Packet.Identifier()].flight
	}
	if req == nil || req.entry != e {
		return nil
	}
	return req
}

// acknowledgeStored answers a request whose record is stored, unless that has ended.
func (c *Connection) acknowledgeStored(h *wire.Hasher, scratch []byte, e *spooled, touched *udpback.Touched) {
	n, err := h.WriteAnswer(scratch, &e.Packet, wire.Answer{Code: radius.CodeAccountingResponse, Acknowledges: true}, e.From)
	end := outcome{metrics.FateSpooled, scratch[:n]}
	if err != nil {
		end = outcome{fate: metrics.FateReplyTooLong}
	}
	c.mu.Lock()
	req := c.waitingFor(e)
	if req == nil {
		c.mu.Unlock()
		return
	}
	c.untrackLocked(req, end.answer)
	started := req.started
	c.mu.Unlock()
	c.outstanding.Add(-1)
	touched.Add(c.peer)
	if !started {
		c.finish(req, end)
		return
	}
	// udpback still has the request, and what it changes must not be read.
	req.busy = true
	c.send(req, end)
}

// notStored handles a request whose record could not be stored: if a server still has it, that
// may answer; otherwise it ends.
//
// Rules: SP10.
func (c *Connection) notStored(e *spooled) {
	c.mu.Lock()
	req := c.waitingFor(e)
	if req == nil {
		c.mu.Unlock()
		return
	}
	req.entry = nil
	if req.started {
		c.retrySpool(req)
		c.mu.Unlock()
		return
	}
	c.untrackLocked(req, nil)
	c.mu.Unlock()
	c.outstanding.Add(-1)
	c.finish(req, outcome{fate: metrics.FateSpoolFailed})
}

// spoolRetry is how long a request waits that the spool has not taken, before it is offered
// again.
const spoolRetry = 5 * time.Second

func (c *Connection) retrySpool(req *request) {
	req.spoolAt = c.relay.back.Now() + spoolRetry
	c.armSpool(req.spoolAt)
}

// armSpool has spoolDue called at a time, or earlier. Called with mu held.
func (c *Connection) armSpool(at time.Duration) {
	if c.spoolAt != 0 && c.spoolAt <= at {
		return
	}
	c.spoolAt = at
	wait := max(0, at-c.relay.back.Now())
	if c.spoolTimer == nil {
		c.spoolTimer = time.AfterFunc(wait, c.spoolDue)
	} else {
		c.spoolTimer.Reset(wait)
	}
}

// spoolGrain is how much earlier than due a request may be handed over, so that requests that
// arrived one after the other share a commit.
const spoolGrain = 5 * time.Millisecond

// spoolDue hands the requests over that no server has answered in time.
//
// Rules: SP3.
func (c *Connection) spoolDue() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.relay.back.Now()
	c.spoolAt = 0
	if h := c.recent[wire.KindAccounting]; h != nil {
		for i := range h {
			c.spoolIfDue(h[i].flight, now)
		}
	}
	for _, req := range c.inFlight11 {
		c.spoolIfDue(req, now)
	}
}

// spoolIfDue hands a request over if it is due. Called with mu held.
func (c *Connection) spoolIfDue(req *request, now time.Duration) {
	if req == nil || req.spool == nil || req.entry != nil {
		return
	}
	if req.spoolAt > now+spoolGrain {
		c.armSpool(req.spoolAt)
	} else if c.addToSpool(req) != nil {
		c.retrySpool(req)
	}
}

// isShortage reports whether a request that could not be started may be later.
func isShortage(err error) bool {
	return errors.Is(err, udpback.ErrNoIdentifier) || errors.Is(err, udpback.ErrQuota) || errors.Is(err, udpback.ErrNoSocket) || errors.Is(err, udpback.ErrMaintenance)
}

// flight returns the request in flight with the Identifier or Token of req. Called with mu held.
func (c *Connection) flight(req *request) *request {
	if c.v11 {
		return c.inFlight11[req.view.Token()]
	}
	if h := c.recent[req.Kind]; h != nil {
		return h[req.view.Identifier()].flight
	}
	return nil
}

// recordOrigin is what a record keeps of its connection, in JSON.
type recordOrigin struct {
	Facts *rules.Facts `json:",omitempty"` // if rules apply to the request
	Key   []byte       `json:",omitempty"` // what the client's source is computed from
}

// keptOrigin is the origin of a connection's records. It belongs to the read loop.
type keptOrigin struct {
	of    *ClientConfig // nil: it is not known yet
	facts *rules.Facts
	text  []byte
}

// recordOrigin returns what the record of a request keeps of its connection; nil: nothing.
func (c *Connection) recordOrigin(req *request) []byte {
	k := &c.kept
	if k.of == req.client && k.facts == c.facts {
		return k.text
	}
	*k = keptOrigin{of: req.client, facts: c.facts}
	o := recordOrigin{Facts: c.facts}
	if s := req.client.Source; s != nil && s.Pool.IsValid() {
		o.Key = c.origin.sourceKey(s.BySerial)
	}
	if o.Facts != nil || o.Key != nil {
		k.text, _ = json.Marshal(&o) // it has no error
	}
	return k.text
}
