package web

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"radsec-gw/logs"
)

// limited is a listener that has at most cap(slots) connections open; more wait in the
// kernel's backlog. After an error it tries again until it is closed: the process may be
// out of descriptors for a while.
type limited struct {
	net.Listener
	slots   chan struct{}
	current *atomic.Pointer[settings]
	failed  func(error) // called for each error after which it tries again

	closing sync.Once
	closed  chan struct{}
}

func (s *Server) limit(l net.Listener) *limited {
	var failing logs.Limiter
	return &limited{Listener: l, slots: make(chan struct{}, s.cfg.MaxConnections), current: &s.current, closed: make(chan struct{}),
		failed: func(err error) {
			s.cfg.Metrics.AcceptFailed("http")
			failing.Log(func() logs.Line {
				return logs.Line{Log: slog.New(s.cfg.Logs), Level: slog.LevelError, Text: "cannot accept HTTP connections; trying again",
					Fields: []any{"address", l.Addr().String(), "error", err}}
			})
		}}
}

// Accept waits for a free slot and then for a connection.
func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	c = &limitedConn{Conn: c, free: sync.OnceFunc(func() { <-l.slots })}
	if cfg := l.current.Load().tls; cfg != nil {
		// Outermost: net/http does the handshake under its deadline, and reports how it
		// failed, for a *tls.Conn only.
		return tls.Server(c, cfg), nil
	}
	return c, nil
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
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-l.closed:
			t.Stop()
			return nil, net.ErrClosed
		}
	}
}

// Close closes the listener; it may be called more than once.
func (l *limited) Close() error {
	err := l.Listener.Close()
	l.closing.Do(func() { close(l.closed) })
	return err
}

// limitedConn releases its slot when it is closed.
type limitedConn struct {
	net.Conn
	free func()
}

// Close closes the connection.
func (c *limitedConn) Close() error {
	defer c.free()
	return c.Conn.Close()
}
