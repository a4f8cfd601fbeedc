package tlsfront

import (
	"net/netip"
	"time"

	"radsec-gw/metrics"
)

// The slots of admission: which connections may do a handshake now.

const (
	// displaceAfter is how long a handshake may wait for its peer, in total, while other
	// connections of any source wait for a slot. An honest distant peer needs two round
	// trips and two signatures.
	displaceAfter = 1500 * time.Millisecond
	// yieldAfter is how long a handshake may wait for its peer at a time, if its source
	// has more slots than another source that waits for one. It is a round trip, so that
	// honest clients that connect at once do not displace one another.
	yieldAfter = 250 * time.Millisecond
	// slotInterval is how often findSlots runs while connections are queued.
	slotInterval = 100 * time.Millisecond
)

// requestSlot requests a slot for a silent connection whose ClientHello arrives, and
// reports whether all slots were taken. The caller waits for ready, unless it is nil, and
// then calls slotResult.
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
			// A handshake that is merely slow is not displaced while others are queued.
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

// slotResult reports whether an arrival has a slot, or else why it was removed:
// HandshakeTimeout if its deadline passed before a slot became free.
func (d *admission) slotResult(a *arrival) (ok bool, why metrics.Handshake) {
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

// startHandshake gives a slot to a, which has no stage. Called with mu held.
func (d *admission) startHandshake(a *arrival) {
	a.started = time.Now()
	a.conn.SetDeadline(a.deadline) // with mu held, so that interrupt cannot set its deadline before
	d.handshaking.add(a)
	a.wake()
}

// wake wakes up a queued arrival. Called with mu held.
func (a *arrival) wake() {
	if a.ready != nil {
		close(a.ready)
		a.ready = nil
	}
}

// displaceableHandshake returns the handshake that is displaced by a connection of
// source, or nil: the oldest one that waits for its peer, of the source with the most
// slots. That source must have more slots than source would have then, or, with slowToo,
// the handshake must have waited for displaceAfter. A handshake that waits for a processor is not
// displaced. Called with mu held.
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

// findSlots finds slots for queued connections by displacing handshakes. A source for
// which there is no slot keeps its turn.
func (d *admission) findSlots() {
	const maxSources = 1000 // so that mu is not held for long
	var displaced []*arrival
	d.mu.Lock()
	now := time.Now()
	e := d.queued.order.Front()
	for range min(d.queued.order.Len(), maxSources) {
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

// handshakeDone releases an arrival's slot after its handshake. It returns why the arrival
// was removed before, or HandshakeOK: then the connection counts as open until
// connectionClosed is called.
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

// resize changes the number of slots. Handshakes that have a slot keep it.
func (d *admission) resize(slots int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.slots = slots
	d.grant()
}

// usage returns the use of the slots as attributes of a log line.
func (d *admission) usage() []any {
	d.mu.Lock()
	defer d.mu.Unlock()
	attributes := []any{"in_progress", d.handshaking.n, "waiting", d.queued.n, "silent", d.silent.n + d.proxied.n}
	if g := d.handshaking.largest(); g != nil {
		attributes = append(attributes, "largest_source", g.source, "in_progress_from_it", g.oldest.Len())
	}
	return attributes
}
