package web

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// conn is a connection of a pool. It leaves the pool when it is closed.
type conn struct {
	net.Conn
	listener  *limited
	pool      *pool
	source    netip.Addr    // an IPv4 address, or the /64 of an IPv6 address
	admitted  chan struct{} // closed when it is inside
	displaced chan struct{} // closed when it has been closed for another
	once      sync.Once

	first []byte // what has been read of it and not returned by Read

	whole     atomic.Bool // the head of its first request has been read
	reading   atomic.Bool // in Read
	asked     atomic.Bool // it has sent a request
	owing     atomic.Bool // it has not sent the whole body of its request
	computing atomic.Bool // it has one of Server.handshakes

	writing atomic.Pointer[time.Time] // when the Write that it is in began; nil: it is in none

	// guarded by pool.mu
	of      *places // of its source
	stage   stage
	turn    int // in which it entered the stage
	since   time.Time
	trusted bool // its latest request had the token
}

func newConn(c net.Conn, l *limited) *conn {
	return &conn{Conn: c, listener: l, pool: l.server.pool, source: sourceOf(c.RemoteAddr()), admitted: make(chan struct{}), displaced: make(chan struct{})}
}

// The order in which connections inside are closed for others.
const (
	idleFirst    = iota
	freshWaiting // for the peer; with those that do not send the body of their request, or do not read its answer
	freshRest
	servingLast
)

// order returns the place of a connection inside in that order. Called with pool.mu held.
func (c *conn) order() int {
	switch {
	case c.stage == idle:
		return idleFirst
	case c.stage == serving && (c.reading.Load() && c.owing.Load() || c.blocked()):
		return freshWaiting
	case c.stage == serving:
		return servingLast
	case c.reading.Load() && !c.asked.Load(): // else net/http only watches for its end
		return freshWaiting
	}
	return freshRest
}

// insideBefore reports whether c is closed rather than d for another connection. Called with
// pool.mu held.
func (c *conn) insideBefore(d *conn) bool {
	switch {
	case c.stage <= queued:
		return false
	case d == nil:
		return true
	case c.order() != d.order():
		return c.order() < d.order()
	case c.trusted != d.trusted:
		return d.trusted
	case c.of.inside != d.of.inside:
		return c.of.inside > d.of.inside
	}
	return c.turn < d.turn
}

// silentBefore is like insideBefore for silent connections: the oldest goes first, unless one
// source has more than half of the places. Among many sources it must not matter that one
// has two and others one: a caller of it that is about to speak would go at once.
func (c *conn) silentBefore(d *conn) bool {
	switch {
	case c.stage != silent:
		return false
	case d == nil:
		return true
	case c.floods() != d.floods():
		return c.floods()
	}
	return c.turn < d.turn
}

// floods reports whether the silent connections of c's source have more than half of the
// places outside. Called with pool.mu held.
func (c *conn) floods() bool { return c.of.silent > c.pool.maxOutside/2 }

// outsideBefore is like insideBefore for connections outside.
func (c *conn) outsideBefore(d *conn) bool {
	switch {
	case c.stage > queued:
		return false
	case d == nil:
		return true
	case c.of.outside != d.of.outside:
		return c.of.outside > d.of.outside
	}
	return c.turn < d.turn
}

// queuedBefore reports whether c is let in before d. Called with pool.mu held.
func (c *conn) queuedBefore(d *conn) bool {
	switch {
	case c.stage != queued:
		return false
	case d == nil:
		return true
	case c.of.inside != d.of.inside:
		return c.of.inside < d.of.inside
	}
	return c.turn < d.turn
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.first) > 0 && len(p) > 0 {
		n := copy(p, c.first)
		if c.first = c.first[n:]; len(c.first) == 0 {
			c.first = nil // for the collector: the connection may be idle for long
		}
		return n, nil
	}
	c.endComputing()
	c.reading.Store(true)
	defer c.reading.Store(false)
	return c.Conn.Read(p)
}

// Write implements net.Conn.
func (c *conn) Write(p []byte) (int, error) {
	c.endComputing() // a handshake computes all of its messages, and then writes them
	now := time.Now()
	c.writing.Store(&now)
	defer c.writing.Store(nil)
	return c.Conn.Write(p)
}

// blocked reports whether a Write waits for the peer to read: it has lasted longer than the
// kernel needs to take what it can keep.
func (c *conn) blocked() bool {
	since := c.writing.Load()
	return since != nil && time.Since(*since) > 20*time.Millisecond
}

// Close closes the connection, and removes it from the pool.
func (c *conn) Close() error {
	c.endComputing()
	c.once.Do(func() { c.pool.closed(c) })
	return c.Conn.Close()
}

// sourceOf returns the source of a connection: an IPv4 address, or the /64 of an IPv6
// address, of which one machine may have all. It is zero if the address is not IP.
func sourceOf(a net.Addr) netip.Addr {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	addr := tcp.AddrPort().Addr().Unmap().WithZone("")
	if addr.Is6() {
		return netip.PrefixFrom(addr, 64).Masked().Addr()
	}
	return addr
}

// connKey is the key of the *conn in the context of a request.
type connKey struct{}

// withConn is http.Server.ConnContext.
func withConn(ctx context.Context, c net.Conn) context.Context {
	if over, ok := c.(*tls.Conn); ok {
		c = over.NetConn()
	}
	return context.WithValue(ctx, connKey{}, c)
}

// connOf returns the connection of a request, or nil if it is not of a pool.
func connOf(r *http.Request) *conn {
	c, _ := r.Context().Value(connKey{}).(*conn)
	return c
}

// connState is http.Server.ConnState: it records that a connection has sent a request, and that
// it has been answered, to the last octet.
func connState(c net.Conn, state http.ConnState) {
	if over, ok := c.(*tls.Conn); ok {
		c = over.NetConn()
	}
	if c, ok := c.(*conn); ok {
		switch state {
		case http.StateActive:
			c.asked.Store(true)
		case http.StateIdle:
			c.owing.Store(false)
			c.pool.change(c, idle)
		}
	}
}

// track returns a handler that records in the pool that a request is being answered, and
// calls h. It then collects the garbage of requests.
func (s *Server) track(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c := connOf(r); c != nil {
			if r.ContentLength != 0 { // -1: it is chunked
				c.owing.Store(true)
				r.Body = &body{r.Body, c}
			}
			c.pool.serve(c, s.sentTheToken(r))
		}
		h.ServeHTTP(w, r)
		s.garbage.collect()
	})
}

// body is the body of a request. It records that the whole of it has arrived.
type body struct {
	io.ReadCloser
	of *conn
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.of.owing.Store(false)
	}
	return n, err
}
