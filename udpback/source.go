package udpback

import (
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"radsec-gw/udpback/datagram"
)

// noteLocal logs the local address of a new socket when that is another than before: it is
// what the server must know as a client.
func (s *Server) noteLocal(c datagram.Conn) {
	a := localOf(c)
	if !a.IsValid() {
		return
	}
	ip := a.Addr().Unmap()
	was := s.local.Swap(&ip)
	if was != nil && *was == ip {
		return
	}
	s.backend.log.Info("requests to the server have this source address, which it must know as a client", "server", s.Name, "source", ip)
}

// sourceAttr returns the local address of the last socket as an attribute of a log line; an
// empty one if there was none.
func (s *Server) sourceAttr() slog.Attr {
	if ip := s.local.Load(); ip != nil {
		return slog.String("source", ip.String())
	}
	return slog.Attr{}
}

// lacksSource reports whether an error is the lack of the configured source.
func (s *Server) lacksSource(err error) bool { return s.source.IsValid() && datagram.IsSourceGone(err) }

// noSource is what is said of a server whose source no interface has.
func (s *Server) noSource() string {
	return "no interface of this machine has source of the [[server]], " + s.source.String() + "; it is tried again until one has"
}

// hasSource reports whether an interface of this machine has the configured source, or the
// interfaces cannot be listed. It makes system calls.
func (s *Server) hasSource() bool {
	all, err := s.backend.interfaceAddrs()
	return err != nil || slices.ContainsFunc(all, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err == nil && prefix.Addr().Unmap() == s.source.Unmap().WithZone("")
	})
}

// sourceCheckPause is for how long the interfaces of this machine are not listed again for
// one port.
const sourceCheckPause = time.Second

// sourceCheck finds the cause of errors of the sockets of a port whose server has a source.
// The kernel says that the network is unreachable, or the argument invalid, when the
// socket's own address is gone.
type sourceCheck struct {
	running   atomic.Bool
	checkedAt atomic.Int64 // when the interfaces were last listed; 0: never
	missing   atomic.Bool  // none had the source then
}

// explain reports an error with its cause. It does not wait: the interfaces are listed by
// another goroutine. Errors meanwhile are not reported.
func (c *sourceCheck) explain(e *endpoint, err error) {
	now := e.server.backend.Now()
	if at := c.checkedAt.Load(); at != 0 && now-time.Duration(at) < sourceCheckPause {
		c.report(e, err)
		return
	}
	if !c.running.CompareAndSwap(false, true) {
		return
	}
	started := e.sockets.inBackground(func() {
		c.missing.Store(!e.server.hasSource())
		c.checkedAt.Store(int64(e.server.backend.Now()))
		c.running.Store(false)
		if !e.health.HeardSince(now) {
			c.report(e, err)
		}
	})
	if !started {
		c.running.Store(false)
	}
}

func (c *sourceCheck) report(e *endpoint, err error) {
	if c.missing.Load() {
		e.log.sourceMissing(slog.LevelWarn, socketFailed, err)
	} else {
		e.log.socketFailed(err)
	}
}

// ofFamily returns the addresses that can be reached from the server's source.
func (s *Server) ofFamily(all []netip.Addr) (list []netip.Addr) {
	for _, a := range all {
		if !s.source.IsValid() || a.Unmap().Is4() == s.source.Is4() {
			list = append(list, a)
		}
	}
	return list
}
