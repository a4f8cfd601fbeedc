package tlsfront

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"radsec-gw/metrics"
	"radsec-gw/sessions"
)

// accept accepts connections from l until ctx is done or l is closed. It never waits for
// a connection that it has accepted: connections that wait in the kernel's backlog are
// neither limited nor counted.
func (s *Server) accept(ctx context.Context, l net.Listener) {
	const firstPause, longestPause = 5 * time.Millisecond, time.Second
	spare := openSpare()
	defer spare.close()
	pause := firstPause
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
			s.admit(ctx, c)
			pause = firstPause
			continue
		case ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			return
		case outOfDescriptors(err):
			s.cfg.Metrics.AcceptFailed("radsec")
			s.logNoDescriptors(err)
			if s.admission.displaceOne() || s.rejectWithSpare(ctx, spare, l) {
				continue
			}
		default:
			s.cfg.Metrics.AcceptFailed("radsec")
			s.logCannotAccept(l.Addr().String(), err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		pause = min(2*pause, longestPause)
	}
}

// admit checks what can be checked before anything is read, and starts the connection's
// goroutine.
func (s *Server) admit(ctx context.Context, c net.Conn) {
	remote := addrPort(c.RemoteAddr())
	p := s.policy.Load()
	proxied := p.cfg.proxied(remote.Addr())
	if r := p.Unlisted(remote.Addr()); r != nil && !proxied {
		s.reject(c, remote, r)
		return
	}
	a := &arrival{conn: c, remote: remote, source: sourceOf(remote.Addr())}
	c.SetDeadline(time.Now().Add(p.cfg.SilentTimeout)) // first, because stop may set another
	if r := s.admission.enter(a, proxied, p.cfg.admissionLimits()); r != nil {
		if r.Result == metrics.HandshakeNoDescriptor {
			s.logNoDescriptors(nil)
		}
		s.reject(c, remote, r)
		return
	}
	s.wg.Go(func() { s.serve(ctx, a, proxied) })
}

func (c *Config) admissionLimits() admissionLimits {
	l := admissionLimits{connections: c.MaxConnections, perSource: c.MaxPerSource}
	if c.MaxDescriptors > 0 && c.MaxDescriptors < l.connections {
		l.connections, l.descriptors = c.MaxDescriptors, true
	}
	// Not fewer: when all clients reconnect at once, each is silent until its goroutine
	// reads the ClientHello.
	l.silent = max(1, l.connections/2)
	return l
}

// reject counts, logs and closes a connection, without an alert. Admission does not count
// it, or no longer counts it; closeAfterHandshake closes one that admission still counts.
func (s *Server) reject(c net.Conn, remote netip.AddrPort, r *sessions.Refusal) {
	switch r.Result {
	case metrics.HandshakeShutdown, metrics.HandshakeNoDescriptor: // logNoDescriptors reports the latter
		s.rejectQuietly(c, remote, r)
		return
	}
	c.Close()
	s.logRejected(remote, r)
	s.counts.CountHandshake(r.Result)
}

// rejectQuietly is like reject for a connection that is not an error, such as the health
// check of a load balancer: it is counted, but logged at debug only.
func (s *Server) rejectQuietly(c net.Conn, remote netip.AddrPort, r *sessions.Refusal) {
	c.Close()
	s.log(remote, slog.LevelDebug, "RadSec connection refused", "peer", remote, "result", r.Result, "error", r.Text)
	s.counts.CountHandshake(r.Result)
}

// outOfDescriptors reports whether err is that the process or the system has no file
// descriptors left.
func outOfDescriptors(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// spare is a descriptor in reserve, for accepting and closing a connection when there is
// no other: its peer can try again later, instead of waiting in the kernel's backlog.
type spare struct{ file *os.File }

func openSpare() *spare {
	s := &spare{}
	s.open()
	return s
}

// open opens the spare descriptor if it is closed, and reports whether it is open.
func (s *spare) open() bool {
	if s.file == nil {
		s.file, _ = os.Open(os.DevNull) // nil on an error
	}
	return s.file != nil
}

func (s *spare) close() {
	if s.file != nil {
		s.file.Close()
		s.file = nil
	}
}

// rejectWithSpare accepts a connection with the spare descriptor and closes it, or
// admits it if there are descriptors again. It reports false if there is no spare
// descriptor.
func (s *Server) rejectWithSpare(ctx context.Context, spare *spare, l net.Listener) bool {
	if spare.file == nil {
		return spare.open()
	}
	spare.close()
	c, err := l.Accept()
	if err != nil {
		return false
	}
	if spare.open() {
		s.admit(ctx, c)
		return true
	}
	s.reject(c, addrPort(c.RemoteAddr()), sessions.Refusef(metrics.HandshakeNoDescriptor, "the process has no file descriptors left"))
	return spare.open()
}
