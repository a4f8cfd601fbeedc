package web

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"radsec-gw/logs"
)

const (
	// silentTimeout is how long a connection may be silent.
	silentTimeout = 5 * time.Second
	// placeTimeout is how long a new connection waits for a place outside while requests that
	// have arrived have all of them, and none of them gets a place inside: longer than a
	// collection of garbage and busy processors hold them up.
	placeTimeout = 200 * time.Millisecond
	// maxWaited bounds how long new connections wait for places outside in a row. After that
	// they wait for a tenth of the time only: a caller behind thousands of others in the
	// kernel's backlog must not wait until each of them has been answered.
	maxWaited = 500 * time.Millisecond
	// writeBuffer is how many bytes of answers the kernel keeps of a connection, which doubles
	// it. It would keep several megabytes: thousands of callers that ask on and on and read
	// nothing would have that much written for each before they are closed. At 64 KiB and a
	// round trip of 20 ms a scrape still gets 6 MB a second.
	writeBuffer = 64 << 10
	// queueTimeout is how long one may wait for a place inside the pool.
	queueTimeout = 10 * time.Second
)

// limited is a listener whose connections are in the server's pool. Accept returns those
// that are inside. After an error it tries again until it is closed: the process may be out
// of descriptors for a while.
type limited struct {
	net.Listener
	server *Server
	failed func(error) // called for each error after which it tries again
	inside chan *conn

	// owned by run
	nextRest time.Time     // not before then
	waited   time.Duration // for places outside, without what has been forgotten since
	waitedAt time.Time     // when waited was computed

	closing   sync.Once
	closed    chan struct{}
	accepting sync.WaitGroup // run
	receiving sync.WaitGroup // receive
}

// limit returns a listener over l. Its Close must be called, which waits for its goroutines.
func (s *Server) limit(l net.Listener) *limited {
	var failing logs.Limiter
	limited := &limited{Listener: l, server: s, inside: make(chan *conn), closed: make(chan struct{}),
		failed: func(err error) {
			s.cfg.Metrics.AcceptFailed("http")
			failing.Log(func() logs.Line {
				return logs.Line{Log: slog.New(s.cfg.Logs), Level: slog.LevelError, Text: "cannot accept HTTP connections; trying again",
					Fields: []any{"address", l.Addr().String(), "error", err}}
			})
		}}
	limited.accepting.Go(limited.run)
	return limited
}

// Accept waits for a connection that is inside.
func (l *limited) Accept() (net.Conn, error) {
	select {
	case c := <-l.inside:
		if cfg := l.server.current.Load().tls; cfg != nil {
			// Outermost: net/http does the handshake under its deadline, and reports how it
			// failed, for a *tls.Conn only.
			return tls.Server(c, cfg), nil
		}
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// run accepts connections until l is closed.
func (l *limited) run() {
	for {
		accepted, err := l.accept()
		if err != nil {
			return
		}
		if tcp, ok := accepted.(*net.TCPConn); ok {
			tcp.SetWriteBuffer(writeBuffer)
		}
		c := newConn(accepted, l)
		if !l.add(c) {
			c.Conn.Close()
			return
		}
		c.Conn.SetReadDeadline(time.Now().Add(silentTimeout))
		l.receiving.Go(func() { l.receive(c) })
	}
}

// add adds a connection to the pool, and reports whether it did before l was closed.
func (l *limited) add(c *conn) bool {
	p := l.server.pool
	switch p.add(c, false) {
	case added:
		return true
	case tooNew:
		// Rests are a small part of the time, however long they turn out to be, so that the
		// kernel's backlog stays empty; what was in it meanwhile has had its grace there.
		if start := time.Now(); start.After(l.nextRest) {
			if !l.sleep(grace) {
				return false
			}
			l.nextRest = time.Now().Add(5 * time.Since(start))
		}
	case allQueued:
		if ok, open := l.awaitPlace(c); ok || !open {
			return open
		}
	}
	p.add(c, true)
	return true
}

// awaitPlace adds a connection when a place outside becomes free in time, and reports whether
// it did, and whether l is still open.
func (l *limited) awaitPlace(c *conn) (ok, open bool) {
	start := time.Now()
	l.waited = max(0, l.waited-start.Sub(l.waitedAt)/10)
	defer func() {
		l.waitedAt = time.Now()
		l.waited += l.waitedAt.Sub(start)
	}()
	t := time.NewTimer(min(placeTimeout, maxWaited-l.waited))
	defer t.Stop()
	for {
		select {
		case <-l.server.pool.freed:
			if l.server.pool.add(c, false) == added {
				return true, true
			}
		case <-t.C:
			return false, true
		case <-l.closed:
			return false, false
		}
	}
}

// accept waits for a connection, and tries again after an error.
func (l *limited) accept() (net.Conn, error) {
	const longestPause = time.Second
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, longestPause) {
		c, err := l.Listener.Accept()
		if err == nil || errors.Is(err, net.ErrClosed) {
			return c, err
		}
		l.failed(err)
		if !l.sleep(pause) {
			return nil, net.ErrClosed
		}
	}
}

// sleep pauses the accepting, and reports whether l is still open.
func (l *limited) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-l.closed:
		return false
	}
}

// receive waits for the head of a connection and for a place inside, and passes the
// connection on to Accept, or closes it.
func (l *limited) receive(c *conn) {
	passed := false
	defer func() {
		if !passed {
			c.Close()
		}
	}()
	if !c.readHead() {
		return // without a word, as a health check of the port, or for too long
	}
	timeout := time.NewTimer(queueTimeout)
	defer timeout.Stop()
	c.pool.queue(c)
	select {
	case <-c.admitted:
	case <-c.displaced:
		return
	case <-timeout.C:
		return
	case <-l.closed:
		return
	}
	c.Conn.SetReadDeadline(time.Time{})
	select {
	case l.inside <- c:
		passed = true
	case <-l.closed:
	}
}

// Close closes the listener and what it has not passed on; it may be called more than once.
func (l *limited) Close() error {
	err := l.Listener.Close()
	l.closing.Do(func() { close(l.closed) })
	l.accepting.Wait()
	l.server.pool.interrupt(l)
	l.receiving.Wait()
	return err
}
