package tlsfront

import (
	"container/list"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"radsec-gw/locks"
	"radsec-gw/metrics"
	"radsec-gw/sessions"
)

// An accepted connection goes through stages until its client is known:
//
//	proxied      from a load balancer, and its PROXY header has not arrived
//	silent       its ClientHello has not arrived
//	queued       its ClientHello has arrived, and it waits for a slot
//	handshaking  it has a slot, and does the TLS handshake
//
// Connections are always accepted, and the number at each stage is limited. At the
// limit, the oldest connection of the source with the most is closed. So the share of
// each source shrinks as others arrive; a single source may use everything.

// admission decides which of the connections without a client may continue.
type admission struct {
	tls *metrics.Listener // static after construction

	mu          locks.Mutex[locks.Admission] // guards what follows, and parts of arrivals
	slots       int                          // handshakes at one time
	draining    bool                         // no more handshakes start
	open        int                          // connections, including those of sessions
	sources     map[netip.Addr]int
	proxied     *arrivals // the source is the load balancer's
	silent      *arrivals
	queued      *arrivals
	handshaking *arrivals
	slotTimer   *time.Timer // runs while some are queued
}

// arrival is an accepted connection whose client is not known yet.
type arrival struct {
	// static after construction
	conn net.Conn

	// owned by the connection's goroutine
	remote netip.AddrPort // of the load balancer until its PROXY header is read

	// guarded by admission.mu
	source   netip.Addr        // as sourceOf has it
	deadline time.Time         // by when its handshake must be done
	started  time.Time         // when its handshake got a slot
	stage    *arrivals         // nil: none
	group    *group            // in stage
	place    *list.Element     // in group
	ready    chan struct{}     // closed when a queued arrival must not wait any longer
	result   metrics.Handshake // why it was removed from all counts; HandshakeOK: it was not

	waitingSince atomic.Int64 // since when its handshake waits for the peer, in Unix time in ns; 0: it does not
	waited       atomic.Int64 // how long it has waited before that, in ns
}

// admissionLimits are the limits of a configuration.
type admissionLimits struct {
	connections int  // all, including those of sessions
	perSource   int  // likewise, of one source; 0: no limit
	silent      int  // whose ClientHello has not arrived, and as many before their PROXY header
	descriptors bool // connections is what the process has descriptors for
}

func newAdmission(slots int, m *metrics.Listener) *admission {
	d := &admission{slots: slots, tls: m, sources: map[netip.Addr]int{}}
	d.proxied, d.silent = newArrivals(m.AddSilent), newArrivals(m.AddSilent)
	d.queued, d.handshaking = newArrivals(m.AddQueued), newArrivals(m.AddHandshaking)
	d.slotTimer = time.AfterFunc(slotInterval, d.findSlots)
	d.slotTimer.Stop()
	return d
}

// enter admits a new connection, or refuses it if a limit is reached and no other
// connection can be displaced. If proxied, the source is in a PROXY header that has yet to
// arrive, and enterProxied follows.
func (d *admission) enter(a *arrival, proxied bool, l admissionLimits) (r *sessions.Refusal) {
	d.mu.Lock()
	var displaced *arrival
	switch {
	case d.draining:
		r = sessions.Refusef(metrics.HandshakeShutdown, "the gateway stops")
	case d.open >= l.connections:
		if displaced = d.displaceable(a.source); displaced == nil {
			r = sessions.Refusef(metrics.HandshakeTooMany, "%d connections are open, which is the limit (max_connections)", d.open)
			if l.descriptors {
				r = sessions.Refusef(metrics.HandshakeNoDescriptor, "%d connections are open, and the process has no file descriptors for more", d.open)
			}
		}
	case proxied && d.proxied.n >= l.silent:
		displaced = d.proxied.largest().first()
	case !proxied && d.silent.n >= l.silent:
		displaced = d.silent.largest().first()
	}
	if r == nil && !proxied {
		displaced, r = d.enterSource(a, displaced, l)
	}
	if displaced != nil {
		d.displace(displaced)
	}
	if r == nil {
		d.open++
		if proxied {
			d.proxied.add(a)
		} else {
			d.sources[a.source]++
			d.silent.add(a)
		}
	}
	d.mu.Unlock()
	displaced.abort()
	return r
}

// enterSource applies the limit for one source. displaced is the connection that is
// already displaced, or nil. It returns the connection to displace, which may be a silent
// one of the source itself. Called with mu held.
func (d *admission) enterSource(a, displaced *arrival, l admissionLimits) (*arrival, *sessions.Refusal) {
	n := d.sources[a.source]
	if l.perSource <= 0 || n < l.perSource || displaced != nil && displaced.source == a.source {
		return displaced, nil
	}
	if g := d.silent.groups[a.source]; g != nil {
		return g.first(), nil
	}
	return nil, sessions.Refusef(metrics.HandshakeTooMany, "%v has %d connections, which is the limit for one source (max_connections_per_source)", a.source, n)
}

// enterProxied moves a connection whose source is known from its PROXY header to the silent
// ones, or refuses it.
func (d *admission) enterProxied(a *arrival, source netip.Addr, l admissionLimits) (r *sessions.Refusal) {
	d.mu.Lock()
	if a.result != metrics.HandshakeOK {
		d.mu.Unlock()
		return &sessions.Refusal{Result: a.result}
	}
	d.proxied.remove(a)
	a.source = source
	var displaced *arrival
	if d.silent.n >= l.silent {
		displaced = d.silent.largest().first()
	}
	displaced, r = d.enterSource(a, displaced, l)
	if displaced != nil {
		d.displace(displaced)
	}
	if r == nil {
		d.sources[source]++
		d.silent.add(a)
	} else {
		d.open--
		a.result = r.Result
	}
	d.mu.Unlock()
	displaced.abort()
	return r
}

// displaceable returns the connection that is displaced by a new one of source, or nil.
// It is silent or queued, whichever stage has the larger source; a queued one is
// displaced only by a source that has fewer. Called with mu held.
func (d *admission) displaceable(source netip.Addr) *arrival {
	silent, queued := d.silent.largest(), d.queued.largest()
	switch {
	case silent != nil && (queued == nil || silent.oldest.Len() >= queued.oldest.Len()):
		return silent.first()
	case queued != nil && queued.oldest.Len() > d.queued.count(source)+1:
		return queued.first()
	}
	return nil
}

// exit removes an arrival that has no slot from all counts. It returns why the arrival was
// removed, which is not why if it was removed before.
func (d *admission) exit(a *arrival, why metrics.Handshake) metrics.Handshake {
	d.mu.Lock()
	defer d.mu.Unlock()
	if a.result == metrics.HandshakeOK {
		a.result = why
		if d.draining {
			a.result = metrics.HandshakeShutdown
		}
		d.exitLocked(a)
	}
	return a.result
}

// displace removes an arrival because others need its place. If it had a slot, the caller
// has it now. The caller must call abort after releasing mu. Called with mu held.
func (d *admission) displace(a *arrival) {
	a.result = metrics.HandshakeDisplaced
	d.exitLocked(a)
}

// exitLocked removes an arrival from its stage and all counts. Called with mu held.
func (d *admission) exitLocked(a *arrival) {
	if a.stage != d.proxied {
		d.uncountSource(a.source)
	}
	d.open--
	a.stage.remove(a)
	a.wake()
}

// abort closes a connection that was displaced, with a reset, so that no port stays in
// use. The connection's goroutine gets an error.
func (a *arrival) abort() {
	if a == nil {
		return
	}
	if tcp, ok := a.conn.(interface{ SetLinger(int) error }); ok {
		_ = tcp.SetLinger(0) // on an error it is closed with FIN
	}
	a.conn.Close()
}

// connectionClosed removes a connection of source from the counts, for which
// handshakeDone returned HandshakeOK.
func (d *admission) connectionClosed(source netip.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open--
	d.uncountSource(source)
}

// uncountSource removes one connection of a source from the count. Called with mu held.
func (d *admission) uncountSource(source netip.Addr) {
	if d.sources[source]--; d.sources[source] <= 0 {
		delete(d.sources, source)
	}
}

// connections returns the number of open connections, including those of sessions.
func (d *admission) connections() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open
}

// displaceOne closes a connection that has no slot, so that its descriptor can be used.
// It reports whether there was one.
func (d *admission) displaceOne() bool {
	d.mu.Lock()
	displaced := d.displaceable(netip.Addr{})
	if displaced != nil {
		d.displace(displaced)
	}
	d.mu.Unlock()
	displaced.abort()
	return displaced != nil
}

// drain interrupts the connections that have no slot, and lets no handshake start; stop
// also interrupts the handshakes. The goroutines of the connections see their deadline
// exceeded.
func (d *admission) drain() { d.interrupt(d.proxied, d.silent, d.queued) }
func (d *admission) stop()  { d.interrupt(d.proxied, d.silent, d.queued, d.handshaking) }

func (d *admission) interrupt(stages ...*arrivals) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.draining = true
	d.slotTimer.Stop()
	for _, s := range stages {
		for _, g := range s.groups {
			for e := g.oldest.Front(); e != nil; e = e.Next() {
				a := e.Value.(*arrival)
				a.conn.SetDeadline(time.Unix(1, 0)) // long ago: wakes up the goroutine that waits
				a.wake()
			}
		}
	}
}
