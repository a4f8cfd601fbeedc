package tlsfront

import (
	"container/list"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"radsec-gw/metrics"
)

// An accepted connection goes through stages until its client is known:
//
//	proxied  from a load balancer whose PROXY header has not come yet
//	silent   has not begun a ClientHello
//	queued   has begun one, and waits for one of the slots
//	shaking  has a slot: TLS is under way
//
// Connections are always accepted, and each stage has a bound. Where one is
// reached, the stage's largest source gives way: its oldest connection is
// closed. So no source can take more than a share, which shrinks as others
// arrive; a lone source may take everything.

// admission decides which of the connections without a client may go on.
type admission struct {
	tls *metrics.TLS // static after construction

	mu          sync.Mutex // guards what follows, and what an arrival says it guards
	slots       int        // handshakes at one time
	draining    bool       // no handshake begins any more
	open        int        // connections, those of sessions included
	sources     map[netip.Addr]int
	proxied     *arrivals // the source is the load balancer's
	silent      *arrivals
	queued      *arrivals
	handshaking *arrivals
	slotTimer   *time.Timer // runs while some are queued
}

// arrival is an accepted connection that has no client yet.
type arrival struct {
	// static after construction
	conn net.Conn

	// owned by the connection's goroutine
	remote netip.AddrPort // of the load balancer until its header is read

	// guarded by admission.mu
	source   netip.Addr        // as sourceOf has it
	deadline time.Time         // by when its handshake must be done
	started  time.Time         // when its handshake got a slot
	stage    *arrivals         // nil: none
	group    *group            // in stage
	place    *list.Element     // in group
	ready    chan struct{}     // closed when a queued arrival need not wait any more
	result   metrics.Handshake // why it has ended and counts no more; HandshakeOK: it has not

	waitingSince atomic.Int64 // since when its handshake waits for the peer, in Unix time in ns; 0: it does not
	waited       atomic.Int64 // how long it has waited before that, in ns
}

// admissionLimits are the bounds that a configuration sets.
type admissionLimits struct {
	connections int  // all, those of sessions included
	perSource   int  // likewise, of one source; 0: no limit
	silent      int  // that have not begun a handshake
	descriptors bool // connections is what the process has descriptors for
}

func newAdmission(slots int, m *metrics.TLS) *admission {
	d := &admission{slots: slots, tls: m, sources: map[netip.Addr]int{}}
	d.proxied, d.silent = newArrivals(m.AddSilent), newArrivals(m.AddSilent)
	d.queued, d.handshaking = newArrivals(m.AddQueued), newArrivals(m.AddHandshaking)
	d.slotTimer = time.AfterFunc(slotInterval, d.findSlots)
	d.slotTimer.Stop()
	return d
}

// enter takes a new connection in, unless a limit is reached and nobody gives
// way. proxied says that a PROXY header comes first, which tells the source:
// identify is called then.
func (d *admission) enter(a *arrival, proxied bool, l admissionLimits) (result metrics.Handshake, text string) {
	d.mu.Lock()
	var displaced *arrival
	switch {
	case d.draining:
		result, text = metrics.HandshakeShutdown, "the gateway stops"
	case d.open >= l.connections:
		if displaced = d.displaceable(a.source); displaced == nil {
			result, text = metrics.HandshakeTooMany, fmt.Sprintf("%d connections are open, which is the limit (max_connections)", d.open)
			if l.descriptors {
				result, text = metrics.HandshakeNoDescriptor, fmt.Sprintf("%d connections are open, for more the process has no file descriptors", d.open)
			}
		}
	case proxied && d.proxied.n >= l.silent:
		displaced = d.proxied.largest().first()
	case !proxied && d.silent.n >= l.silent:
		displaced = d.silent.largest().first()
	}
	if result == metrics.HandshakeOK && !proxied {
		displaced, result, text = d.enterSource(a, displaced, l)
	}
	if displaced != nil {
		d.displace(displaced)
	}
	if result == metrics.HandshakeOK {
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
	return result, text
}

// enterSource applies the limit of one source. displaced gives way already, or
// is nil; a silent connection of the source itself does when it has to.
func (d *admission) enterSource(a, displaced *arrival, l admissionLimits) (*arrival, metrics.Handshake, string) {
	n := d.sources[a.source]
	if l.perSource <= 0 || n < l.perSource || displaced != nil && displaced.source == a.source {
		return displaced, metrics.HandshakeOK, ""
	}
	if g := d.silent.groups[a.source]; g != nil {
		return g.first(), metrics.HandshakeOK, ""
	}
	return nil, metrics.HandshakeTooMany, fmt.Sprintf("%v has %d connections, which is the limit for one source (max_connections_per_source)", a.source, n)
}

// identify moves a connection whose PROXY header has named its source to the
// silent ones.
func (d *admission) identify(a *arrival, source netip.Addr, l admissionLimits) (result metrics.Handshake, text string) {
	d.mu.Lock()
	if a.result != metrics.HandshakeOK {
		d.mu.Unlock()
		return a.result, ""
	}
	d.proxied.remove(a)
	a.source = source
	var displaced *arrival
	if d.silent.n >= l.silent {
		displaced = d.silent.largest().first()
	}
	displaced, result, text = d.enterSource(a, displaced, l)
	if displaced != nil {
		d.displace(displaced)
	}
	if result == metrics.HandshakeOK {
		d.sources[source]++
		d.silent.add(a)
	} else {
		d.open--
		a.result = result
	}
	d.mu.Unlock()
	displaced.abort()
	return result, text
}

// displaceable returns the connection that a new one of source may take the place
// of, or nil. It is silent or queued, whichever stage has the larger source; one
// that is queued gives way only to a source that has fewer. Called with mu held.
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

// exit ends an arrival that has no slot, because of its peer: it counts no
// more. It returns why the arrival has ended, which may have been decided before.
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

// displace takes an arrival out because others need what it holds; a slot that
// it had is the caller's. The caller calls abort after mu is released. Called
// with mu held.
func (d *admission) displace(a *arrival) {
	a.result = metrics.HandshakeDisplaced
	d.exitLocked(a)
}

// exitLocked takes an arrival out of its stage and of all counts. Called with mu held.
func (d *admission) exitLocked(a *arrival) {
	if a.stage != d.proxied {
		d.forgetSource(a.source)
	}
	d.open--
	a.stage.remove(a)
	a.wake()
}

// abort closes a connection that was displaced. Its peer gets a reset: nothing
// is owed to it, and no port stays taken. Its goroutine finds out by itself.
func (a *arrival) abort() {
	if a == nil {
		return
	}
	if tcp, ok := a.conn.(interface{ SetLinger(int) error }); ok {
		_ = tcp.SetLinger(0) // then it ends in order
	}
	a.conn.Close()
}

// connectionClosed says that a connection of source is closed, which over did not report
// as closed from here.
func (d *admission) connectionClosed(source netip.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open--
	d.forgetSource(source)
}

// forgetSource is the end of what enterSource has counted. Called with mu held.
func (d *admission) forgetSource(source netip.Addr) {
	if d.sources[source]--; d.sources[source] <= 0 {
		delete(d.sources, source)
	}
}

// connections returns how many are open, those of sessions included.
func (d *admission) connections() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open
}

// displaceOne closes a connection that has no slot yet, so that its descriptor can be
// used; it reports whether there was one.
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

// drain ends what has no slot, and lets no handshake begin; stop ends the
// handshakes, too. The goroutines of the connections find their deadline over.
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
				a.conn.SetDeadline(time.Unix(1, 0)) // long ago: whoever waits wakes up
				a.wake()
			}
		}
	}
}
