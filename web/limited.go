package web

import (
	"net"
	"sync"
)

// limited is a listener that has at most cap(slots) connections open; more wait
// in the kernel's backlog.
type limited struct {
	net.Listener
	slots chan struct{}

	once   sync.Once
	closed chan struct{}
}

func (l *limited) init() { l.closed = make(chan struct{}) }

// Accept waits for a free slot and then for a connection.
func (l *limited) Accept() (net.Conn, error) {
	l.once.Do(l.init)
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &limitedConn{Conn: c, free: sync.OnceFunc(func() { <-l.slots })}, nil
}

// Close closes the listener; it may be called more than once.
func (l *limited) Close() error {
	l.once.Do(l.init)
	err := l.Listener.Close()
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return err
}

// limitedConn gives its slot back when it is closed.
type limitedConn struct {
	net.Conn
	free func()
}

// Close closes the connection.
func (c *limitedConn) Close() error {
	defer c.free()
	return c.Conn.Close()
}
