package web

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// conn is a connection of a pool. It leaves the pool when it is closed.
type conn struct {
	net.Conn
	listener *limited
	pool     *pool
	source   netip.Addr    // an IPv4 address, or the /64 of an IPv6 address
	admitted chan struct{} // closed when it is inside
	once     sync.Once

	first []byte // what has been read of it and not returned by Read

	// guarded by pool.mu
	of      *places // of its source
	stage   stage
	turn    int // in which it entered the stage
	since   time.Time
	trusted bool // its latest request had the token
}

func newConn(c net.Conn, l *limited) *conn {
	return &conn{Conn: c, listener: l, pool: l.server.pool, source: sourceOf(c.RemoteAddr()), admitted: make(chan struct{})}
}

// insideBefore reports whether c is closed rather than d for another connection. Called with
// pool.mu held.
func (c *conn) insideBefore(d *conn) bool {
	switch {
	case c.stage <= queued:
		return false
	case d == nil:
		return true
	case c.stage != d.stage:
		return c.stage < d.stage
	case c.trusted != d.trusted:
		return d.trusted
	case c.of.inside != d.of.inside:
		return c.of.inside > d.of.inside
	}
	return c.turn < d.turn
}

// silentBefore is like insideBefore for silent connections.
func (c *conn) silentBefore(d *conn) bool {
	switch {
	case c.stage != silent:
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
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// Close closes the connection, and removes it from the pool.
func (c *conn) Close() error {
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

// connState is http.Server.ConnState: it records that a connection has been answered, to the
// last octet.
func connState(c net.Conn, state http.ConnState) {
	if over, ok := c.(*tls.Conn); ok {
		c = over.NetConn()
	}
	if c, ok := c.(*conn); ok && state == http.StateIdle {
		c.pool.change(c, idle)
	}
}

// track returns a handler that records in the pool that a request is being answered, and
// calls h. It then collects the garbage of requests.
func (s *Server) track(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c := connOf(r); c != nil {
			c.pool.serve(c, s.sentTheToken(r))
		}
		h.ServeHTTP(w, r)
		s.garbage.collect()
	})
}
