package tlsfront

import (
	"net/netip"
	"time"

	"radsec-gw/metrics"
)

// The slots of admission: who may do a handshake now.

const (
	// displaceAfter is how long a handshake may wait for its peer, in all, while
	// others wait for its slot, whoever they are. An honest peer far away needs two
	// round trips and two signatures.
	displaceAfter = 1500 * time.Millisecond
	// yieldAfter is how long the handshake of a source that has more slots than
	// another waits for its peer before the other gets its slot: a round trip, so
	// that honest clients which all come at once do not displace one another.
	yieldAfter = 250 * time.Millisecond
	// sweepEvery is how often slots are looked for while some wait for one.
	slotInterval = 100 * time.Millisecond
)

// requestSlot asks for a slot for a silent connection whose ClientHello begins, and
// reports whether all were taken. ready is nil when there is no need to wait for
// it; started says what follows.
func (d *admission) requestSlot(a *arrival, deadline time.Time) (ready chan struct{}, full bool) {
	d.mu.Lock()
	var displaced *arrival
	switch {
	case a.result != metrics.HandshakeOK:
	case d.draining:
		a.result = metrics.HandshakeShutdown
		d.exitLocked(a)
	default:
		d.silent.remove(a)
		a.deadline = deadline
		if full = d.handshaking.n >= d.slots; full {
			d.tls.CountSlotsFull()
			// One that merely takes long is for those that are queued already.
			if displaced = d.displaceableHandshake(a.source, time.Now(), d.queued.n == 0); displaced != nil {
				d.displace(displaced)
			}
		}
		if d.handshaking.n < d.slots {
			d.startHandshake(a)
			break
		}
		a.ready = make(chan struct{})
		ready = a.ready
		d.queued.add(a)
		if d.queued.n == 1 {
			d.slotTimer.Reset(slotInterval)
		}
	}
	d.mu.Unlock()
	displaced.abort()
	return ready, full
}

// slotResult reports whether an arrival has a slot after begin, or else why it has
// ended: HandshakeTimeout is that the deadline passed before there was one.
func (d *admission) slotResult(a *arrival) (ok bool, end metrics.Handshake) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if a.result == metrics.HandshakeOK && a.stage == d.queued {
		a.result = metrics.HandshakeTimeout
		if d.draining {
			a.result = metrics.HandshakeShutdown
		}
		d.exitLocked(a)
	}
	return a.result == metrics.HandshakeOK, a.result
}

// startHandshake gives a slot to a, which is at no stage. Called with mu held.
func (d *admission) startHandshake(a *arrival) {
	a.started = time.Now()
	a.conn.SetDeadline(a.deadline) // here, so that interrupt cannot come in between
	d.handshaking.add(a)
	a.wake()
}

// wake ends a queued arrival's waiting. Called with mu held.
func (a *arrival) wake() {
	if a.ready != nil {
		close(a.ready)
		a.ready = nil
	}
}

// displaceableHandshake returns the handshake whose slot a connection of source may have, or
// nil: the oldest that waits for its peer, of the source that has most slots. It
// must have more than source would have then, or, with slowToo, have kept us waiting for
// long. What waits for our own computing does not give way. Called with mu held.
func (d *admission) displaceableHandshake(source netip.Addr, now time.Time, slowToo bool) *arrival {
	g := d.handshaking.largest()
	if g == nil {
		return nil
	}
	larger := g.oldest.Len() > d.handshaking.count(source)+1
	for e := g.oldest.Front(); e != nil; e = e.Next() {
		a := e.Value.(*arrival)
		old := slowToo && now.Sub(a.started) >= displaceAfter
		if !old && !larger {
			return nil // all that follow are younger
		}
		waited, since := time.Duration(a.waited.Load()), a.waitingSince.Load()
		if since == 0 {
			continue
		}
		waits := time.Duration(now.UnixNano() - since)
		slow := slowToo && waited+waits >= displaceAfter
		if slow || larger && waits >= yieldAfter {
			return a
		}
	}
	return nil
}

// findSlots finds slots for those that are queued. A source for which there is
// none keeps its turn.
func (d *admission) findSlots() {
	const most = 1000 // sources looked at, so that mu is not held for long
	var displaced []*arrival
	d.mu.Lock()
	now := time.Now()
	e := d.queued.order.Front()
	for range min(d.queued.order.Len(), most) {
		g := e.Value.(*group)
		e = e.Next()
		v := d.displaceableHandshake(g.source, now, true)
		if v == nil {
			continue
		}
		d.displace(v)
		displaced = append(displaced, v)
		d.queued.order.MoveToBack(g.turn)
		a := g.first()
		d.queued.remove(a)
		d.startHandshake(a)
	}
	if d.queued.n > 0 && !d.draining {
		d.slotTimer.Reset(slotInterval)
	}
	d.mu.Unlock()
	for _, v := range displaced {
		v.abort()
	}
}

// handshakeDone gives an arrival's slot back when its handshake is done or has failed. It
// returns why admission has ended the arrival; when it has not, HandshakeOK, the
// connection counts as open until left is called.
func (d *admission) handshakeDone(a *arrival) metrics.Handshake {
	d.mu.Lock()
	defer d.mu.Unlock()
	if a.result == metrics.HandshakeOK {
		a.stage.remove(a)
		d.grant()
	}
	return a.result
}

// grant gives free slots to queued arrivals. Called with mu held.
func (d *admission) grant() {
	for d.handshaking.n < d.slots && d.queued.n > 0 && !d.draining {
		a := d.queued.next()
		d.queued.remove(a)
		d.startHandshake(a)
	}
}

// resize changes how many slots there are. With fewer, handshakes that have one
// keep it.
func (d *admission) resize(slots int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.slots = slots
	d.grant()
}

// usage describes who holds the slots, for a log line.
func (d *admission) usage() []any {
	d.mu.Lock()
	defer d.mu.Unlock()
	attributes := []any{"in_progress", d.handshaking.n, "waiting", d.queued.n, "silent", d.silent.n + d.proxied.n}
	if g := d.handshaking.largest(); g != nil {
		attributes = append(attributes, "largest_source", g.source, "in_progress_from_it", g.oldest.Len())
	}
	return attributes
}
