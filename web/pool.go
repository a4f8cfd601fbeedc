package web

import (
	"log/slog"
	"net/netip"
	"time"

	"radsec-gw/locks"
	"radsec-gw/logs"
	"radsec-gw/metrics"
)

// pool bounds the connections of all listeners together, so that idle connections, silent
// ones and callers that do not read their answers keep neither the probes of an
// orchestrator nor Prometheus out.
//
// A connection first is outside: until the head of its first request has arrived, or the
// ClientHello of TLS, and until there is a place inside, where net/http reads its requests. If
// there is none, an idle connection is closed for it, one that waits for its peer in a TLS
// handshake, or one that has been slow for a while. If there is no place outside, a silent
// connection is closed: the oldest one, or that of a source which has most of the places.
// Inside it is the oldest one of the source that has most.
//
// Connections wait in the kernel's backlog only while the first of them waits for a place
// outside: for grace where silent connections have the places, because behind thousands of
// them others would wait for long, and for placeTimeout where requests that have arrived do,
// until they have done so for maxWaited.
type pool struct {
	// static after construction
	maxOutside, maxInside int
	metrics               *metrics.Metrics
	log                   *slog.Logger

	freed chan struct{} // has an element after a place outside became free

	waitingFull, openFull logs.Limiter // lines about connections that are closed for others

	mu      locks.Mutex[locks.HTTPConnections] // guards the rest, and the fields of conns
	conns   map[*conn]struct{}
	sources map[netip.Addr]*places
	total   places
	queued  int                // connections in that stage
	turns   int                // counts changes of stages, to order them
	pending bool               // admitLater will be called
	peeked  [1 + headSize]byte // by hear
}

// places are numbers of connections.
type places struct{ silent, outside, inside int } // outside has the silent ones, too

// stage says what a connection is doing.
type stage int

// The stages: the first two are outside, the others inside. Of these, the
// earlier ones are closed first.
const (
	silent  stage = iota // no whole head has arrived yet
	queued               // waits for a place inside
	idle                 // its last request was answered
	fresh                // the TLS handshake, and until net/http has read the first request
	serving              // a request is being answered
)

const (
	// slowAfter is how long a connection inside may be in the same stage before it is closed
	// for another one, unless it waits for its peer.
	slowAfter = time.Second
	// grace is how long a new connection waits for a place outside rather than have another
	// one closed that is as new, or whose request has arrived: a caller on the same machine
	// has sent its request by then.
	grace = 2 * time.Millisecond
)

func newPool(outside, inside int, m *metrics.Metrics, log *slog.Logger) *pool {
	return &pool{freed: make(chan struct{}, 1), maxOutside: outside, maxInside: inside, metrics: m, log: log, conns: map[*conn]struct{}{}, sources: map[netip.Addr]*places{}}
}

// adding is what became of adding a connection.
type adding int

const (
	added     adding = iota
	tooNew           // not added: another connection that is as new would have to be closed
	allQueued        // not added: the requests of all connections outside have arrived
)

// add adds a connection. If there is no place outside, it closes another connection for it;
// without force none that is new, or whose request has arrived.
func (p *pool) add(c *conn, force bool) adding {
	p.mu.Lock()
	var old *conn
	if p.total.outside >= p.maxOutside {
		var why adding
		if old, why = p.outsideVictim(force); old == nil {
			p.mu.Unlock()
			return why
		}
		p.remove(old)
	}
	p.conns[c] = struct{}{}
	p.enter(c, silent)
	p.hear(c)
	displaced := p.admit()
	p.mu.Unlock()
	if old != nil {
		p.displace(old, &p.waitingFull, p.maxOutside, "as many HTTP connections wait with their first request as may; closing silent ones for new ones")
	}
	p.displaceAll(displaced)
	return added
}

// outsideVictim returns the connection outside that is closed for a new one: a silent one,
// or, if there is none, one that is queued. It returns nil, and why, if none may be closed
// without force. Called with mu held.
func (p *pool) outsideVictim(force bool) (*conn, adding) {
	for {
		old := p.worst((*conn).silentBefore)
		if old == nil {
			break
		}
		if p.hear(old) {
			continue // its goroutine has not run since
		}
		if !force && time.Since(old.since) < grace {
			return nil, tooNew
		}
		return old, added
	}
	if !force {
		return nil, allQueued
	}
	return p.worst((*conn).outsideBefore), added
}

// hear queues a silent connection if its whole head has arrived, read or not, and reports
// whether it has. Called with mu held.
func (p *pool) hear(c *conn) bool {
	if !c.whole.Load() {
		n := peek(c.Conn, p.peeked[1:])
		// Its goroutine may have read the first octet, without which a record of TLS is not
		// known as one.
		p.peeked[0] = recordHandshake
		if n == 0 || !isWhole(p.peeked[1:1+n]) && !isWhole(p.peeked[:1+n]) {
			return false
		}
	}
	p.leave(c)
	p.enter(c, queued)
	return true
}

// queue records that the head of a connection has arrived. c.admitted is closed when
// the connection is inside.
func (p *pool) queue(c *conn) {
	p.mu.Lock()
	if _, open := p.conns[c]; open && c.stage == silent { // else hear has queued it
		p.leave(c)
		p.enter(c, queued)
	}
	displaced := p.admit()
	p.mu.Unlock()
	p.displaceAll(displaced)
}

// serve records that a request is being answered; trusted says whether it has the token.
func (p *pool) serve(c *conn, trusted bool) {
	p.mu.Lock()
	c.trusted = trusted
	p.mu.Unlock()
	p.change(c, serving)
}

// change records that a connection begins another stage, unless it has been closed. It then
// admits what is queued.
func (p *pool) change(c *conn, to stage) {
	p.mu.Lock()
	if _, open := p.conns[c]; open {
		p.leave(c)
		p.enter(c, to)
	}
	displaced := p.admit()
	p.mu.Unlock()
	p.displaceAll(displaced)
}

// closed removes a connection that is being closed, and admits what is queued.
func (p *pool) closed(c *conn) {
	p.mu.Lock()
	p.remove(c)
	displaced := p.admit()
	p.mu.Unlock()
	p.displaceAll(displaced)
}

// admit lets queued connections in, those first of the source that has fewest inside. It
// returns the connections to be closed for them. Called with mu held.
func (p *pool) admit() (displaced []*conn) {
	for p.queued > 0 {
		if p.total.inside >= p.maxInside {
			slow := p.worst((*conn).insideBefore)
			if slow == nil || slow.order() > freshWaiting && time.Since(slow.since) < slowAfter {
				p.admitLater()
				return displaced
			}
			p.remove(slow)
			displaced = append(displaced, slow)
		}
		next := p.worst((*conn).queuedBefore)
		p.leave(next)
		p.enter(next, fresh)
		close(next.admitted)
	}
	return displaced
}

// admitLater calls admit again in a while. Called with mu held.
func (p *pool) admitLater() {
	if p.pending {
		return
	}
	p.pending = true
	time.AfterFunc(slowAfter/8, func() {
		p.mu.Lock()
		p.pending = false
		displaced := p.admit()
		p.mu.Unlock()
		p.displaceAll(displaced)
	})
}

// displaceAll closes connections inside that were removed for others.
func (p *pool) displaceAll(list []*conn) {
	for _, c := range list {
		p.displace(c, &p.openFull, p.maxInside, "as many HTTP connections are open as there may be; closing idle and slow ones for new ones")
	}
}

// displace closes a connection that was removed for another because a limit was reached, and
// logs a text about that.
func (p *pool) displace(c *conn, full *logs.Limiter, limit int, text string) {
	c.Conn.Close()
	close(c.displaced)
	p.metrics.HTTPDisplaced()
	full.Log(func() logs.Line {
		return logs.Line{Log: p.log, Level: slog.LevelWarn, Text: text, Fields: []any{"limit", limit, "closed", c.source.String()}}
	})
}

// interrupt ends the waiting for the heads of the connections of a listener.
func (p *pool) interrupt(l *limited) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		if c.listener == l && c.stage == silent {
			c.Conn.SetReadDeadline(time.Now())
		}
	}
}

// worst returns the connection that comes before all others, or nil if there is none; before
// is false for those that do not count. Called with mu held.
func (p *pool) worst(before func(c, d *conn) bool) (worst *conn) {
	for c := range p.conns {
		if before(c, worst) {
			worst = c
		}
	}
	return worst
}

// enter records that c begins a stage. Called with mu held.
func (p *pool) enter(c *conn, s stage) {
	if c.of = p.sources[c.source]; c.of == nil {
		c.of = &places{}
		p.sources[c.source] = c.of
	}
	p.turns++
	c.stage, c.turn, c.since = s, p.turns, time.Now()
	p.count(c, 1)
}

// leave records that c ends its stage. Called with mu held.
func (p *pool) leave(c *conn) {
	if p.count(c, -1); *c.of == (places{}) {
		delete(p.sources, c.source)
	}
	if c.stage <= queued {
		select {
		case p.freed <- struct{}{}:
		default:
		}
	}
}

// count adds n to the numbers that c counts for. Called with mu held.
func (p *pool) count(c *conn, n int) {
	switch c.stage {
	case silent:
		c.of.silent += n
	case queued:
		p.queued += n
	}
	if c.stage <= queued {
		c.of.outside += n
		p.total.outside += n
	} else {
		c.of.inside += n
		p.total.inside += n
	}
}

// remove removes c if it has not been removed. Called with mu held.
func (p *pool) remove(c *conn) {
	if _, open := p.conns[c]; open {
		p.leave(c)
		delete(p.conns, c)
	}
}
