package udpback

import (
	"log/slog"
	"net/netip"

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

// ofFamily returns the addresses that can be reached from the server's source.
func (s *Server) ofFamily(all []netip.Addr) (list []netip.Addr) {
	for _, a := range all {
		if !s.source.IsValid() || a.Unmap().Is4() == s.source.Is4() {
			list = append(list, a)
		}
	}
	return list
}
