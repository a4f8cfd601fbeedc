package tlsfront

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"radsec-gw/identity"
	"radsec-gw/locks"
	"radsec-gw/metrics"
	"radsec-gw/sessions"
)

// Session is one connection of a known client.
type Session struct {
	// static after construction
	server  *Server
	remote  netip.AddrPort
	conn    *conn
	tls     *tls.Conn
	v11     bool   // RADIUS/1.1 was negotiated
	number  uint64 // of the session, counted from 1 by all listeners together
	handler sessions.Handler

	entry    sessions.Entry
	closing  atomic.Bool // set once, by Terminate
	draining atomic.Bool // set once, by StartDraining
	drained  string      // why; written before draining is set

	attached atomic.Bool // handler is set, so that Send may call it

	mu         locks.Mutex[locks.Session] // guards why the session ends
	terminated bool
	reason     metrics.Reason
	text       string

	// owned by the read loop
	cutter         cutter
	packets        int          // given to the handler so far
	describe       func() []any // attributes of the line that says it was accepted; nil: it was logged
	activity       sessions.Activity
	partSince      time.Time // when the first octet of an incomplete packet arrived; zero: none is incomplete
	deadline       time.Time // the current read deadline
	sinceFlush     int       // packets given to the handler since its last Flush
	throttledSince time.Time // since when packets exceed a limit; zero: they do not
	inputEnd       *inputEnd // why no more packets are read; nil: they are
	wasDone        bool      // nothing was outstanding at the last check while draining
}

// Client returns the configured client of the connection. After a change of the configuration
// it may be another object with the same name.
func (s *Session) Client() *sessions.Client { return s.entry.Client() }

// Entry returns the session's entry in the table of all sessions.
func (s *Session) Entry() *sessions.Entry { return &s.entry }

// Peer returns who the session is with, and the certificates of its handshake, or of the
// original one if it resumed a session.
func (s *Session) Peer() (*identity.Peer, []*x509.Certificate) {
	certs := s.tls.ConnectionState().PeerCertificates
	return identity.NewPeer(s.remote.Addr(), certs), certs
}

// config returns the current configuration.
func (s *Session) config() *Config { return &s.server.policy.Load().cfg }

// RemoteAddr returns the peer's address. It is never an IPv4-mapped IPv6 address.
func (s *Session) RemoteAddr() netip.AddrPort { return s.remote }

// LocalAddr returns the address that the peer is connected to; invalid where it is not
// known.
func (s *Session) LocalAddr() netip.AddrPort {
	if a, ok := s.conn.LocalAddr().(*net.TCPAddr); ok {
		a := a.AddrPort()
		return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	}
	return netip.AddrPort{}
}

// Number returns the number of the session, counted from 1 by all listeners together.
func (s *Session) Number() uint64 { return s.number }

// Security returns the certificate that the peer presented, nil if there was none, and the
// version of TLS as crypto/tls names it. After a resumption the certificate is that of the
// original handshake.
func (s *Session) Security() (leaf *x509.Certificate, version string) {
	state := s.tls.ConnectionState()
	if len(state.PeerCertificates) > 0 {
		leaf = state.PeerCertificates[0]
	}
	return leaf, tls.VersionName(state.Version)
}

// Send queues p as one TLS record (RFC 6614bis §4.1; some peers stall when a
// record holds several packets). It never blocks, may be called from any
// goroutine, and does not keep p. It reports false if p will not be
// sent: the session is closed, or is closed now because its client does not read.
func (s *Session) Send(p []byte) bool {
	if s.closing.Load() {
		return false
	}
	if _, err := s.tls.Write(p); err != nil {
		s.writeFailed(err)
		return false
	}
	if s.attached.Load() {
		s.activity.Answered()
	}
	if s.conn.out.long.Load() {
		s.conn.out.flush()
	}
	return true
}

// Flush writes all queued records with one system call. It never blocks, is cheap if
// nothing is queued, and may be called from any goroutine.
func (s *Session) Flush() { s.conn.out.flush() }
