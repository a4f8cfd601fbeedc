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
)

// accept takes connections from l until ctx is done or l is closed. It never
// waits for a connection that it has accepted: what waits in the kernel's
// backlog would be out of reach of every bound and of every metric.
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

// admit checks what can be checked before anything is read, and starts the
// goroutine of the connection.
func (s *Server) admit(ctx context.Context, c net.Conn) {
	remote := addrPort(c.RemoteAddr())
	p := s.policy.Load()
	proxied := p.cfg.proxied(remote.Addr())
	if !proxied && !p.identities.Lists(remote.Addr()) {
		s.reject(c, remote, metrics.HandshakeUnknownNetwork, p.identities.Unlisted(remote.Addr()))
		return
	}
	a := &arrival{conn: c, remote: remote, source: sourceOf(remote.Addr())}
	c.SetDeadline(time.Now().Add(p.cfg.SilentTimeout)) // before stop can set another
	if result, text := s.admission.enter(a, proxied, p.cfg.admissionLimits()); result != metrics.HandshakeOK {
		if result == metrics.HandshakeNoDescriptor {
			s.logNoDescriptors(nil)
		}
		s.reject(c, remote, result, text)
		return
	}
	s.wg.Go(func() { s.serve(ctx, a, proxied) })
}

func (c *Config) admissionLimits() admissionLimits {
	l := admissionLimits{connections: c.MaxConnections, perSource: c.MaxPerSource}
	if c.MaxDescriptors > 0 && c.MaxDescriptors < l.connections {
		l.connections, l.descriptors = c.MaxDescriptors, true
	}
	// Not fewer: clients that reconnect all at once are silent for as long as it
	// takes us to look at them.
	l.silent = max(1, l.connections/2)
	return l
}

// reject closes a connection that admission does not count, or not any more.
func (s *Server) reject(c net.Conn, remote netip.AddrPort, result metrics.Handshake, text string) {
	c.Close()
	switch result {
	case metrics.HandshakeShutdown, metrics.HandshakeNoDescriptor: // sayNoDescriptors tells of those
		s.log(remote, slog.LevelDebug, "RadSec connection refused", "peer", remote, "result", result, "error", text)
	default:
		s.logRefused(remote, result, text)
	}
	s.cfg.Metrics.TLS().CountHandshake(result)
}

// rejectQuietly is reject for what is no fault of anybody, such as the health check of
// a load balancer: it is counted, but logged at debug only.
func (s *Server) rejectQuietly(c net.Conn, remote netip.AddrPort, result metrics.Handshake, text string) {
	c.Close()
	s.log(remote, slog.LevelDebug, "RadSec connection refused", "peer", remote, "result", result, "error", text)
	s.cfg.Metrics.TLS().CountHandshake(result)
}

// outOfDescriptors reports whether the process or the system has no file
// descriptor left.
func outOfDescriptors(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// spare is a descriptor that is kept so that a connection can be accepted and
// closed when there is no other: its peer learns at once that it has to try
// again later, instead of waiting in the kernel's backlog.
type spare struct{ file *os.File }

func openSpare() *spare {
	s := &spare{}
	s.open()
	return s
}

// open reports whether the spare descriptor is there, opening it if need be.
func (s *spare) open() bool {
	if s.file == nil {
		s.file, _ = os.Open(os.DevNull) // nil: there is none, which the caller asks about
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
// admits it when there are descriptors again. It reports false when there is no
// spare descriptor.
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
	s.reject(c, addrPort(c.RemoteAddr()), metrics.HandshakeNoDescriptor, "the process has no file descriptor left")
	return spare.open()
}
