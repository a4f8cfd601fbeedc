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
// A connection first is outside: until its first octet has arrived, and until there is
// a place inside, where net/http reads its requests. If there is none, an idle connection is
// closed for it, or one that has been slow for a while. Where a connection has to be closed
// for another it is one of the source that has most. While there is no place outside
// either, connections wait in the kernel's backlog.
type pool struct {
	// static after construction
	maxOutside, maxInside int
	metrics               *metrics.Metrics
	log                   *slog.Logger

	waitingFull, openFull logs.Limiter // lines about connections that are closed for others

	mu      locks.Mutex[locks.HTTPConnections] // guards the rest, and the fields of conns
	conns   map[*conn]struct{}
	sources map[netip.Addr]*places
	total   places
	queued  int  // connections in that stage
	turns   int  // counts changes of stages, to order them
	pending bool // admitLater will be called
}

// places are numbers of connections.
type places struct{ outside, inside int }

// stage says what a connection is doing.
type stage int

// The stages: the first two are outside, the others inside. Of these, the
// earlier ones are closed first.
const (
	silent  stage = iota // nothing has arrived yet
	queued               // waits for a place inside
	idle                 // its last request was answered
	fresh                // waits for the rest of the first request, or of the TLS handshake before it
	serving              // a request is being answered
)

const (
	// slowAfter is how long a connection inside may be in the same stage before it is closed
	// for another one; an idle one may be closed at any time.
	slowAfter = time.Second
	// silentAfter is the same for a silent one.
	silentAfter = 500 * time.Millisecond
)

func newPool(outside, inside int, m *metrics.Metrics, log *slog.Logger) *pool {
	return &pool{maxOutside: outside, maxInside: inside, metrics: m, log: log, conns: map[*conn]struct{}{}, sources: map[netip.Addr]*places{}}
}

// add adds a silent connection, and reports whether there was a place for it outside. For lack
// of a place it closes a connection that has been silent for a while.
func (p *pool) add(c *conn) bool {
	p.mu.Lock()
	var old *conn
	if p.total.outside >= p.maxOutside {
		old = p.worst((*conn).silentBefore)
		if old == nil || time.Since(old.since) < silentAfter {
			p.mu.Unlock()
			return false
		}
		p.remove(old)
	}
	p.conns[c] = struct{}{}
	p.enter(c, silent)
	p.mu.Unlock()
	if old != nil {
		p.displace(old, &p.waitingFull, p.maxOutside, "as many HTTP connections wait with their first request as may; closing silent ones for new ones")
	}
	return true
}

// queue records that the first octet of a connection has arrived. c.admitted is closed when
// the connection is inside.
func (p *pool) queue(c *conn) { p.change(c, queued) }

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
			if slow == nil || slow.stage != idle && time.Since(slow.since) < slowAfter {
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
	p.metrics.HTTPDisplaced()
	full.Log(func() logs.Line {
		return logs.Line{Log: p.log, Level: slog.LevelWarn, Text: text, Fields: []any{"limit", limit, "closed", c.source.String()}}
	})
}

// interrupt ends the waiting for the first octet of the connections of a listener.
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
}

// count adds n to the numbers that c counts for. Called with mu held.
func (p *pool) count(c *conn, n int) {
	if c.stage == queued {
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
