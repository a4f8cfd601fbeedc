package tlsfront

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"radsec-gw/identity"
	"radsec-gw/metrics"
	"radsec-gw/sessions"
	"radsec-gw/wire"
)

// Server accepts RadSec connections.
type Server struct {
	// static after construction
	cfg        Config
	started    time.Time   // when New returned it
	tls        *tls.Config // has the session ticket keys; the policy has the configuration of each handshake
	admission  *admission
	counts     *metrics.Listener
	table      *sessions.Table
	ended      chan struct{} // closed when Serve returns
	readBufs   sync.Pool     // of *buffers
	packetBufs sync.Pool     // of *[wire.MaxLength]byte
	recordBufs sync.Pool     // of *[]byte
	limited    limitedLogs
	wg         sync.WaitGroup // counts all goroutines

	listeners listeners // guarded by its own mu

	policy atomic.Pointer[policy] // replaced by Apply
}

// New checks cfg and returns a server.
func New(cfg Config) (*Server, error) {
	cfg.setDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("tlsfront: %w", err)
	}
	s := &Server{
		cfg:     cfg,
		started: time.Now(),
		limited: newLimitedLogs(cfg.Log),
		counts:  cfg.Metrics.Listener(cfg.Name),
		ended:   make(chan struct{}),
	}
	s.admission = newAdmission(cfg.MaxHandshakes, s.counts)
	s.listeners.open = slices.Clone(cfg.Listeners)
	s.tls = s.baseConfig()
	s.readBufs.New = func() any { return new(buffers) }
	s.packetBufs.New = func() any { return new([wire.MaxLength]byte) }
	s.recordBufs.New = func() any { b := make([]byte, 0, 4<<10); return &b }
	p, err := s.prepare(cfg)
	if err != nil {
		return nil, err
	}
	s.policy.Store(p)
	s.table = sessions.NewTable(cfg.Metrics, s.counts, p.Policy)
	return s, nil
}

// Serve accepts connections until ctx is done, then closes the listeners and the
// connections. It returns nil after every goroutine that it started has ended, within
// about two seconds. It must be called once only.
func (s *Server) Serve(ctx context.Context) error {
	switch s.policy.Load().cfg.ClientAuth {
	case identity.OptionalCertificate:
		s.cfg.Log.Warn("clients may connect without a certificate: client_auth is \"optional\"; they are then identified by their source address only")
	case identity.NoCertificate:
		s.cfg.Log.Warn("certificates of clients are not requested: client_auth is \"none\"; clients are identified by their source address only")
	}
	defer close(s.ended)
	s.table.Begin(func() { s.setLimits(s.policy.Load()) })
	s.startListeners(ctx)
	s.wg.Go(func() { s.table.Watch(ctx, s.cfg.Log, func() bool { return s.policy.Load().cfg.RefuseStaleCRL }) })
	<-ctx.Done()
	s.stop()
	s.wg.Wait()
	return nil
}

// Wait waits until Serve has returned.
func (s *Server) Wait() { <-s.ended }

// stop stops accepting connections, then terminates every session.
func (s *Server) stop() {
	s.stopListeners()
	s.admission.stop()
	s.table.Stop()
}

// sourceOf returns the source that an address belongs to: an IPv4 address, or an IPv6 /64,
// because a host may use any address of its link (RFC 4291 §2.5.1).
func sourceOf(a netip.Addr) netip.Addr {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// unregister removes a session that was registered.
func (s *Server) unregister(session *Session, r metrics.Reason) {
	s.table.Unregister(session, r)
	s.admission.connectionClosed(sourceOf(session.remote.Addr()))
}

// addrPort returns a's address without a zone, and not as an IPv4-mapped IPv6 address; the
// zero AddrPort if a is not a TCP address.
func addrPort(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := t.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
}
